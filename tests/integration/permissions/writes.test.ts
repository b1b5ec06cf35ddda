/** The permission matrix of writing: every role × field × way to write it, and every role × operation. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '#schema/claims.ts';
import { definePeople, fillPeople, type People, personFields, type TestedField } from './people.ts';
import { type Answer, type Caller, createWorld, type World } from './world.ts';

let world: World;
let people: People;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
  await definePeople(world);
  people = await fillPeople(world);
}, 60_000);
afterAll(() => world[Symbol.asyncDispose]());

const heldRoles = ['VIEWER', 'USER', 'DEVELOPER', 'SERVICE'] as const;

interface WritePath {
  readonly name: string;
  /** Fields that are written beside the one in question. */
  readonly beside?: readonly string[];
  /** Where errors name the field. */
  readonly place?: string;
  appliesTo?(field: TestedField): boolean;
  send(caller: Caller, field: TestedField, n: number): Promise<Answer>;
}

const set = (field: TestedField, n: number): string => `{ ${field.member}: ${field.write(n)} }`;
const json = (field: TestedField, n: number): unknown =>
  JSON.parse(set(field, n).replaceAll(/([A-Za-z]+):/g, '"$1":'));

const writePaths: readonly WritePath[] = [
  {
    name: 'create',
    send: (caller, field, n) => caller.ask(`mutation { createPerson(input: ${set(field, n)}) { id } }`),
  },
  {
    name: 'create, among many',
    place: 'inputs.1.',
    send: (caller, field, n) =>
      caller.ask(`mutation { createPeople(inputs: [{}, ${set(field, n)}]) { id } }`),
  },
  {
    name: 'update',
    send: (caller, field, n) =>
      caller.ask(`mutation { updatePerson(id: "${people.person[1]}", input: ${set(field, n)}) { id } }`),
  },
  {
    name: 'update, among many',
    place: 'inputs.0.',
    send: (caller, field, n) =>
      caller.ask(
        `mutation { updatePeople(inputs: [{ id: "${people.person[1]}", input: ${set(field, n)} }]) { id } }`,
      ),
  },
  {
    name: 'upsert that creates',
    beside: ['name'],
    appliesTo: ({ name }) => name !== 'name',
    send: (caller, field, n) =>
      caller.ask(
        `mutation { upsertPerson(on: NAME, input: { name: "up-${n}", ${field.member}: ${field.write(n)} }) { id } }`,
      ),
  },
  {
    name: 'upsert that updates',
    beside: ['name'],
    appliesTo: ({ name }) => name !== 'name',
    send: (caller, field, n) =>
      caller.ask(
        `mutation { upsertPerson(on: NAME, input: { name: ${JSON.stringify(personFields[0]?.value(4))}, ${field.member}: ${field.write(n)} }) { id } }`,
      ),
  },
  {
    name: 'upsert, among many',
    beside: ['name'],
    place: 'inputs.0.',
    appliesTo: ({ name }) => name !== 'name',
    send: (caller, field, n) =>
      caller.ask(
        `mutation { upsertPeople(on: NAME, inputs: [{ name: "up-${n}", ${field.member}: ${field.write(n)} }]) { id } }`,
      ),
  },
  {
    name: 'nested in a create',
    beside: ['team'],
    place: 'people.create.0.',
    appliesTo: ({ name }) => name !== 'team',
    send: (caller, field, n) =>
      caller.ask(`mutation { createTeam(input: { people: { create: [${set(field, n)}] } }) { id } }`),
  },
  {
    name: 'untyped create',
    send: (caller, field, n) =>
      caller.ask('mutation ($data: JSON!) { createRecord(entity: "person", data: $data) { id } }', {
        data: json(field, n),
      }),
  },
  {
    name: 'untyped update',
    send: (caller, field, n) =>
      caller.ask(
        'mutation ($id: ID!, $data: JSON!) { updateRecord(entity: "person", id: $id, data: $data) { id } }',
        { id: people.person[2], data: json(field, n) },
      ),
  },
];

const odd = personFields.filter((_, n) => n % 2 === 1).map(({ name }) => name);
const even = personFields.filter((_, n) => n % 2 === 0).map(({ name }) => name);

async function writtenState(): Promise<unknown> {
  return world.sql('select id, version from records order by id');
}

async function check(
  path: WritePath,
  field: TestedField,
  role: Role,
  writable: readonly string[],
): Promise<string | null> {
  const needed = [...(path.beside ?? []), field.name];
  const unwritable = needed.filter((name) => !writable.includes(name));
  const isForbidden = role === 'VIEWER' || unwritable.length > 0;
  const before = isForbidden ? await writtenState() : null;
  const { errors, data } = await path.send(world.as(role), field, ++count);
  if (!isForbidden) return errors.length === 0 ? null : `is refused: ${JSON.stringify(errors)}`;
  if (errors.length === 0) return `is allowed: ${JSON.stringify(data)}`;
  if (errors.some(({ code }) => code !== 'FORBIDDEN')) return `answers ${JSON.stringify(errors)}`;
  expect(await writtenState()).toEqual(before);
  if (role === 'VIEWER') return null;
  const members = unwritable.map((name) => personFields.find((other) => other.name === name)?.member);
  // A list is named with what is to be done with it (`skills.create`).
  const named = errors
    .flatMap(({ fields }) => fields ?? [])
    .map(({ field: place, rule }) => `${place.replace(/(skills)\..*$/, '$1')} ${rule}`);
  const expected = members.map((member) => `${path.place ?? ''}${member} permission`);
  return JSON.stringify(named.toSorted()) === JSON.stringify(expected.toSorted())
    ? null
    : `names ${named.join(', ')} for ${expected.join(', ')}`;
}

async function failuresOf(role: Role, writable: readonly string[]): Promise<string[]> {
  const failures: string[] = [];
  for (const path of writePaths) {
    for (const field of personFields) {
      if (path.appliesTo && !path.appliesTo(field)) continue;
      const failure = await check(path, field, role, writable);
      if (failure !== null) failures.push(`${path.name}: ${field.name} ${failure}`);
    }
  }
  return failures;
}

describe.each([
  ['everything', personFields.map(({ name }) => name)],
  ['odd', odd],
  ['even', even],
  ['nothing', []],
])('writable: %s', (what, writable) => {
  beforeAll(() =>
    world.permit({
      person: what === 'everything' ? [] : heldRoles.map((role) => ({ role, writableFields: writable })),
    }),
  );

  it.each(heldRoles)('%s writes that, and nothing else', async (role) => {
    expect(await failuresOf(role, writable)).toEqual([]);
  });
});

describe('what may be written and not be read', () => {
  beforeAll(() =>
    world.permit({
      person: [{ role: 'USER', readableFields: ['code'], writableFields: ['name', 'note', 'code'] }],
    }),
  );

  it('is written, and not told with the answer', async () => {
    const user = world.as('USER');
    const name = `blind-${++count}`;
    const made = await user.ask(
      `mutation { createPerson(input: { name: "${name}", code: "${name}" }) { id code } }`,
    );
    expect(made.errors).toEqual([]);
    const before = await writtenState();
    for (const mutation of [
      `updatePerson(id: "${made.data.createPerson.id}", input: { note: "x" }) { note }`,
      'createPerson(input: { note: "x" }) { id mentor { id } }',
      `deletePerson(id: "${made.data.createPerson.id}") { name }`,
    ]) {
      const { errors } = await user.ask(`mutation { ${mutation} }`);
      expect([mutation, errors]).toEqual([mutation, [expect.objectContaining({ code: 'FORBIDDEN' })]]);
    }
    expect(await writtenState()).toEqual(before);
    const untyped = await user.ask(
      'mutation { createRecord(entity: "person", data: { note: "hidden-note" }) { data } }',
    );
    expect(untyped).toEqual({ data: { createRecord: { data: { code: null } } }, errors: [] });
  });

  it('does not find records by a hidden key', async () => {
    const { errors } = await world
      .as('USER')
      .ask(
        `mutation { upsertPerson(on: NAME, input: { name: ${JSON.stringify(personFields[0]?.value(1))}, note: "x" }) { id } }`,
      );
    expect(errors).toMatchObject([{ code: 'FORBIDDEN' }]);
  });
});

describe('an earlier version', () => {
  async function twice(first: object, second: object): Promise<string> {
    const { createPerson } = await world.arrange(
      'mutation ($input: CreatePersonInput!) { createPerson(input: $input) { id } }',
      { input: first },
    );
    await world.arrange(
      'mutation ($id: ID!, $input: UpdatePersonInput!) { updatePerson(id: $id, input: $input) { id } }',
      { id: createPerson.id, input: second },
    );
    return createPerson.id;
  }
  const restore = (role: Role, id: string) =>
    world.as(role).ask(`mutation { restorePersonVersion(id: "${id}", version: 1) { id version } }`);
  const noteOf = async (id: string) =>
    (await world.arrange(`{ person(id: "${id}") { note ownerId salary } }`)).person;

  it('is restored as far as fields may be written; FORBIDDEN names those that would have to be', async () => {
    await world.permit({
      person: [{ role: 'USER', readableFields: ['note', 'ownerId'], writableFields: ['note'] }],
    });
    const one = await twice({ note: 'a', ownerId: 'o', salary: 1 }, { note: 'b', salary: 2 });
    expect((await restore('USER', one)).errors).toEqual([]);
    // What is hidden and not writable stays.
    expect(await noteOf(one)).toEqual({ note: 'a', ownerId: 'o', salary: 2 });
    const other = await twice({ note: 'a', ownerId: 'o' }, { note: 'b', ownerId: 'p' });
    expect((await restore('USER', other)).errors).toMatchObject([
      { code: 'FORBIDDEN', fields: [{ field: 'ownerId', rule: 'permission' }] },
    ]);
    expect(await noteOf(other)).toMatchObject({ note: 'b', ownerId: 'p' });
    expect((await restore('DEVELOPER', other)).errors).toEqual([]);
  });

  it('tells nothing of what is hidden by what its rules refuse now, and leaves it as it is', async () => {
    await world.permit({ person: [{ role: 'USER', readableFields: ['note', 'ownerId'] }] });
    const id = await twice({ note: 'a', salary: 9876 }, { note: 'b', salary: 2 });
    const rule = (validation: string) =>
      world.arrange(
        `mutation { updateField(entity: "person", name: "salary", input: { validation: ${validation} }) { id } }`,
      );
    await rule('{ max: 10 }');
    try {
      expect((await restore('USER', id)).errors).toEqual([]);
      expect(await noteOf(id)).toMatchObject({ note: 'a', salary: 2 });
      // Whoever may see it is told.
      expect((await restore('DEVELOPER', id)).errors).toMatchObject([
        { code: 'BAD_USER_INPUT', fields: [{ field: 'salary', rule: 'max' }] },
      ]);
    } finally {
      await rule('null');
    }
  });

  it('that lay outside the row filter is not there', async () => {
    await world.permit({ person: [{ role: 'USER', rowFilter: { ownerId: { eq: 'mine' } } }] });
    const id = await twice({ note: 'theirs', ownerId: 'other' }, { note: 'mine', ownerId: 'mine' });
    const history = `{ personHistory(id: "${id}") { nodes { version data changes { field from to } } } }`;
    const { data } = await world.as('USER').ask(history);
    expect(data.personHistory.nodes).toMatchObject([
      {
        version: 2,
        changes: [
          { field: 'note', from: null, to: 'mine' },
          { field: 'ownerId', from: null, to: 'mine' },
        ],
      },
    ]);
    expect(JSON.stringify(data)).not.toMatch(/theirs|other/);
    expect((await restore('USER', id)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
    const gone = await twice({ ownerId: 'mine' }, { ownerId: 'other' });
    expect((await world.as('USER').ask(history.replace(id, gone))).data).toEqual({ personHistory: null });
    expect((await restore('USER', gone)).errors).toMatchObject([{ code: 'NOT_FOUND' }]);
    // As unknown as one that never was.
    expect((await restore('USER', randomUUID())).errors[0]?.code).toBe('NOT_FOUND');
  });
});

describe('operations', () => {
  const operations = ['READ', 'CREATE', 'UPDATE', 'DELETE', 'RESTORE', 'PURGE'] as const;
  type Operation = (typeof operations)[number];
  const make = async (): Promise<string> =>
    (await world.arrange('mutation { createPerson(input: {}) { id } }')).createPerson.id;
  const remove = async (id: string): Promise<string> => {
    await world.arrange(`mutation { deletePerson(id: "${id}") { id } }`);
    return id;
  };

  /** Each with what it needs, and whether a role's level allows it at all. */
  const attempts: readonly {
    name: string;
    needs: readonly Operation[];
    level: readonly Role[];
    query(): Promise<string>;
  }[] = [
    {
      name: 'get',
      needs: ['READ'],
      level: heldRoles,
      query: async () => `{ person(id: "${await make()}") { id } }`,
    },
    {
      name: 'list',
      needs: ['READ'],
      level: heldRoles,
      query: async () => '{ people(first: 1) { nodes { id } } }',
    },
    { name: 'count', needs: ['READ'], level: heldRoles, query: async () => '{ people { totalCount } }' },
    {
      name: 'aggregate',
      needs: ['READ'],
      level: heldRoles,
      query: async () => '{ peopleAggregate { count } }',
    },
    {
      name: 'records',
      needs: ['READ'],
      level: heldRoles,
      query: async () => '{ records(entity: "person") { totalCount } }',
    },
    {
      name: 'record',
      needs: ['READ'],
      level: heldRoles,
      query: async () => `{ record(entity: "person", id: "${await make()}") { id } }`,
    },
    {
      name: 'history',
      needs: ['READ'],
      level: heldRoles,
      query: async () => `{ personHistory(id: "${await make()}") { nodes { version } } }`,
    },
    {
      name: '_entities',
      needs: ['READ'],
      level: heldRoles,
      query: async () =>
        `{ _entities(representations: [{ __typename: "Person", id: "${await make()}" }]) { ... on Person { id } } }`,
    },
    {
      name: 'inverse',
      needs: ['READ'],
      level: heldRoles,
      query: async () => '{ teams { nodes { people { totalCount } } } }',
    },
    ...[
      { name: 'create', needs: ['CREATE'], query: async () => 'createPerson(input: {}) { id }' },
      { name: 'createMany', needs: ['CREATE'], query: async () => 'createPeople(inputs: [{}]) { id }' },
      {
        name: 'nested create',
        needs: ['CREATE'],
        query: async () => 'createTeam(input: { people: { create: [{}] } }) { id }',
      },
      {
        name: 'update',
        needs: ['UPDATE'],
        query: async () => `updatePerson(id: "${await make()}", input: { note: "x" }) { id }`,
      },
      {
        name: 'updateMany',
        needs: ['UPDATE'],
        query: async () => `updatePeople(inputs: [{ id: "${await make()}", input: { note: "x" } }]) { id }`,
      },
      {
        name: 'nested connect',
        needs: ['UPDATE'],
        query: async () => `createTeam(input: { people: { connect: ["${await make()}"] } }) { id }`,
      },
      { name: 'delete', needs: ['DELETE'], query: async () => `deletePerson(id: "${await make()}") { id }` },
      {
        name: 'deleteMany',
        needs: ['DELETE'],
        query: async () => `deletePeople(ids: ["${await make()}"]) { id }`,
      },
      {
        name: 'restore',
        needs: ['RESTORE'],
        query: async () => `restorePerson(id: "${await remove(await make())}") { id }`,
      },
      {
        name: 'restoreMany',
        needs: ['RESTORE'],
        query: async () => `restorePeople(ids: ["${await remove(await make())}"]) { id }`,
      },
      {
        name: 'untyped create',
        needs: ['CREATE'],
        query: async () => 'createRecord(entity: "person", data: {}) { id }',
      },
      {
        name: 'untyped update',
        needs: ['UPDATE'],
        query: async () =>
          `updateRecord(entity: "person", id: "${await make()}", data: { note: "x" }) { id }`,
      },
      {
        name: 'untyped delete',
        needs: ['DELETE'],
        query: async () => `deleteRecord(entity: "person", id: "${await make()}") { id }`,
      },
      {
        name: 'untyped restore',
        needs: ['RESTORE'],
        query: async () => `restoreRecord(entity: "person", id: "${await remove(await make())}") { id }`,
      },
    ].map((attempt) => ({
      ...attempt,
      needs: attempt.needs as Operation[],
      level: ['USER', 'DEVELOPER', 'SERVICE'] as const,
      query: async () => `mutation { ${await attempt.query()} }`,
    })),
    ...['purgePeople(', 'purgeRecords(entity: "person", '].map((call) => ({
      name: call,
      needs: ['PURGE'] as Operation[],
      level: ['DEVELOPER', 'SERVICE'] as const,
      query: async () => `mutation { ${call}ids: ["${await remove(await make())}"]) }`,
    })),
  ];

  it.each([...operations.map((operation) => [operation]), operations, []])(
    'allowed: %s %s %s %s %s %s',
    async (...given) => {
      const allowed = given.filter((operation) => operation !== undefined);
      await world.permit({ person: heldRoles.map((role) => ({ role, operations: allowed })) });
      const failures: string[] = [];
      for (const role of heldRoles) {
        for (const { name, needs, level, query } of attempts) {
          const { errors } = await world.as(role).ask(await query());
          const isAllowed = level.includes(role) && needs.every((operation) => allowed.includes(operation));
          const codes = errors.map(({ code }) => code);
          if (isAllowed ? codes.length > 0 : codes.length === 0 || codes.some((code) => code !== 'FORBIDDEN'))
            failures.push(`${role} ${name}: ${isAllowed ? 'refused' : 'allowed'} ${JSON.stringify(errors)}`);
        }
      }
      expect(failures).toEqual([]);
    },
  );
});
