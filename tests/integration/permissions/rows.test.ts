/** Row filters on every path: what a role sees and writes is what a plain predicate says, record by record. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '#schema/claims.ts';
import { definePeople, fillPeople, type People, recordCount } from './people.ts';
import { type Anything, createWorld, personId, type World } from './world.ts';

const heldRoles = ['VIEWER', 'USER', 'DEVELOPER', 'SERVICE'] as const;
type HeldRole = (typeof heldRoles)[number];

let world: World;
let people: People;
beforeAll(async () => {
  world = await createWorld();
  await definePeople(world);
  // Record n is the first person's of the nth role; the last is nobody's.
  people = await fillPeople(world, (n, field) => {
    const role = heldRoles[n - 1];
    return field === 'ownerId' && role ? personId(role) : undefined;
  });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

interface RowCase {
  readonly name: string;
  readonly filter: object;
  sees(n: number, role: HeldRole): boolean;
}

const isEven = (n: number): boolean => n % 2 === 0;
const cases: readonly RowCase[] = [
  { name: "one's own", filter: { ownerId: { eq: '$me' } }, sees: (n, role) => heldRoles[n - 1] === role },
  {
    name: "others'",
    filter: { not: { ownerId: { in: ['$me'] } } },
    sees: (n, role) => heldRoles[n - 1] !== role,
  },
  { name: 'a comparison', filter: { level: { lte: 731_003 } }, sees: (n) => n <= 3 },
  { name: 'a negation', filter: { not: { name: { eq: 'nameZq1x' } } }, sees: (n) => n !== 1 },
  {
    name: 'a choice',
    filter: { or: [{ salary: { lt: 918_273_002 } }, { born: { gt: '1961-07-14' } }] },
    sees: (n) => n === 1 || n === 5,
  },
  { name: 'a relation', filter: { team: { region: { eq: 'EU' } } }, sees: isEven },
  { name: 'a relation to itself', filter: { mentor: { level: { gte: 731_002 } } }, sees: (n) => n >= 3 },
  { name: 'many-to-many', filter: { skills: { some: { region: { eq: 'EU' } } } }, sees: isEven },
  { name: 'an inverse', filter: { pupils: { none: {} } }, sees: (n) => n === recordCount },
  { name: 'before now', filter: { createdAt: { lte: '$now' }, born: { lt: '$now' } }, sees: () => true },
  { name: 'after now', filter: { createdAt: { gt: '$now' } }, sees: () => false },
  { name: 'who created it', filter: { createdBy: { eq: '$me' } }, sees: () => false },
];

const numbers = Array.from({ length: recordCount }, (_, n) => n + 1);

/** What a caller should be told, by path, from the predicate alone. */
function expectations(see: (n: number) => boolean): Record<string, unknown> {
  const visible = numbers.filter(see);
  const ids = visible.map((n) => people.person[n]);
  const ofTeam = (n: number): number[] => visible.filter((m) => (m % 2) + 1 === n);
  return {
    list: { nodes: ids.map((id) => ({ id })), totalCount: ids.length },
    last: { edges: ids.slice(-2).map((id) => ({ node: { id } })) },
    gets: numbers.map((n) => (see(n) ? { id: people.person[n] } : null)),
    byName: numbers.map((n) => (see(n) ? { id: people.person[n] } : null)),
    entities: numbers.map((n) => (see(n) ? { id: people.person[n] } : null)),
    untyped: numbers.map((n) => (see(n) ? { id: people.person[n] } : null)),
    untypedList: { nodes: ids.map((id) => ({ id })), totalCount: ids.length },
    histories: numbers.map((n) => (see(n) ? { nodes: [{ version: 1 }] } : null)),
    searches: numbers.map((n) => ({ totalCount: see(n) ? 1 : 0 })),
    teams: [1, 2].map((n) => ({
      people: { nodes: ofTeam(n).map((m) => ({ id: people.person[m] })), totalCount: ofTeam(n).length },
    })),
    someone: { totalCount: [1, 2].filter((n) => ofTeam(n).length > 0).length },
    nobody: { totalCount: [1, 2].filter((n) => ofTeam(n).length === 0).length },
    skills: [1, 2].map((n) => ({ holders: { nodes: ofTeam(n).map((m) => ({ id: people.person[m] })) } })),
    mentors: visible.map((n) => ({ mentor: n > 1 && see(n - 1) ? { id: people.person[n - 1] } : null })),
    pupils: visible.map((n) => ({
      pupils: { nodes: n < recordCount && see(n + 1) ? [{ id: people.person[n + 1] }] : [] },
    })),
    ofMentor: numbers.map((n) => ({
      totalCount: n < recordCount && see(n) && see(n + 1) ? 1 : 0,
    })),
    figures: [
      {
        count: ids.length,
        max: { level: visible.length === 0 ? null : 731_000 + Math.max(...visible) },
        countDistinct: { name: ids.length },
      },
    ],
    groups: visible.map((n) => ({ group: { name: `nameZq${n}x` }, count: 1 })),
    changes: visible.map((n) => people.person[n]),
  };
}

async function told(role: HeldRole): Promise<Record<string, unknown>> {
  const each = (query: (n: number) => string): string => numbers.map((n) => `n${n}: ${query(n)}`).join('\n');
  const list = (data: Anything): unknown[] => numbers.map((n) => data[`n${n}`]);
  const ask = async (query: string): Promise<Anything> => {
    const { data, errors } = await world.as(role).ask(query);
    expect([query, errors]).toEqual([query, []]);
    return data;
  };
  const id = (n: number): string => JSON.stringify(people.person[n]);
  const order = 'orderBy: [{ createdAt: ASC }]';
  const one = await ask(`{
    list: people(${order}) { nodes { id } totalCount }
    last: people(${order}, last: 2) { edges { node { id } } }
    untypedList: records(entity: "person") { nodes { id } totalCount }
    teams(${order}) { nodes { people(${order}) { nodes { id } totalCount } } }
    someone: teams(filter: { people: { some: {} } }) { totalCount }
    nobody: teams(filter: { people: { none: {} } }) { totalCount }
    skills(${order}) { nodes { holders(${order}) { nodes { id } } } }
    mentors: people(${order}) { nodes { mentor { id } } }
    pupils: people(${order}) { nodes { pupils { nodes { id } } } }
    figures: peopleAggregate { count max { level } countDistinct { name } }
    groups: peopleAggregate(groupBy: [{ name: true }], orderBy: [{ group: { name: ASC } }]) { group { name } count }
    _entities(representations: [${numbers.map((n) => `{ __typename: "Person", id: ${id(n)} }`).join(', ')}]) { ... on Person { id } }
  }`);
  const log = await world
    .as(role)
    .askLog('{ changes(entities: ["person"], first: 1000) { nodes { operation recordId } } }');
  expect(log.errors).toEqual([]);
  return {
    ...{ list: one.list, last: one.last, untypedList: one.untypedList },
    ...{ someone: one.someone, nobody: one.nobody, figures: one.figures, groups: one.groups },
    ...{
      teams: one.teams.nodes,
      skills: one.skills.nodes,
      mentors: one.mentors.nodes,
      pupils: one.pupils.nodes,
    },
    entities: one._entities,
    gets: list(await ask(`{ ${each((n) => `person(id: ${id(n)}) { id }`)} }`)),
    byName: list(await ask(`{ ${each((n) => `personByName(name: "nameZq${n}x") { id }`)} }`)),
    untyped: list(await ask(`{ ${each((n) => `record(entity: "person", id: ${id(n)}) { id }`)} }`)),
    histories: list(await ask(`{ ${each((n) => `personHistory(id: ${id(n)}) { nodes { version } }`)} }`)),
    searches: list(await ask(`{ ${each((n) => `people(search: "codeZq${n}x") { totalCount }`)} }`)),
    ofMentor: list(
      await ask(
        `{ ${each((n) => `people(filter: { mentor: { name: { eq: "nameZq${n}x" } } }) { totalCount }`)} }`,
      ),
    ),
    changes: log.data.changes.nodes
      .filter(({ operation }: Anything) => operation === 'CREATED')
      .map(({ recordId }: Anything) => recordId)
      .filter((recordId: string) => people.person.includes(recordId)),
  };
}

describe.each(cases)('$name', ({ filter, sees }) => {
  beforeAll(() => world.permit({ person: heldRoles.map((role) => ({ role, rowFilter: filter })) }));

  it.each(heldRoles)('%s sees just that', async (role) => {
    expect(await told(role)).toEqual(expectations((n) => sees(n, role)));
  });

  it('is nothing to ADMIN', async () => {
    const { data } = await world.admin.ask('{ people { totalCount } }');
    expect(data.people.totalCount).toBeGreaterThanOrEqual(recordCount);
  });

  it.each(['USER', 'DEVELOPER', 'SERVICE'] as const)('%s writes just that', async (role) => {
    const caller = world.as(role);
    const state = () => world.sql('select id, version, deleted_at from records order by id');
    const before = await state();
    const unknown = '01900000-0000-7000-8000-000000000000';
    for (const n of numbers.filter((one) => !sees(one, role))) {
      for (const mutation of [
        (id: string) => `updatePerson(id: "${id}", input: { note: "mine" }) { id }`,
        (id: string) => `updatePerson(id: "${id}", input: { note: "mine" }, expectedVersion: 7) { id }`,
        (id: string) => `updatePeople(inputs: [{ id: "${id}", input: { note: "mine" } }]) { id }`,
        (id: string) => `deletePerson(id: "${id}") { id }`,
        (id: string) => `deletePeople(ids: ["${id}"]) { id }`,
        (id: string) => `restorePerson(id: "${id}") { id }`,
        (id: string) => `restorePeople(ids: ["${id}"]) { id }`,
        (id: string) => `restorePersonVersion(id: "${id}", version: 1) { id }`,
        (id: string) => `updateRecord(entity: "person", id: "${id}", data: { note: "mine" }) { id }`,
        (id: string) => `deleteRecord(entity: "person", id: "${id}") { id }`,
        (id: string) =>
          `updateTeam(id: "${people.team[1]}", input: { people: { connect: ["${id}"] } }) { id }`,
      ]) {
        const id = people.person[n] as string;
        const { errors } = await caller.ask(`mutation { ${mutation(id)} }`);
        const asUnknown = await caller.ask(`mutation { ${mutation(unknown)} }`);
        // To the letter what an id answers that no record has.
        expect(JSON.parse(JSON.stringify(errors).replaceAll(id, unknown))).toEqual(asUnknown.errors);
        expect(errors).toHaveLength(1);
      }
    }
    expect(await state()).toEqual(before);
  });
});

describe('what a write makes of a record', () => {
  const own = { rowFilter: { ownerId: { eq: '$me' } } };
  beforeAll(() => world.permit({ person: heldRoles.map((role) => ({ role, ...own })) }));
  const me = (role: Role): string => JSON.stringify(personId(role));

  it.each(['USER', 'DEVELOPER', 'SERVICE'] as const)(
    'has to be within the filter of %s, or it is not done',
    async (role) => {
      const caller = world.as(role);
      const state = () => world.sql('select id, version from records order by id');
      const made = await caller.ask(`mutation { createPerson(input: { ownerId: ${me(role)} }) { id } }`);
      expect(made.errors).toEqual([]);
      const id = made.data.createPerson.id as string;
      const before = await state();
      for (const mutation of [
        'createPerson(input: { ownerId: "x" }) { id }',
        'createPerson(input: {}) { id }',
        `createPeople(inputs: [{ ownerId: ${me(role)} }, {}]) { id }`,
        `updatePerson(id: "${id}", input: { ownerId: "x" }) { id }`,
        `updatePeople(inputs: [{ id: "${id}", input: { ownerId: null } }]) { id }`,
        `upsertPerson(on: NAME, input: { name: "new-${role}" }) { id }`,
        'createTeam(input: { people: { create: [{ ownerId: "x" }] } }) { id }',
        'createRecord(entity: "person", data: { ownerId: "x" }) { id }',
      ]) {
        const { errors } = await caller.ask(`mutation { ${mutation} }`);
        expect([mutation, errors.map(({ code }) => code)]).toEqual([mutation, ['FORBIDDEN']]);
      }
      expect(await state()).toEqual(before);
      await world.arrange(`mutation { deletePerson(id: "${id}") { id } }`);
    },
  );

  it('may not be a deleted record that is restored out of sight', async () => {
    const { createPerson } = await world.arrange('mutation { createPerson(input: { ownerId: "x" }) { id } }');
    await world.arrange(`mutation { deletePerson(id: "${createPerson.id}") { id } }`);
    const { errors } = await world
      .as('USER')
      .ask(`mutation { restorePerson(id: "${createPerson.id}") { id } }`);
    expect(errors).toMatchObject([{ code: 'NOT_FOUND' }]);
  });

  it('does not take over the record that has the same key out of sight', async () => {
    const before = await world.sql('select id, version from records order by id');
    const { errors } = await world
      .as('USER')
      .ask(`mutation { upsertPerson(on: NAME, input: { name: "nameZq5x", ownerId: ${me('USER')} }) { id } }`);
    expect(errors).toHaveLength(1);
    expect(['CONFLICT', 'FORBIDDEN', 'NOT_FOUND']).toContain(errors[0]?.code);
    expect(JSON.stringify(errors)).not.toContain(people.person[5]);
    expect(await world.sql('select id, version from records order by id')).toEqual(before);
  });
});
