/** Definitions of relations to one of several entities: what may be said, what changes afterwards, what others know them by. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  for (const name of ['client', 'project', 'room'])
    await tenant.createEntity({ name, fields: [{ name: 'name', type: 'TEXT' }] });
});

const about = { name: 'about', type: 'RELATION', targetEntities: ['client', 'project'] };
const define = (field: Anything = about): Promise<Anything> =>
  tenant.createEntity({ name: 'note', fields: [{ name: 'label', type: 'TEXT' }, field] });
const createField = `mutation ($input: FieldInput!) { createField(entity: "note", input: $input) { name } }`;
const updateField = `mutation ($input: UpdateFieldInput!) { updateField(entity: "note", name: "about", input: $input) { targetEntity targetEntities } }`;
const setTargets = (...targetEntities: string[]): Promise<Anything> =>
  tenant.query(updateField, { input: { targetEntities } });
const create = async (type: string, input: Anything): Promise<string> => {
  const text = `mutation ($input: Create${type}Input!) { create${type}(input: $input) { id } }`;
  return (await tenant.query(text, { input }))[`create${type}`].id;
};
const notes = async (): Promise<Anything[]> =>
  (
    await tenant.query(
      `{ notes(orderBy: [{ label: ASC }]) { nodes { label aboutId aboutType about { __typename } } } }`,
    )
  ).notes.nodes;
const namesOf = async (type: string, members: 'fields' | 'inputFields' | 'enumValues' | 'possibleTypes') => {
  const { __type } = await tenant.query(`{ __type(name: "${type}") { ${members} { name } } }`);
  return (__type?.[members] ?? []).map((member: { name: string }) => member.name);
};

it('puts the union, its enum and its inputs into the graph, and its list on each target', async () => {
  await define();
  expect(await namesOf('NoteAbout', 'possibleTypes')).toEqual(['Client', 'Project']);
  expect(await namesOf('NoteAboutType', 'enumValues')).toEqual(['CLIENT', 'PROJECT']);
  expect(await namesOf('NoteAboutFilter', 'inputFields')).toEqual(['client', 'project', 'isNull']);
  expect(await namesOf('NoteAboutConnectInput', 'inputFields')).toEqual(['client', 'project']);
  expect(await namesOf('NoteOrder', 'inputFields')).not.toContain('about');
  for (const type of ['Client', 'Project']) expect(await namesOf(type, 'fields')).toContain('notes');
  expect(await namesOf('Room', 'fields')).not.toContain('notes');
  const { entityDefinition } = await tenant.query(
    `{ entityDefinition(name: "note") { fields { name targetEntity targetEntities inverseName onDelete isIndexed isSortable } } }`,
  );
  expect(entityDefinition.fields[1]).toEqual({
    name: 'about',
    targetEntity: null,
    targetEntities: ['client', 'project'],
    inverseName: 'notes',
    onDelete: 'SET_NULL',
    isIndexed: true,
    isSortable: false,
  });
});

it('refuses what cannot be, and names that would meet', async () => {
  await define();
  const cases: [Anything, string, string][] = [
    [{ targetEntities: ['client'] }, 'targetEntities', 'minLength'],
    [{ targetEntities: [] }, 'targetEntities', 'minLength'],
    [{ targetEntities: ['client', 'client'] }, 'targetEntities', 'unique'],
    [{ targetEntities: ['client', 'nothing'] }, 'targetEntities', 'exists'],
    [{ targetEntities: ['client', 'project'], targetEntity: 'room' }, 'targetEntities', 'duplicate'],
    [{ targetEntities: ['client', 'project'], type: 'MULTI_RELATION' }, 'targetEntities', 'type'],
    [{ targetEntities: ['client', 'project'], type: 'TEXT' }, 'targetEntities', 'type'],
    [{ targetEntities: ['client', 'project'], isSortable: true }, 'isSortable', 'type'],
    [{ targetEntities: ['client', 'project'], defaultValue: 'x' }, 'defaultValue', 'type'],
    [
      { targetEntities: ['client', 'project'], isRequired: true, onDelete: 'SET_NULL' },
      'onDelete',
      'required',
    ],
  ];
  for (const [input, field, rule] of cases) {
    const refusal = await tenant.refusal(createField, {
      input: { name: 'more', type: 'RELATION', ...input },
    });
    expect(refusal.fields, JSON.stringify(input)).toContainEqual(expect.objectContaining({ field, rule }));
  }
  // Its members, its types, its enum's values, and the lists on its targets.
  const clashes: [string, Anything][] = [
    [createField, { input: { name: 'aboutType', type: 'TEXT' } }],
    [createField, { input: { name: 'aboutId', type: 'TEXT' } }],
    [createField, { input: { ...about, name: 'other', inverseName: 'name' } }],
  ];
  for (const [text, variables] of clashes)
    expect(await tenant.refusal(text, variables)).toMatchObject({ code: 'CONFLICT' });
  const entity = `mutation ($name: String!) { createEntity(input: { name: $name }) { name } }`;
  for (const name of ['noteAbout', 'noteAboutType', 'noteAboutFilter', 'noteAboutConnectInput'])
    expect(await tenant.refusal(entity, { name })).toMatchObject({ code: 'CONFLICT' });
  await tenant.createEntity({ name: 'roomOne' });
  await tenant.createEntity({ name: 'room_one' });
  const equal = { ...about, name: 'where', targetEntities: ['roomOne', 'room_one'], inverseName: null };
  expect((await tenant.refusal(createField, { input: equal })).message).toContain('ROOM_ONE');
});

it('gains a target at once, and loses one only while no record refers to it', async () => {
  await define();
  const room = await create('Room', { name: 'r' });
  const project = await create('Project', { name: 'p' });
  expect((await setTargets('client', 'project', 'room')).updateField).toEqual({
    targetEntity: null,
    targetEntities: ['client', 'project', 'room'],
  });
  const note = await create('Note', { label: 'a', aboutId: room, aboutType: 'ROOM' });
  const refusal = await tenant.refusal(updateField, { input: { targetEntities: ['client', 'project'] } });
  expect(refusal).toMatchObject({
    code: 'CONFLICT',
    fields: [{ field: 'targetEntities', rule: 'unchanged' }],
  });
  expect(refusal.message).toContain('1 records refer to');
  // The plan counts them beforehand.
  const { exportDefinitions: document } = await tenant.query(`{ exportDefinitions }`);
  const wanted = structuredClone(document);
  wanted.entities.at(-1).fields[1].targetEntities = ['client', 'project'];
  const { planDefinitions } = await tenant.query(
    `query ($of: JSON!) { planDefinitions(definitions: $of) { losesData steps { kind field changes lostValues } } }`,
    { of: wanted },
  );
  expect(planDefinitions).toMatchObject({
    losesData: true,
    steps: [{ kind: 'UPDATE', field: 'about', lostValues: 1 }],
  });
  await tenant.query(
    `mutation ($id: ID!, $to: ID!) { updateNote(id: $id, input: { aboutId: $to, aboutType: PROJECT }) { id } }`,
    { id: note, to: project },
  );
  await setTargets('project', 'client');
  expect(await namesOf('NoteAbout', 'possibleTypes')).toEqual(['Project', 'Client']);
  expect(await notes()).toMatchObject([{ aboutType: 'PROJECT' }]);
  const single = await tenant.refusal(
    `mutation { updateField(entity: "note", name: "label", input: { targetEntities: ["client", "room"] }) { name } }`,
  );
  expect(single.fields).toMatchObject([{ field: 'targetEntities', rule: 'unchanged' }]);
});

it('knows a target by its new name, and takes the old one', async () => {
  await define();
  const id = await create('Client', { name: 'c' });
  await create('Note', { label: 'old', aboutId: id, aboutType: 'CLIENT' });
  await tenant.query(`mutation { renameEntity(name: "client", to: "customer") { name } }`);
  expect(await notes()).toEqual([
    { label: 'old', aboutId: id, aboutType: 'CUSTOMER', about: { __typename: 'Customer' } },
  ]);
  for (const input of [
    { label: 'o1', aboutId: id, aboutType: 'CLIENT' },
    { label: 'o2', about: { connect: { client: id } } },
    { label: 'o3', about: { create: { client: { name: 'x' } } } },
    { label: 'o4', about: { connect: { customer: id } } },
  ])
    await create('Note', input);
  const { old, now } = await tenant.query(
    `{ old: notes(filter: { about: { client: { name: { eq: "c" } } }, aboutType: { eq: CLIENT } }) { totalCount } now: notes(filter: { about: { customer: { name: { eq: "c" } } }, aboutType: { eq: CUSTOMER } }) { totalCount } }`,
  );
  expect(old).toEqual(now);
  expect(now).toEqual({ totalCount: 4 });
  // The relation itself, renamed, is read and written under both names.
  await tenant.query(`mutation { renameField(entity: "note", name: "about", to: "topic") { name } }`);
  const under = `notes(filter: { label: { eq: "old" } }) { nodes { aboutType about { __typename } topicType topicId topic { ... on Customer { name } } } }`;
  expect((await tenant.query(`{ ${under} }`)).notes.nodes).toEqual([
    {
      aboutType: 'CUSTOMER',
      about: { __typename: 'Customer' },
      topicType: 'CUSTOMER',
      topicId: id,
      topic: { name: 'c' },
    },
  ]);
  await create('Note', { label: 'n', aboutId: id, aboutType: 'CUSTOMER' });
  await create('Note', { label: 'n', topic: { connect: { customer: id } } });
});

it('reads nothing at what is not active, and keeps it', async () => {
  await define();
  const client = await create('Client', { name: 'c' });
  const project = await create('Project', { name: 'p' });
  await create('Note', { label: '1', aboutId: client, aboutType: 'CLIENT' });
  await create('Note', { label: '2', aboutId: project, aboutType: 'PROJECT' });
  const setActive = (name: string, isActive: boolean): Promise<Anything> =>
    tenant.query(
      `mutation ($name: String!, $isActive: Boolean!) { updateEntity(name: $name, input: { isActive: $isActive }) { name } }`,
      { name, isActive },
    );
  await setActive('client', false);
  expect(await namesOf('NoteAboutType', 'enumValues')).toEqual(['PROJECT']);
  expect(await notes()).toEqual([
    { label: '1', aboutId: null, aboutType: null, about: null },
    { label: '2', aboutId: project, aboutType: 'PROJECT', about: { __typename: 'Project' } },
  ]);
  const { some, none, byId, groups } = await tenant.query(
    `query ($id: ID!) { some: notes(filter: { aboutId: { isNull: false } }) { nodes { label } } none: notes(filter: { about: { isNull: true } }) { nodes { label } } byId: notes(filter: { aboutId: { eq: $id } }) { nodes { label } } groups: notesAggregate(groupBy: [{ aboutType: true }]) { count group { aboutType } } }`,
    { id: client },
  );
  expect([some.nodes, none.nodes, byId.nodes]).toEqual([[{ label: '2' }], [{ label: '1' }], []]);
  expect(groups.map((group: Anything) => group.group.aboutType).toSorted()).toEqual(['PROJECT', null]);
  await setActive('project', false);
  expect(await namesOf('Note', 'fields')).not.toContain('about');
  await setActive('project', true);
  await setActive('client', true);
  expect(await notes()).toMatchObject([{ aboutType: 'CLIENT' }, { aboutType: 'PROJECT' }]);
});

it('keeps an entity that it names, and goes as code into another tenant', async () => {
  await define();
  const refusal = await tenant.refusal(`mutation { deleteEntity(name: "client") }`);
  expect(refusal).toMatchObject({ code: 'CONFLICT' });
  expect(refusal.message).toContain('note.about');
  const { exportDefinitions: document } = await tenant.query(`{ exportDefinitions }`);
  const second = await fixture.addTenant();
  const apply = `mutation ($of: JSON!) { applyDefinitions(definitions: $of) { steps { kind entity field changes } } }`;
  await second.query(apply, { of: document });
  expect((await second.query(`{ exportDefinitions }`)).exportDefinitions).toEqual(document);
  expect((await second.query(apply, { of: document })).applyDefinitions.steps).toEqual([]);
  // A target and its entity go in one document, and another comes.
  const changed = structuredClone(document);
  changed.entities.shift();
  changed.entities.push({ name: 'place', pluralName: 'places', fields: [] });
  const field = changed.entities.find((entity: Anything) => entity.name === 'note').fields[1];
  field.targetEntities = ['place', 'project'];
  const { applyDefinitions } = await second.query(apply.replace('$of)', '$of, allowLoss: true)'), {
    of: changed,
  });
  expect(applyDefinitions.steps).toContainEqual({
    kind: 'UPDATE',
    entity: 'note',
    field: 'about',
    changes: ['targetEntities: ["client","project"] → ["place","project"]'],
  });
  expect(
    (await second.query(`{ entityDefinitions { name } }`)).entityDefinitions.map((one: Anything) => one.name),
  ).toEqual(['project', 'room', 'note', 'place']);
});
