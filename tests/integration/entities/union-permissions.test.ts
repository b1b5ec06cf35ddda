/** Relations to one of several entities under permissions: every way to what a role may not see or write through them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { setPermissions } from './permission-fixture.ts';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let admin: EntitiesTenant;
let user: EntitiesTenant;
let ids: Record<string, string>;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  admin = await fixture.addTenant();
  user = admin.as({ role: 'USER', actorId: randomUUID() });
  const fields = [
    { name: 'name', type: 'TEXT' },
    { name: 'secret', type: 'TEXT' },
    { name: 'isOpen', type: 'BOOLEAN' },
  ];
  await admin.createEntity({ name: 'client', fields });
  await admin.createEntity({ name: 'project', fields });
  await admin.createEntity({
    name: 'note',
    fields: [
      { name: 'label', type: 'TEXT' },
      { name: 'about', type: 'RELATION', targetEntities: ['client', 'project'] },
      {
        name: 'pinnedTo',
        type: 'RELATION',
        targetEntities: ['client', 'project'],
        isUnique: true,
        inverseName: 'pin',
      },
    ],
  });
  ids = {};
  for (const type of ['Client', 'Project'] as const) {
    for (const isOpen of [true, false]) {
      const name = `${isOpen ? 'open' : 'closed'} ${type.toLowerCase()}`;
      ids[name] = await create(admin, type, { name, isOpen, secret: 's' });
      await create(admin, 'Note', { label: name, aboutId: ids[name], aboutType: type.toUpperCase() });
    }
  }
});

async function create(as: EntitiesTenant, type: string, input: Anything): Promise<string> {
  const text = `mutation ($input: Create${type}Input!) { one: create${type}(input: $input) { id } }`;
  return (await as.query(text, { input })).one.id;
}
const hold = (entity: string, permission: Anything): Promise<Anything> =>
  admin.query(setPermissions, { entity, permissions: [{ role: 'USER', ...permission }] });
const labels = async (filter: Anything): Promise<string[]> => {
  const text = `query ($filter: NoteFilter) { notes(filter: $filter, orderBy: [{ label: ASC }]) { nodes { label } } }`;
  return (await user.query(text, { filter })).notes.nodes.map((node: Anything) => node.label);
};
const read = `{ notes(orderBy: [{ label: ASC }]) { nodes { label about { __typename ... on Client { name } ... on Project { name } } } } }`;

it('shows nothing at a record that may not be seen, and takes none as a target', async () => {
  await hold('client', { rowFilter: { isOpen: { eq: true } } });
  const about = Object.fromEntries(
    (await user.query(read)).notes.nodes.map((node: Anything) => [node.label, node.about?.name ?? null]),
  );
  expect(about).toEqual({
    'open client': 'open client',
    'closed client': null,
    'open project': 'open project',
    'closed project': 'closed project',
  });
  expect(await labels({ about: { client: {} } })).toEqual(['open client']);
  expect(await labels({ about: { client: { isNot: {} } } })).toEqual([
    'closed client',
    'closed project',
    'open project',
  ]);
  // Neither nested nor by id, in the words for a record that never was.
  const text = `mutation ($input: CreateNoteInput!) { createNote(input: $input) { id } }`;
  const hide = (refusal: unknown): string => JSON.stringify(refusal).replaceAll(/[0-9a-f-]{36}/g, 'ID');
  for (const inputOf of [
    (id: string) => ({ about: { connect: { client: id } } }),
    (id: string) => ({ aboutId: id, aboutType: 'CLIENT' }),
  ]) {
    const hidden = await user.refusal(text, { input: inputOf(ids['closed client'] as string) });
    expect(hidden.code).toBe('BAD_USER_INPUT');
    expect(hide(hidden)).toBe(hide(await user.refusal(text, { input: inputOf(randomUUID()) })));
  }
  await create(user, 'Note', { about: { connect: { client: ids['open client'] } } });
});

it('shows nothing at an entity that may not be read, and refuses to ask of it', async () => {
  await hold('client', { operations: ['CREATE'] });
  const { notes } = await user.query(
    `{ notes(orderBy: [{ label: ASC }]) { nodes { label about { __typename ... on Project { name } } } } }`,
  );
  expect(notes.nodes.map((node: Anything) => node.about?.name ?? null)).toEqual([
    null,
    'closed project',
    null,
    'open project',
  ]);
  for (const query of [
    read,
    `{ notes(filter: { about: { client: {} } }) { totalCount } }`,
    `{ notes(filter: { not: { about: { client: { name: { eq: "x" } } } } }) { totalCount } }`,
    `{ clients { totalCount } }`,
  ])
    expect(await user.refusal(query), query).toMatchObject({ code: 'FORBIDDEN' });
});

it('lets no hidden field of a target out, and none of the relation itself', async () => {
  await hold('client', { readableFields: ['name'] });
  for (const query of [
    `{ notes { nodes { about { ... on Client { secret } } } } }`,
    `{ notes { nodes { about { ...F } } } } fragment F on Client { secret }`,
    `{ notes(filter: { about: { client: { secret: { eq: "s" } } } }) { totalCount } }`,
    `{ projects(filter: { notes: { some: { about: { client: { secret: { eq: "s" } } } } } }) { totalCount } }`,
  ]) {
    const refusal = await user.refusal(query);
    expect(refusal, query).toMatchObject({ code: 'FORBIDDEN' });
    expect(refusal.message).toContain('"secret" of "client"');
  }
  await user.query(`{ notes { nodes { about { ... on Project { secret } ... on Client { name } } } } }`);

  await hold('note', { readableFields: ['label'] });
  for (const query of [
    `{ notes { nodes { about { __typename } } } }`,
    `{ notes { nodes { aboutId } } }`,
    `{ notes { nodes { aboutType } } }`,
    `{ notes(filter: { aboutType: { eq: CLIENT } }) { totalCount } }`,
    `{ notes(filter: { aboutId: { isNull: true } }) { totalCount } }`,
    `{ notes(filter: { about: { isNull: true } }) { totalCount } }`,
    `{ notes(filter: { about: { project: {} } }) { totalCount } }`,
    `{ notesAggregate(groupBy: [{ aboutType: true }]) { count } }`,
    `{ notesAggregate(groupBy: [{ aboutId: true }]) { count } }`,
    `{ notesAggregate { countDistinct { aboutId } } }`,
    `{ projects { nodes { notes { totalCount } } } }`,
    `{ projects(filter: { notes: { some: {} } }) { totalCount } }`,
    `{ projects(orderBy: [{ pin: { label: ASC } }]) { totalCount } }`,
    `{ clients { nodes { name notes(orderBy: [{ createdAt: ASC }]) { totalCount } } } }`,
    `{ records(entity: "note", filter: { aboutType: { eq: "CLIENT" } }) { totalCount } }`,
  ])
    expect(await user.refusal(query), query).toMatchObject({ code: 'FORBIDDEN' });
  const { records } = await user.query(`{ records(entity: "note", first: 1) { nodes { data } } }`);
  expect(records.nodes[0].data).toEqual({ label: 'open client' });
  await hold('note', { readableFields: ['about', 'pinnedTo'] });
  const order = await user.refusal(`{ projects(orderBy: [{ pin: { label: ASC } }]) { totalCount } }`);
  expect(order).toMatchObject({ code: 'FORBIDDEN' });
});

it('lets nobody write the relation who may not, by none of its members', async () => {
  await hold('note', { writableFields: ['label'] });
  const { notes } = await user.query(`{ notes { nodes { id } } }`);
  const [{ id }] = notes.nodes;
  const text = `mutation ($id: ID!, $data: JSON!) { updateRecord(entity: "note", id: $id, data: $data) { id } }`;
  const client = ids['open client'];
  for (const data of [
    { about: null },
    { about: { connect: { client } } },
    { about: { disconnect: true } },
    { about: { create: { client: { name: 'x' } } } },
    { aboutId: null },
    { aboutType: null },
    { aboutId: client, aboutType: 'CLIENT' },
  ]) {
    const refusal = await user.refusal(text, { id, data });
    expect(refusal, JSON.stringify(data)).toMatchObject({ code: 'FORBIDDEN' });
    expect(refusal.fields[0]).toMatchObject({ rule: 'permission' });
  }
  const parent = `mutation ($id: ID!, $note: ID!) { updateProject(id: $id, input: { notes: { connect: [$note] } }) { id } }`;
  expect(await user.refusal(parent, { id: ids['open project'], note: id })).toMatchObject({
    code: 'FORBIDDEN',
  });
  const seen = await admin.query(`query ($id: ID!) { note(id: $id) { version aboutId } }`, { id });
  expect(seen.note.version).toBe(1);
});

it('chooses rows by what it points at, under whatever names', async () => {
  const rowFilter = {
    or: [
      { about: { client: { name: { startsWith: 'open' } } } },
      { and: [{ aboutType: { in: ['PROJECT'] } }, { about: { project: { isOpen: { eq: false } } } }] },
    ],
  };
  await hold('note', { rowFilter });
  const shown = async (): Promise<Anything> =>
    (await admin.query(`{ entityDefinition(name: "note") { permissions { rowFilter } } }`)).entityDefinition
      .permissions[0].rowFilter;
  expect(await shown()).toEqual(rowFilter);
  expect(await labels({})).toEqual(['closed project', 'open client']);
  await admin.query(
    `mutation { a: renameEntity(name: "client", to: "customer", keepAlias: false) { name } b: renameEntity(name: "project", to: "gig", keepAlias: false) { name } c: renameField(entity: "note", name: "about", to: "topic", keepAlias: false) { name } }`,
  );
  expect(await shown()).toEqual({
    or: [
      { topic: { customer: { name: { startsWith: 'open' } } } },
      { and: [{ topicType: { in: ['GIG'] } }, { topic: { gig: { isOpen: { eq: false } } } }] },
    ],
  });
  expect(await labels({})).toEqual(['closed project', 'open client']);
  // A document renames an entity and speaks of it in one go.
  const { exportDefinitions: document } = await admin.query(`{ exportDefinitions }`);
  const renamed = JSON.parse(
    JSON.stringify(document).replaceAll('customer', 'patron').replaceAll('Customer', 'Patron'),
  );
  const patron = renamed.entities.find((entity: Anything) => entity.name === 'patron');
  patron.aliases = [{ name: 'customer', pluralName: 'customers' }];
  await admin.query(`mutation ($of: JSON!) { applyDefinitions(definitions: $of) { losesData } }`, {
    of: renamed,
  });
  expect((await shown()).or[0]).toEqual({ topic: { patron: { name: { startsWith: 'open' } } } });
  expect(await labels({})).toEqual(['closed project', 'open client']);
  // What is written must stay within it.
  const text = `mutation ($id: ID!) { createNote(input: { topicId: $id, topicType: GIG }) { id } }`;
  expect(await user.refusal(text, { id: ids['open project'] })).toMatchObject({ code: 'FORBIDDEN' });
  await user.query(text, { id: ids['closed project'] });
});
