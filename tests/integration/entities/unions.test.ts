/** Relations to one of several entities: read, written, filtered, deleted, counted; what is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let other: EntitiesTenant;

async function define(on: EntitiesTenant): Promise<void> {
  await on.createEntity({ name: 'client', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
  await on.createEntity({ name: 'project', fields: [{ name: 'title', type: 'TEXT' }] });
  await on.createEntity({ name: 'room', fields: [{ name: 'name', type: 'TEXT' }] });
  await on.createEntity({
    name: 'activity',
    pluralName: 'activities',
    fields: [
      { name: 'label', type: 'TEXT', isRequired: true },
      { name: 'subject', type: 'RELATION', targetEntities: ['client', 'project'] },
      {
        name: 'owner',
        type: 'RELATION',
        targetEntities: ['client', 'room'],
        inverseName: null,
        onDelete: 'CASCADE',
      },
    ],
  });
}

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  [tenant, other] = await Promise.all([fixture.addTenant(), fixture.addTenant()]);
  await define(tenant);
  await define(other);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const subject = `subjectId subjectType subject { __typename ... on Client { id name } ... on Project { id title } }`;
const members = `id version label ${subject}`;

async function create(type: string, input: Anything, on = tenant, selection = 'id'): Promise<Anything> {
  const text = `mutation ($input: Create${type}Input!) { create${type}(input: $input) { ${selection} } }`;
  return (await on.query(text, { input }))[`create${type}`];
}

const createActivity = (input: Anything, on = tenant): Promise<Anything> =>
  create('Activity', input, on, members);
const createText = `mutation ($input: CreateActivityInput!) { createActivity(input: $input) { ${members} } }`;
const updateText = `mutation ($id: ID!, $input: UpdateActivityInput!) { updateActivity(id: $id, input: $input) { ${members} } }`;
const update = async (id: string, input: Anything): Promise<Anything> =>
  (await tenant.query(updateText, { id, input })).updateActivity;
const readActivity = async (id: string): Promise<Anything> =>
  (await tenant.query(`query ($id: ID!) { activity(id: $id) { ${members} } }`, { id })).activity;

const list = async (filter: Anything, on = tenant): Promise<string[]> => {
  const text = `query ($filter: ActivityFilter) { activities(filter: $filter, orderBy: [{ label: ASC }]) { nodes { label } } }`;
  return (await on.query(text, { filter })).activities.nodes.map((node: Anything) => node.label);
};

describe('what is written', () => {
  it('is connected, created and cleared, nested or by id and type', async () => {
    const client = await create('Client', { name: 'Connected' });
    const project = await create('Project', { title: 'Built' });
    const made = await createActivity({ label: 'w1', subject: { connect: { client: client.id } } });
    expect(made).toMatchObject({
      subjectId: client.id,
      subjectType: 'CLIENT',
      subject: { __typename: 'Client', id: client.id, name: 'Connected' },
    });
    const moved = await update(made.id, { subjectId: project.id, subjectType: 'PROJECT' });
    expect(moved).toMatchObject({ version: 2, subject: { __typename: 'Project', title: 'Built' } });
    const grown = await update(made.id, { subject: { create: { client: { name: 'Grown' } } } });
    expect(grown.subject).toMatchObject({ __typename: 'Client', name: 'Grown' });
    for (const clear of [
      { subject: null },
      { subjectId: null },
      { subject: { disconnect: true } },
      { subjectType: null },
    ]) {
      await update(made.id, { subjectId: client.id, subjectType: 'CLIENT' });
      expect(await update(made.id, clear)).toMatchObject({
        subjectId: null,
        subjectType: null,
        subject: null,
      });
    }
    expect(await readActivity(made.id)).toMatchObject({ version: 11, subject: null });
  });

  it('comes from the other end too, and a list takes it from wherever it was', async () => {
    const text = `mutation ($input: CreateProjectInput!) { createProject(input: $input) { id activities(orderBy: [{ label: ASC }]) { totalCount nodes { label subjectType } } } }`;
    const loose = await createActivity({ label: 'i2', subject: { create: { client: { name: 'Loser' } } } });
    const { createProject } = await tenant.query(text, {
      input: { title: 'Parent', activities: { create: [{ label: 'i1' }], connect: [loose.id] } },
    });
    expect(createProject.activities).toEqual({
      totalCount: 2,
      nodes: [
        { label: 'i1', subjectType: 'PROJECT' },
        { label: 'i2', subjectType: 'PROJECT' },
      ],
    });
    const set = `mutation ($id: ID!, $input: UpdateProjectInput!) { updateProject(id: $id, input: $input) { activities { nodes { label } } } }`;
    const { updateProject } = await tenant.query(set, {
      id: createProject.id,
      input: { activities: { set: [loose.id] } },
    });
    expect(updateProject.activities.nodes).toEqual([{ label: 'i2' }]);
    expect(await list({ label: { startsWith: 'i' }, subject: { isNull: true } })).toEqual(['i1']);
    await tenant.query(set, { id: createProject.id, input: { activities: { disconnect: [loose.id] } } });
    expect(await list({ label: { startsWith: 'i' }, subjectId: { isNull: true } })).toEqual(['i1', 'i2']);
  });

  it('is one event, with the field by its name, and stays in the history', async () => {
    const client = await create('Client', { name: 'Historic' });
    const { id } = await createActivity({ label: 'h1', subjectId: client.id, subjectType: 'CLIENT' });
    await update(id, { subject: null });
    const { activityHistory } = await tenant.query(
      `query ($id: ID!) { activityHistory(id: $id) { nodes { version changes { field from to } data } } }`,
      { id },
    );
    expect(activityHistory.nodes[0].changes).toEqual([
      { field: 'subjectType', from: 'CLIENT', to: null },
      { field: 'subjectId', from: client.id, to: null },
    ]);
    const { restoreActivityVersion } = await tenant.query(
      `mutation ($id: ID!) { restoreActivityVersion(id: $id, version: 1) { ${members} } }`,
      { id },
    );
    expect(restoreActivityVersion).toMatchObject({ version: 3, subject: { name: 'Historic' } });
  });

  it('reads and writes as JSON in the untyped twin', async () => {
    const client = await create('Client', { name: 'Untyped' });
    const { createRecord } = await tenant.query(
      `mutation ($data: JSON!) { createRecord(entity: "activity", data: $data) { id data } }`,
      { data: { label: 'u1', subjectId: client.id, subjectType: 'CLIENT' } },
    );
    expect(createRecord.data).toMatchObject({ subjectId: client.id, subjectType: 'CLIENT' });
    const { records } = await tenant.query(
      `query ($filter: JSON) { records(entity: "activity", filter: $filter) { nodes { id } } }`,
      { filter: { subject: { client: { name: { eq: 'Untyped' } } } } },
    );
    expect(records.nodes).toEqual([{ id: createRecord.id }]);
  });
});

describe('what is refused', () => {
  it('is an id of nothing, of another tenant, of another entity than named, in the same words', async () => {
    const foreign = await create('Client', { name: 'Foreign' }, other);
    const project = await create('Project', { title: 'Not a client' });
    const room = await create('Room', { name: 'Not in the list' });
    const unknown = '018f0000-0000-7000-8000-000000000000';
    for (const id of [foreign.id, project.id, room.id, unknown]) {
      for (const input of [
        { subject: { connect: { client: id } } },
        { subjectId: id, subjectType: 'CLIENT' },
      ]) {
        const refusal = await tenant.refusal(createText, { input: { label: 'x', ...input } });
        const field = 'subject' in input ? 'subject.connect.client' : 'subjectId';
        expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field, rule: 'relation' }] });
        expect(refusal.fields[0]?.message).toBe(`${field}: there is no Client with the id ${id}`);
      }
    }
    expect(await list({ label: { eq: 'x' } })).toEqual([]);
  });

  it('is an entity that is not in the list, half of a pair, both ways at once, and two at once', async () => {
    const { id } = await create('Client', { name: 'Half' });
    const on = (input: Anything): Promise<Anything> =>
      tenant.refusal(`mutation ($data: JSON!) { createRecord(entity: "activity", data: $data) { id } }`, {
        data: { label: 'x', ...input },
      });
    const cases: [Anything, string, string][] = [
      [{ subjectId: id, subjectType: 'ROOM' }, 'subjectType', 'option'],
      [{ subjectId: id, subjectType: { client: 1 } }, 'subjectType', 'option'],
      [{ subjectId: id }, 'subjectType', 'required'],
      [{ subjectType: 'CLIENT' }, 'subjectId', 'required'],
      [{ subjectId: `${id}/${id}`, subjectType: 'CLIENT' }, 'subjectId', 'relation'],
      [
        { subjectId: id, subjectType: 'CLIENT', subject: { connect: { client: id } } },
        'subjectId',
        'duplicate',
      ],
      [{ subject: { connect: { room: id } } }, 'subject', 'relation'],
      [{ subject: { connect: { client: id, project: id } } }, 'subject', 'relation'],
      [
        { subject: { create: { client: { name: 'a' }, project: { title: 'b' } } } },
        'subject.create',
        'relation',
      ],
      [{ subject: { create: { room: { name: 'a' } } } }, 'subject.create', 'relation'],
      [{ subject: id }, 'subject', 'relation'],
      [{ subject: { connect: { client: 'nobody' } } }, 'subject.connect.client', 'relation'],
    ];
    for (const [input, field, rule] of cases) {
      const refusal = await on(input);
      expect(refusal, JSON.stringify(input)).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ field, rule }],
      });
    }
  });

  it('is a reference to a record under the type of another', async () => {
    const client = await create('Client', { name: 'Forged' });
    const text = `query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Client { name } ... on Project { title } } }`;
    const of = [
      { __typename: 'Client', id: client.id },
      { __typename: 'Project', id: client.id },
    ];
    const { _entities } = await tenant.query(text, { of });
    expect(_entities).toEqual([{ __typename: 'Client', name: 'Forged' }, null]);
    expect((await other.query(text, { of }))._entities).toEqual([null, null]);
    const forged = await tenant.send(text, { of: [{ __typename: 'ActivitySubject', id: client.id }] });
    expect(forged.errors).toHaveLength(1);
  });
});

describe('reading', () => {
  it('takes one statement for each entity at the other end, however many records there are', async () => {
    const clients = await Promise.all([1, 2, 3].map((n) => create('Client', { name: `Counted ${n}` })));
    const projects = await Promise.all([1, 2, 3].map((n) => create('Project', { title: `Counted ${n}` })));
    for (const { id } of clients)
      await createActivity({ label: 'counted', subjectId: id, subjectType: 'CLIENT' });
    for (const { id } of projects)
      await createActivity({ label: 'counted', subjectId: id, subjectType: 'PROJECT' });
    const { result, statements } = await fixture.countStatements(() =>
      tenant.query(`{ activities(filter: { label: { eq: "counted" } }) { nodes { ${subject} } } }`),
    );
    expect(result.activities.nodes.map((node: Anything) => node.subject.__typename).toSorted()).toEqual([
      ...Array(3).fill('Client'),
      ...Array(3).fill('Project'),
    ]);
    expect(statements).toHaveLength(3);
    const deep = await fixture.countStatements(() =>
      tenant.query(
        `{ clients(filter: { name: { startsWith: "Counted" } }, orderBy: [{ name: ASC }]) { nodes { name activities(first: 2, filter: { label: { eq: "counted" } }, orderBy: [{ createdAt: DESC }]) { totalCount nodes { subject { ... on Client { name activities { nodes { label } } } } } } } } }`,
      ),
    );
    expect(deep.result.clients.nodes.map((node: Anything) => node.activities.nodes[0].subject.name)).toEqual([
      'Counted 1',
      'Counted 2',
      'Counted 3',
    ]);
    // The list, the inverse, its counts, the clients of the activities, their activities.
    expect(deep.statements).toHaveLength(5);
  });

  it('pages an inverse for each parent', async () => {
    const clients = await Promise.all([1, 2].map((n) => create('Client', { name: `Paged ${n}` })));
    for (const { id } of clients)
      for (const n of [1, 2, 3])
        await createActivity({ label: `p${n}`, subject: { connect: { client: id } } });
    const text = `query ($after: String) { clients(filter: { name: { startsWith: "Paged" } }) { nodes { activities(first: 2, after: $after, orderBy: [{ label: DESC }]) { pageInfo { hasNextPage endCursor } nodes { label } } } } }`;
    const { clients: first } = await tenant.query(text);
    for (const { activities } of first.nodes) {
      expect(activities.nodes).toEqual([{ label: 'p3' }, { label: 'p2' }]);
      expect(activities.pageInfo.hasNextPage).toBe(true);
    }
    const { clients: next } = await tenant.query(text, {
      after: first.nodes[0].activities.pageInfo.endCursor,
    });
    expect(next.nodes[0].activities.nodes).toEqual([{ label: 'p1' }]);
  });
});

describe('choosing', () => {
  it('goes by what it is, by its id, and by the other record', async () => {
    const client = await create('Client', { name: 'Filter Ltd' });
    const project = await create('Project', { title: 'Filter it' });
    await createActivity({ label: 'f-client', subjectId: client.id, subjectType: 'CLIENT' });
    await createActivity({ label: 'f-project', subjectId: project.id, subjectType: 'PROJECT' });
    await createActivity({ label: 'f-none' });
    const of = async (filter: Anything): Promise<string[]> =>
      list({ and: [{ label: { startsWith: 'f-' } }, filter] });
    expect(await of({ subjectType: { eq: 'CLIENT' } })).toEqual(['f-client']);
    expect(await of({ subjectType: { ne: 'CLIENT' } })).toEqual(['f-none', 'f-project']);
    expect(await of({ subjectType: { in: ['CLIENT', 'PROJECT'] } })).toEqual(['f-client', 'f-project']);
    expect(await of({ subjectType: { isNull: true } })).toEqual(['f-none']);
    expect(await of({ subjectId: { eq: project.id } })).toEqual(['f-project']);
    expect(await of({ subjectId: { notIn: [project.id] } })).toEqual(['f-client', 'f-none']);
    expect(await of({ subject: { client: { name: { eq: 'Filter Ltd' } } } })).toEqual(['f-client']);
    expect(await of({ subject: { client: {} } })).toEqual(['f-client']);
    expect(await of({ subject: { client: { isNot: { name: { eq: 'Filter Ltd' } } } } })).toEqual([
      'f-none',
      'f-project',
    ]);
    expect(await of({ not: { subject: { project: { title: { contains: 'it' } } } } })).toEqual([
      'f-client',
      'f-none',
    ]);
    expect(await of({ subject: { client: {}, project: {} } })).toEqual([]);
    expect(await of({ or: [{ subject: { client: {} } }, { subject: { project: {} } }] })).toEqual([
      'f-client',
      'f-project',
    ]);
    expect(await of({ subject: { isNull: false } })).toEqual(['f-client', 'f-project']);
    const clients = async (activities: Anything): Promise<string[]> => {
      const text = `query ($filter: ClientFilter) { clients(filter: $filter) { nodes { name } } }`;
      const filter = { name: { eq: 'Filter Ltd' }, activities };
      return (await tenant.query(text, { filter })).clients.nodes.map((node: Anything) => node.name);
    };
    expect(await clients({ some: { label: { eq: 'f-client' } } })).toEqual(['Filter Ltd']);
    expect(await clients({ some: { label: { eq: 'f-project' } } })).toEqual([]);
    expect(await clients({ every: { label: { startsWith: 'f-' } } })).toEqual(['Filter Ltd']);
    expect(await clients({ none: {} })).toEqual([]);
  });

  it('groups by what it is, and says why lists have no order by it', async () => {
    const { activitiesAggregate } = await tenant.query(
      `{ activitiesAggregate(filter: { label: { startsWith: "f-" } }, groupBy: [{ subjectType: true }], orderBy: [{ count: DESC }]) { group { subjectType } count countDistinct { subjectId } } }`,
    );
    expect(activitiesAggregate).toHaveLength(3);
    expect(activitiesAggregate).toContainEqual({
      group: { subjectType: 'CLIENT' },
      count: 1,
      countDistinct: { subjectId: 1 },
    });
    const refusal = await tenant.refusal(
      `{ records(entity: "activity", orderBy: [{ field: "subject.name", direction: ASC }]) { nodes { id } } }`,
    );
    expect(refusal).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'orderBy.0.subject', rule: 'union' }],
    });
    const unknown = await tenant.refusal(
      `{ records(entity: "activity", filter: { subject: { room: {} } }) { nodes { id } } }`,
    );
    expect(unknown.fields).toMatchObject([{ field: 'filter.subject.room', rule: 'unknown' }]);
  });
});

const holders = 'filter: { name: { startsWith: "Holder" } }';

describe('deleting a target', () => {
  const remove = async (type: string, id: string): Promise<void> => {
    await tenant.query(`mutation ($id: ID!) { delete${type}(id: $id) { id } }`, { id });
  };

  it('clears the relation, or takes its record along, from each target', async () => {
    for (const [type, input] of [
      ['Client', { name: 'Gone' }],
      ['Project', { title: 'Gone' }],
    ] as const) {
      const { id } = await create(type, input);
      const kept = await createActivity({ label: 'd1', subjectId: id, subjectType: type.toUpperCase() });
      await remove(type, id);
      expect(await readActivity(kept.id)).toMatchObject({ version: 2, subjectId: null, subjectType: null });
    }
    const room = await create('Room', { name: 'Gone' });
    const owned = await createActivity({ label: 'd2', ownerId: room.id, ownerType: 'ROOM' });
    await remove('Room', room.id);
    expect(await readActivity(owned.id)).toBeNull();
    // With its target gone, it cannot come back.
    const restore = `mutation ($id: ID!) { restoreActivity(id: $id) { id } }`;
    expect(await tenant.refusal(restore, { id: owned.id })).toMatchObject({ code: 'CONFLICT' });
    await tenant.query(`mutation ($id: ID!) { restoreRoom(id: $id) { id } }`, { id: room.id });
    await tenant.query(restore, { id: owned.id });
    expect(await readActivity(owned.id)).toMatchObject({ label: 'd2' });
  });

  it('is refused where the relation is required', async () => {
    await tenant.createEntity({
      name: 'note',
      fields: [{ name: 'about', type: 'RELATION', targetEntities: ['client', 'project'], isRequired: true }],
    });
    const missing = await tenant.refusal(`mutation { createNote(input: {}) { id } }`);
    expect(missing.fields).toMatchObject([{ field: 'aboutId', rule: 'required' }]);
    const { id } = await create('Client', { name: 'Noted' });
    await create('Note', { aboutId: id, aboutType: 'CLIENT' });
    const refusal = await tenant.refusal(`mutation ($id: ID!) { deleteClient(id: $id) { id } }`, { id });
    expect(refusal).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'about', rule: 'onDelete' }] });
    const text = `mutation ($id: ID!) { updateNote(id: $id, input: { about: null }) { id } }`;
    const { notes } = await tenant.query(`{ notes { nodes { id } } }`);
    expect((await tenant.refusal(text, { id: notes.nodes[0].id })).fields).toMatchObject([
      { rule: 'required' },
    ]);
  });

  it('leaves one for each target where it is unique', async () => {
    await tenant.createEntity({
      name: 'badge',
      fields: [
        { name: 'code', type: 'TEXT' },
        { name: 'holder', type: 'RELATION', targetEntities: ['client', 'room'], isUnique: true },
      ],
    });
    const client = await create('Client', { name: 'Holder', badge: { create: { code: 'A' } } });
    const taken = await tenant.refusal(
      `mutation ($id: ID!) { createBadge(input: { code: "B", holderId: $id, holderType: CLIENT }) { id } }`,
      { id: client.id },
    );
    expect(taken).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'holderId', rule: 'unique' }] });
    const { client: read } = await tenant.query(
      `query ($id: ID!) { client(id: $id) { badge { code holderType } } }`,
      {
        id: client.id,
      },
    );
    expect(read.badge).toEqual({ code: 'A', holderType: 'CLIENT' });

    // Lists of the targets come in the order of what points at each, in one statement.
    await create('Client', { name: 'Holder of B', badge: { create: { code: 'B' } } });
    await create('Client', { name: 'Holder of none' });
    const { result, statements } = await fixture.countStatements(() =>
      tenant.query(
        `{ up: clients(${holders}, orderBy: [{ badge: { code: ASC_NULLS_FIRST } }]) { nodes { name } } }`,
      ),
    );
    expect(result.up.nodes.map((node: Anything) => node.name)).toEqual([
      'Holder of none',
      'Holder',
      'Holder of B',
    ]);
    expect(statements).toHaveLength(1);
    const order = `orderBy: [{ badge: { code: DESC_NULLS_LAST } }]`;
    const page = async (after: string | null): Promise<Anything> =>
      (
        await tenant.query(
          `query ($after: String) { clients(first: 1, after: $after, ${holders}, ${order}) { nodes { name } pageInfo { endCursor } } }`,
          { after },
        )
      ).clients;
    const seen: string[] = [];
    for (let at: Anything = await page(null); at.nodes.length > 0; at = await page(at.pageInfo.endCursor))
      seen.push(at.nodes[0].name);
    expect(seen).toEqual(['Holder of B', 'Holder', 'Holder of none']);
    const refusal = await tenant.refusal(
      `{ records(entity: "client", orderBy: [{ field: "activities.label", direction: ASC }]) { nodes { id } } }`,
    );
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'orderBy.0.activities' }] });
  });
});
