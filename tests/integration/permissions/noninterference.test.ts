/**
 * What is hidden cannot be inferred: in two worlds that differ only in what a role may not see, everything that the role asks
 * and does has the same answer, to the byte. `TENANTRY_SEED` repeats seeds.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type People, personFields } from './people.ts';
import { readPaths } from './read-paths.ts';
import {
  compared,
  createRandom,
  createTwoWorlds,
  fill,
  type Held,
  hold,
  type Random,
  randomHeld,
  randomTables,
  type Tables,
  type TwoWorlds,
  type Unseen,
} from './two-worlds.ts';
import type { Answer, Caller, Stream, World } from './world.ts';

const seeds = Array.from({ length: 12 }, (_, i) => 5_000 + i);
const requestsOfSeed = 40;

let two: TwoWorlds;
beforeAll(async () => {
  two = await createTwoWorlds();
}, 60_000);
afterAll(() => two[Symbol.asyncDispose]());

interface Case {
  readonly held: Held;
  readonly people: People;
  readonly tables: readonly [Tables, Tables];
  readonly unseen: Unseen;
}

/** The same request in each world. */
type Request = (caller: Caller) => Promise<Answer>;

/** Something that stands in a field of some record, in one world or the other. */
function someValue(random: Random, { tables }: Case, member: string): unknown {
  const rows = random.pick(tables).person;
  return random.pick(rows)[member] ?? null;
}

function literal(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return `{ ${Object.entries(value)
    .map(([name, inner]) => `${name.replaceAll(/\W/g, '_')}: ${literal(inner)}`)
    .join(', ')} }`;
}

const filterable = ['name', 'code', 'note', 'salary', 'level', 'born', 'ownerId', 'teamId', 'mentorId'];

function randomCondition(random: Random, of: Case, depth = 0): string {
  if (depth < 2 && random.chance(0.4)) {
    const inner = (): string => randomCondition(random, of, depth + 1);
    return random.pick([
      () => `{ and: [${inner()}, ${inner()}] }`,
      () => `{ or: [${inner()}, ${inner()}] }`,
      () => `{ not: ${inner()} }`,
      () => `{ mentor: ${inner()} }`,
      () => `{ pupils: { some: ${inner()} } }`,
      () => `{ pupils: { none: ${inner()} } }`,
      () => `{ pupils: { every: ${inner()} } }`,
      () => `{ team: { people: { some: ${inner()} } } }`,
      () => `{ team: { name: { startsWith: "al" } } }`,
      () => `{ skills: { some: { region: { eq: "EU" } } } }`,
      () => `{ skills: { every: { holders: { some: ${inner()} } } } }`,
    ])();
  }
  const member = random.pick(filterable);
  const value = literal(someValue(random, of, member));
  if (value === 'null') return `{ ${member}: { isNull: ${random.chance(0.5)} } }`;
  const isId = member.endsWith('Id') && member !== 'ownerId';
  const operator = random.pick(isId ? ['eq', 'ne'] : ['eq', 'ne', 'lt', 'gte']);
  return `{ ${member}: { ${operator}: ${value} } }`;
}

const order = (random: Random): string => {
  const term = `{ ${random.pick(['name', 'code', 'salary', 'level', 'born', 'ownerId', 'createdAt'])}: ${random.pick(['ASC', 'DESC', 'ASC_NULLS_FIRST', 'DESC_NULLS_LAST'])} }`;
  return random.chance(0.3) ? `{ ${random.pick(['mentor'])}: ${term} }` : term;
};

/** A list read to its end, page by page. */
async function walk(caller: Caller, args: string, random: Random): Promise<Answer> {
  const size = 1 + random.int(3);
  const pages: Answer[] = [];
  let after: string | null = null;
  do {
    const answer: Answer = await caller.ask(
      `query ($after: String) { people(first: ${size}, after: $after${args}) { nodes { id version } totalCount pageInfo { endCursor hasNextPage hasPreviousPage } } }`,
      { after },
    );
    pages.push(answer);
    const info = answer.data?.people?.pageInfo;
    after = info?.hasNextPage ? info.endCursor : null;
  } while (after !== null && pages.length < 20);
  return { data: pages, errors: [] };
}

function randomRead(random: Random, of: Case): Request {
  const { people } = of;
  const field = random.pick(personFields);
  const id = random.pick(people.person.slice(1));
  const ask =
    (query: string, variables: Record<string, unknown> = {}): Request =>
    (caller) =>
      caller.ask(query, variables);
  const path = random.pick(readPaths.filter(({ appliesTo }) => !appliesTo || appliesTo(field)));
  return random.pick<() => Request>([
    () => (caller) => path.send(caller, field, people),
    () => (caller) => path.send(caller, field, people),
    () => (caller) => path.send(caller, field, people),
    () =>
      ask(`{ people(filter: ${randomCondition(random, of)}) { nodes { id version createdAt } totalCount } }`),
    () =>
      ask(
        `{ teams(filter: { people: { some: ${randomCondition(random, of)} } }, orderBy: [{ name: ASC }]) { nodes { id } } }`,
      ),
    () => {
      const args = random.chance(0.5)
        ? `, orderBy: [${order(random)}, ${order(random)}]`
        : `, filter: ${randomCondition(random, of)}`;
      const seed = random.int(1_000);
      return (caller) => walk(caller, args, createRandom(seed));
    },
    () => {
      const word = (someValue(random, of, random.pick(['name', 'code', 'note'])) ?? 'alpha') as string;
      const search = random.chance(0.5) ? word : word.slice(0, 1 + random.int(word.length));
      return ask(
        `query ($search: String) { people(search: $search, first: 3) { nodes { id } totalCount pageInfo { endCursor hasNextPage } }
          records(entity: "person", search: $search) { nodes { id data } } peopleAggregate(search: $search) { count } }`,
        { search },
      );
    },
    () => {
      const keys = random.some(['name', 'code', 'salary', 'level', 'ownerId', 'teamId', 'mentorId'], 2);
      const groups =
        keys.length === 0 ? '' : `groupBy: [${keys.map((key) => `{ ${key}: true }`).join(', ')}], `;
      const measure = random.pick([
        'sum { salary level }',
        'avg { level }',
        'min { born salary }',
        'countDistinct { name level teamId }',
        'count',
      ]);
      return ask(
        `{ peopleAggregate(${groups}filter: ${randomCondition(random, of)}) { group { ${keys.length === 0 ? 'createdAt' : [...new Set(keys)].join(' ')} } ${measure} } }`,
      );
    },
    () =>
      ask(
        '{ peopleAggregate(groupBy: [{ mentor: { level: true } }, { team: { region: true } }]) { group { mentor { level } team { region } } count } }',
      ),
    () => ask(`{ personByName(name: ${literal(someValue(random, of, 'name'))}) { id ${field.selection} } }`),
    () => ask(`{ personByCode(code: ${literal(someValue(random, of, 'code'))}) { id } }`),
    () => ask('{ records(entity: "person", first: 50) { nodes { id version data } totalCount } }'),
    () => ask(`{ record(entity: "person", id: "${id}") { id version data } }`),
    () =>
      ask(
        `{ personHistory(id: "${id}") { nodes { version operation data changes { field from to } } pageInfo { hasNextPage } } }`,
      ),
    () =>
      ask(
        '{ teams(orderBy: [{ createdAt: ASC }]) { nodes { id people { nodes { id } totalCount } } } skills(orderBy: [{ createdAt: ASC }]) { nodes { id holders { nodes { id } totalCount } } } }',
      ),
    () =>
      ask(
        '{ people { nodes { id mentor { id } pupils { nodes { id } totalCount } team { id people { totalCount } } } } }',
      ),
    () => ask(`{ teams(orderBy: [{ createdAt: ASC }]) { nodes { name region } } }`),
    () =>
      ask(
        `{ skills(orderBy: [{ region: ASC }], filter: { holders: { some: {} } }) { nodes { id } totalCount } }`,
      ),
    () => {
      const size = 1 + random.int(40);
      return (caller) =>
        caller.askLog(
          `{ changes(entities: ["person"], first: ${size}) { nodes { operation recordId record changedFields } pageInfo { hasNextPage } } }`,
        );
    },
    () =>
      ask(
        `{ _entities(representations: [{ __typename: "Person", id: "${id}" }, { __typename: "Person", id: "${random.pick(people.person.slice(1))}" }]) { ... on Person { id version ${field.selection} } } }`,
      ),
  ])();
}

/** What may be changed without changing what the role sees of records that it never saw. */
function isFree({ held }: Case, name: string): boolean {
  const { uses } = held.rule;
  return uses.includes('mentor') || uses.includes('team') || uses.includes('skills')
    ? !uses.includes(name)
    : true;
}

function randomWrite(random: Random, of: Case, n: number): Request {
  const { held, people } = of;
  const isFixed = held.rule.uses.includes('mentor');
  const field = random.pick(personFields.filter(({ name }) => isFree(of, name)));
  const id = random.pick(people.person.slice(1));
  const input = `{ ${field.member}: ${field.write(n)} }`;
  const mutate =
    (mutation: string): Request =>
    (caller) =>
      caller.ask(`mutation { ${mutation} }`);
  const selection = random.chance(0.3) ? field.selection : 'id version';
  return random.pick<() => Request>([
    () => mutate(`createPerson(input: ${input}) { ${selection} }`),
    () => mutate(`updatePerson(id: "${id}", input: ${input}) { ${selection} }`),
    () => mutate(`updatePerson(id: "${id}", input: ${input}, expectedVersion: ${1 + random.int(4)}) { id }`),
    () => mutate(`updatePeople(inputs: [{ id: "${id}", input: ${input} }]) { ${selection} }`),
    () =>
      mutate(
        `upsertPerson(on: CODE, input: { code: "user-${n}", ${field.name === 'code' ? 'note: "x"' : `${field.member}: ${field.write(n)}`} }) { id }`,
      ),
    () =>
      mutate(`createTeam(input: { people: { create: [${field.name === 'team' ? '{}' : input}] } }) { id }`),
    () => mutate(`restorePersonVersion(id: "${id}", version: ${1 + random.int(3)}) { id version }`),
    () =>
      isFixed
        ? mutate(`updatePerson(id: "${id}", input: {}) { id }`)
        : mutate(`deletePerson(id: "${id}") { id }`),
    () => (isFixed ? mutate(`restorePeople(ids: []) { id }`) : mutate(`restorePerson(id: "${id}") { id }`)),
    () => mutate(`purgePeople(ids: ["${id}"])`),
    () => mutate(`updateRecord(entity: "person", id: "${id}", data: { note: "untyped-${n}" }) { id data }`),
  ])();
}

/** The same change in both worlds, of another value in each where the role may not see it. */
async function changeUnseen(
  random: Random,
  of: Case,
  n: number,
  worlds: readonly [World, World],
): Promise<void> {
  const { held, unseen } = of;
  const id = random.pick(of.people.person.slice(1));
  const names = ['note', 'salary', 'ownerId', 'name'].filter((name) => !held.rule.uses.includes(name));
  const name = random.pick(names);
  const isSeen = !unseen.has(id) && held.readable.includes(name);
  for (const [i, world] of worlds.entries()) {
    const twin = isSeen ? 0 : i;
    const value = name === 'salary' ? 1_000 + n * 2 + twin : `${name}-changed-${n}-${twin}`;
    // A record that the role deleted is gone in both.
    await world.admin.ask(
      'mutation ($id: ID!, $input: UpdatePersonInput!) { updatePerson(id: $id, input: $input) { id } }',
      {
        id,
        input: { [name]: value },
      },
    );
  }
}

/** What a stream tells until the sentinel, a team of this name. */
async function drain(stream: Stream | Answer, sentinel: string): Promise<Answer[]> {
  if ('errors' in stream) return [stream];
  const told: Answer[] = [];
  for (;;) {
    const answer = await stream.next();
    if (JSON.stringify(answer).includes(sentinel)) return told;
    told.push(answer);
    if (answer.errors.length > 0) return told;
  }
}

describe('two worlds that differ in what is hidden', () => {
  for (const seed of process.env['TENANTRY_SEED']
    ? process.env['TENANTRY_SEED'].split(',').map(Number)
    : seeds) {
    it(`answer ${requestsOfSeed} requests alike, seed ${seed}`, async () => {
      const random = createRandom(seed);
      const held = randomHeld(random);
      const [first, second, unseen] = randomTables(random, held);
      const { worlds } = two;
      for (const world of worlds) await hold(world, { ...held });
      const people = await fill(worlds[0], first, seed);
      await fill(worlds[1], second, seed);
      const of: Case = { held, people, tables: [first, second], unseen };

      const filter = random.chance(0.5) ? `(filter: ${randomCondition(random, of)})` : '';
      const typed = await both(worlds, (caller) =>
        caller.subscribe(
          `subscription { personChanged${filter} { cursor operation personId changedFields } }`,
        ),
      );
      const untyped = await both(worlds, (caller) =>
        caller.subscribe(
          'subscription { recordChanged { cursor operation entity recordId record changedFields } }',
        ),
      );
      for (let n = 0; n < requestsOfSeed; n++) {
        const kind = random.int(10);
        if (kind === 0) {
          await changeUnseen(random, of, n, worlds);
          continue;
        }
        const request = kind < 3 ? randomWrite(random, of, seed * 100 + n) : randomRead(random, of);
        const [a, b] = await both(worlds, request);
        const what = `seed ${seed}, request ${n}, held to ${JSON.stringify(held)}: ${request.toString().slice(0, 200)}`;
        expect(compared(b), what).toBe(compared(a));
      }
      const sentinel = `sentinel-${seed}`;
      const last: string[] = [];
      for (const world of worlds) {
        await world.permit({ team: [], person: [] });
        await world.arrange(`mutation { createTeam(input: { name: "${sentinel}" }) { id } }`);
        const { createPerson } = await world.arrange(
          `mutation { createPerson(input: { name: "${sentinel}" }) { id } }`,
        );
        last.push(createPerson.id);
      }
      const [toldA, toldB] = await Promise.all(untyped.map((stream) => drain(stream, sentinel)));
      expect(toldB?.map(compared), `seed ${seed}, recordChanged`).toEqual(toldA?.map(compared));
      if (filter === '') {
        const told = await Promise.all(typed.map((stream, n) => drain(stream, last[n] as string)));
        expect(told[1]?.map(compared), `seed ${seed}, personChanged`).toEqual(told[0]?.map(compared));
      }
      for (const stream of [...untyped, ...typed])
        if (!('errors' in stream)) await stream[Symbol.asyncDispose]();
    }, 60_000);
  }
});

async function both<T>(
  worlds: readonly [World, World],
  request: (caller: Caller) => Promise<T>,
): Promise<[T, T]> {
  return [await request(worlds[0].as('USER')), await request(worlds[1].as('USER'))];
}
