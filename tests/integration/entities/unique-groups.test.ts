/** Groups of fields that are unique together: found, upserted, refused, deleted, made for records that exist. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let alpha: string;
let beta: string;

const projectAndNumber = { name: 'projectAndNumber', fields: ['project', 'number'] };
const groups = `uniqueGroups { name fields state backfill { state done total failure duplicates { value recordIds } } }`;

async function define(of: EntitiesTenant, uniqueGroups: object[]): Promise<void> {
  await of.createEntity({ name: 'project', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] });
  await of.createEntity({
    name: 'order',
    fields: [
      { name: 'number', type: 'INTEGER' },
      { name: 'title', type: 'TEXT' },
      { name: 'email', type: 'EMAIL' },
      { name: 'project', type: 'RELATION', targetEntity: 'project' },
    ],
    uniqueGroups,
  });
}

async function createProject(name: string, of = tenant): Promise<string> {
  const { createProject: made } = await of.query(
    `mutation ($name: String) { createProject(input: { name: $name }) { id } }`,
    { name },
  );
  return made.id;
}
const create = `mutation ($input: CreateOrderInput!) { createOrder(input: $input) { id number version } }`;
const createOrder = async (input: object, of = tenant): Promise<Anything> =>
  (await of.query(create, { input })).createOrder;
const createOrders = async (inputs: object[]): Promise<Anything[]> =>
  (
    await tenant.query(
      `mutation ($inputs: [CreateOrderInput!]!) { createOrders(inputs: $inputs) { id title } }`,
      { inputs },
    )
  ).createOrders;
const setGroups = `mutation ($groups: [UniqueGroupInput!]) { updateEntity(name: "order", input: { uniqueGroups: $groups }) { ${groups} } }`;
const groupsOf = async (of = tenant): Promise<Anything[]> =>
  (await of.query(`{ entityDefinition(name: "order") { ${groups} } }`)).entityDefinition.uniqueGroups;
const find = `query ($project: ID!, $number: Int!) { orderByProjectAndNumber(projectId: $project, number: $number) { id title } }`;
const upsert = `mutation ($input: CreateOrderInput!) { upsertOrder(on: PROJECT_AND_NUMBER, input: $input) { id title version } }`;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

describe('a group of a new entity', () => {
  beforeEach(async () => {
    await define(tenant, [projectAndNumber]);
    [alpha, beta] = [await createProject('Alpha'), await createProject('Beta')];
  });

  it('is in the definition, finds a record, and keeps a second one out', async () => {
    expect(await groupsOf()).toEqual([{ ...projectAndNumber, state: 'DONE', backfill: null }]);
    const first = await createOrder({ projectId: alpha, number: 1, title: 'a' });
    await createOrder({ projectId: beta, number: 1 });
    await createOrder({ projectId: alpha, number: 2 });
    expect((await tenant.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber).toEqual({
      id: first.id,
      title: 'a',
    });
    expect((await tenant.query(find, { project: beta, number: 2 })).orderByProjectAndNumber).toBeNull();
    const { errors } = await tenant.send(create, { input: { projectId: alpha, number: 1 } });
    const message = 'projectId and number are already taken together (projectAndNumber)';
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      uniqueGroups: ['projectAndNumber'],
      fields: [
        { field: 'projectId', rule: 'unique', message },
        { field: 'number', rule: 'unique', message },
      ],
    });
  });

  it('says nothing of records without one of the values', async () => {
    await createOrders([{ number: 1 }, { number: 1 }, { projectId: alpha }, { projectId: alpha }]);
    const [order] = await createOrders([{ projectId: alpha, number: 1 }]);
    await createOrders([{ projectId: alpha, number: null }]);
    expect((await tenant.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber.id).toBe(
      order.id,
    );
  });

  it('is kept by updates, deletions and restores', async () => {
    const first = await createOrder({ projectId: alpha, number: 1 });
    const second = await createOrder({ projectId: alpha, number: 2 });
    const change = `mutation ($id: ID!, $input: UpdateOrderInput!) { updateOrder(id: $id, input: $input) { id } }`;
    expect(await tenant.refusal(change, { id: second.id, input: { number: 1 } })).toMatchObject({
      code: 'CONFLICT',
    });
    await tenant.query(`mutation ($id: ID!) { deleteOrder(id: $id) { id } }`, { id: first.id });
    await tenant.query(change, { id: second.id, input: { number: 1 } });
    const restore = `mutation ($id: ID!) { restoreOrder(id: $id) { id } }`;
    expect(await tenant.refusal(restore, { id: first.id })).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'projectId' }, { field: 'number' }],
    });
    // Within one batch the values may change places.
    const third = await createOrder({ projectId: alpha, number: 3 });
    await tenant.query(`mutation ($inputs: [UpdateOrdersInput!]!) { updateOrders(inputs: $inputs) { id } }`, {
      inputs: [
        { id: second.id, input: { number: 3 } },
        { id: third.id, input: { number: 1 } },
      ],
    });
    expect((await tenant.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber.id).toBe(
      third.id,
    );
    // Who loses the project that was deleted has no key any more.
    await tenant.query(`mutation ($id: ID!) { deleteProject(id: $id) { id } }`, { id: alpha });
    expect((await tenant.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber).toBeNull();
  });

  it('is what an upsert goes by, alone, in batches, nested and untyped', async () => {
    const made = (await tenant.query(upsert, { input: { projectId: alpha, number: 7, title: 'a' } }))
      .upsertOrder;
    const changed = (await tenant.query(upsert, { input: { projectId: alpha, number: 7, title: 'b' } }))
      .upsertOrder;
    expect(changed).toEqual({ id: made.id, title: 'b', version: 2 });
    expect(await tenant.refusal(upsert, { input: { number: 7 } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'projectId', rule: 'required' }],
    });

    const batch = `mutation ($inputs: [CreateOrderInput!]!) { upsertOrders(on: PROJECT_AND_NUMBER, inputs: $inputs) { id title version } }`;
    const { upsertOrders } = await tenant.query(batch, {
      inputs: [
        { projectId: beta, number: 7, title: 'new' },
        { projectId: alpha, number: 7, title: 'c' },
      ],
    });
    expect(upsertOrders).toMatchObject([
      { title: 'new', version: 1 },
      { id: made.id, title: 'c', version: 3 },
    ]);
    const twice = { projectId: beta, number: 9 };
    expect((await tenant.refusal(batch, { inputs: [twice, twice] })).fields).toMatchObject([
      { field: 'inputs.1.projectId', rule: 'duplicate' },
      { field: 'inputs.1.number', rule: 'duplicate' },
    ]);

    const nested = { project: { connect: alpha }, number: 7, title: 'd' };
    expect((await tenant.query(upsert, { input: nested })).upsertOrder).toEqual({
      id: made.id,
      title: 'd',
      version: 4,
    });
    const { upsertRecord } = await tenant.query(
      `mutation ($data: JSON!) { upsertRecord(entity: "order", on: "projectAndNumber", data: $data) { id version } }`,
      { data: { projectId: alpha, number: 7, title: 'e' } },
    );
    expect(upsertRecord).toEqual({ id: made.id, version: 5 });
  });

  it('lets one of several writers win', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => tenant.send(create, { input: { projectId: alpha, number: 1 } })),
    );
    const codes = answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions['code']) ?? []);
    expect(codes).toEqual(Array.from({ length: 7 }, () => 'CONFLICT'));

    const upserts = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        tenant.query(upsert, { input: { projectId: beta, number: 1, title: `${index}` } }),
      ),
    );
    expect(new Set(upserts.map(({ upsertOrder }) => upsertOrder.id)).size).toBe(1);
    const versions = upserts.map(({ upsertOrder }) => upsertOrder.version as number);
    expect(versions.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('knows nothing of another tenant, and is for those who may write', async () => {
    await createOrder({ projectId: alpha, number: 1 });
    const other = await fixture.addTenant();
    await define(other, [projectAndNumber]);
    expect((await other.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber).toBeNull();
    const own = await createProject('Own', other);
    await createOrder({ projectId: own, number: 1 }, other);
    expect(await other.refusal(upsert, { input: { projectId: alpha, number: 1 } })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'projectId', rule: 'relation' }],
    });
    const viewer = tenant.as({ role: 'VIEWER' });
    expect(await viewer.refusal(upsert, { input: { projectId: alpha, number: 1 } })).toMatchObject({
      code: 'FORBIDDEN',
    });
    expect((await viewer.query(find, { project: alpha, number: 1 })).orderByProjectAndNumber).not.toBeNull();
    const user = tenant.as({ role: 'USER' });
    expect(await user.refusal(setGroups, { groups: [] })).toMatchObject({ code: 'FORBIDDEN' });
  });
});

it('is looked up and upserted by only where every member may be read', async () => {
  await define(tenant, [projectAndNumber]);
  alpha = await createProject('Alpha');
  await createOrder({ projectId: alpha, number: 1 });
  await tenant.query(
    `mutation { setPermissions(entity: "order", permissions: [{ role: USER, readableFields: ["number", "title"] }]) { id } }`,
  );
  const user = tenant.as({ role: 'USER' });
  const selected = find.replace('{ id title }', '{ id }');
  expect(await user.refusal(selected, { project: alpha, number: 1 })).toMatchObject({ code: 'FORBIDDEN' });
  const input = { projectId: alpha, number: 1, title: 'x' };
  expect(await user.refusal(upsert, { input })).toMatchObject({ code: 'FORBIDDEN' });
  const batch = `mutation ($inputs: [CreateOrderInput!]!) { upsertOrders(on: PROJECT_AND_NUMBER, inputs: $inputs) { id } }`;
  expect(await user.refusal(batch, { inputs: [input] })).toMatchObject({ code: 'FORBIDDEN' });
});

describe('a group of an entity with records', () => {
  beforeEach(async () => {
    await define(tenant, []);
    [alpha, beta] = [await createProject('Alpha'), await createProject('Beta')];
  });
  const idsOfGroups = async (): Promise<string[]> => {
    const { rows } = await fixture.superuser.query<{ id: string }>(
      `select g ->> 'id' as id from entity_definitions e cross join jsonb_array_elements(e.unique_groups) g where e.tenant_id = $1`,
      [tenant.id],
    );
    return rows.map(({ id }) => id);
  };
  const many = (count: number, from = 0): object[] =>
    Array.from({ length: count }, (_, index) => ({ projectId: alpha, number: from + index }));

  it('holds at once for what is written, and finds records once all were gone through', async () => {
    const [order] = await createOrders(many(700));
    await createOrders([{ number: 1 }, { number: 1 }]);
    const { updateEntity } = await tenant.query(setGroups, { groups: [projectAndNumber] });
    expect(updateEntity.uniqueGroups).toMatchObject([{ ...projectAndNumber, backfill: { total: 702 } }]);
    await fixture.service.definitions.idle();
    expect(await groupsOf()).toMatchObject([{ state: 'DONE', backfill: { state: 'DONE', done: 702 } }]);
    expect((await tenant.query(find, { project: alpha, number: 0 })).orderByProjectAndNumber.id).toBe(
      order.id,
    );
    expect(await tenant.refusal(create, { input: { projectId: alpha, number: 699 } })).toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('is refused with examples where records share values', async () => {
    const [first, second] = await createOrders([
      { projectId: alpha, number: 5, email: 'a@example.org' },
      { projectId: alpha, number: 5, email: 'A@example.org' },
      { projectId: alpha, number: 6, email: 'a@example.org' },
    ]);
    const { errors } = await tenant.send(setGroups, { groups: [projectAndNumber] });
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'uniqueGroups', rule: 'unique' }],
      duplicates: [
        {
          value: { projectId: alpha, number: '5' },
          recordIds: expect.arrayContaining([first.id, second.id]),
        },
      ],
    });
    // E-mail addresses count without regard to case, as in a key.
    const { errors: more } = await tenant.send(setGroups, {
      groups: [{ name: 'numberAndEmail', fields: ['number', 'email'] }],
    });
    expect(more?.[0]?.extensions).toMatchObject({
      duplicates: [{ value: { number: '5', email: 'a@example.org' } }],
    });
    expect(await groupsOf()).toEqual([]);
  });

  it('fails, and says why, where a writer took values before the backfill came to them', async () => {
    await createOrders(many(600));
    // Nobody goes on with it: the process that made the change ends at once.
    await using first = fixture.createService();
    const elsewhere = fixture.tenantOf(first, tenant.claims);
    await elsewhere.query(`{ orders { totalCount } }`);
    const ended = first[Symbol.asyncDispose]();
    await elsewhere.query(setGroups, { groups: [projectAndNumber] });
    await ended;
    await createOrder({ projectId: alpha, number: 599 }, elsewhere);
    const next = fixture.createService();
    const there = fixture.tenantOf(next, tenant.claims);
    await there.query(`{ orders { totalCount } }`);
    await next.definitions.idle();
    expect(await groupsOf(there)).toMatchObject([
      { state: 'FAILED', backfill: { state: 'FAILED', duplicates: [{ value: { number: 599 } }] } },
    ]);
    const keys = await fixture.superuser.query(
      'select count(*)::int as count from record_keys where tenant_id = $1 and entity_id = (select id from entity_definitions where tenant_id = $1 and name = $2)',
      [tenant.id, 'order'],
    );
    expect(keys.rows).toEqual([{ count: 0 }]);
    // It does not hold, and can be declared again once they differ.
    await createOrder({ projectId: alpha, number: 599 }, there);
    expect(await there.refusal(setGroups, { groups: [projectAndNumber] })).toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('is gone with its keys where it is left out, and made anew where its fields are others', async () => {
    await createOrders(many(3));
    await tenant.query(setGroups, { groups: [projectAndNumber] });
    await fixture.service.definitions.idle();
    const [before] = await idsOfGroups();
    const renamed = { name: 'numberInProject', fields: ['number', 'project'] };
    const { updateEntity } = await tenant.query(setGroups, { groups: [renamed] });
    // The same fields: the same keys, under another name and with the arguments in another order.
    expect(updateEntity.uniqueGroups).toMatchObject([{ ...renamed, state: 'DONE' }]);
    expect(await idsOfGroups()).toEqual([before]);
    const { orderByNumberInProject } = await tenant.query(
      `query ($project: ID!) { orderByNumberInProject(number: 1, projectId: $project) { id } }`,
      { project: alpha },
    );
    expect(orderByNumberInProject).not.toBeNull();
    const wider = { name: 'numberInProject', fields: ['number', 'project', 'title'] };
    const anew = await tenant.query(setGroups, { groups: [wider] });
    expect(anew.updateEntity.uniqueGroups).toMatchObject([{ ...wider, backfill: { total: 3 } }]);
    await fixture.service.definitions.idle();
    expect(await idsOfGroups()).not.toEqual([before]);
    await createOrder({ projectId: alpha, number: 1 });
    await tenant.query(setGroups, { groups: [] });
    const left = await fixture.superuser.query(
      `select (select count(*)::int from record_keys k join entity_definitions e on e.tenant_id = k.tenant_id and e.id = k.entity_id where k.tenant_id = $1 and e.name = 'order') as keys,
         (select count(*)::int from field_backfills where tenant_id = $1) as backfills`,
      [tenant.id],
    );
    expect(left.rows).toEqual([{ keys: 0, backfills: 0 }]);
  });
});

describe('definitions', () => {
  it('refuses groups that make no sense, all at once', async () => {
    await define(tenant, []);
    const { fields } = await tenant.refusal(setGroups, {
      groups: [
        { name: 'a-b', fields: ['number'] },
        { name: 'twice', fields: ['number', 'number', 'nothing'] },
        { name: 'twice', fields: ['number', 'title'] },
        { name: 'same', fields: ['title', 'number'] },
      ],
    });
    expect(fields.map(({ field, rule }) => [field, rule])).toEqual([
      ['uniqueGroups.0.name', 'name'],
      ['uniqueGroups.0.fields', 'length'],
      ['uniqueGroups.1.fields.1', 'duplicate'],
      ['uniqueGroups.1.fields.2', 'exists'],
      ['uniqueGroups.2.name', 'duplicate'],
      ['uniqueGroups.3.fields', 'duplicate'],
    ]);
    await tenant.createField('order', { name: 'notes', type: 'LONG_TEXT' });
    const long = { name: 'long', fields: ['number', 'notes'] };
    expect((await tenant.refusal(setGroups, { groups: [long] })).fields).toMatchObject([
      { field: 'uniqueGroups.0.fields.1', rule: 'type' },
    ]);
    const clashing = { name: 'number', fields: ['title', 'number'] };
    expect(await tenant.refusal(setGroups, { groups: [clashing] })).toMatchObject({ code: 'CONFLICT' });
  });

  it('refuses names that another entity generates', async () => {
    await define(tenant, []);
    await tenant.createEntity({ name: 'orderByTitleInProject', fields: [{ name: 'a', type: 'TEXT' }] });
    const group = { name: 'titleInProject', fields: ['title', 'project'] };
    expect(await tenant.refusal(setGroups, { groups: [group] })).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('orderByTitleInProject'),
    });
  });

  it('keeps members from being deleted or retyped, and follows their renames', async () => {
    await define(tenant, [projectAndNumber]);
    const remove = `mutation { deleteField(entity: "order", name: "number") }`;
    expect(await tenant.refusal(remove)).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('"projectAndNumber"'),
    });
    const retype = `mutation { retypeField(entity: "order", name: "number", to: { type: TEXT }) { id } }`;
    expect(await tenant.refusal(retype)).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining('"projectAndNumber"'),
    });
    await tenant.query(`mutation { renameField(entity: "order", name: "number", to: "position") { id } }`);
    expect(await groupsOf()).toMatchObject([{ fields: ['project', 'position'] }]);
    alpha = await createProject('Alpha');
    await createOrder({ projectId: alpha, position: 4 });
    const { orderByProjectAndNumber } = await tenant.query(
      `query ($project: ID!) { orderByProjectAndNumber(projectId: $project, position: 4) { id } }`,
      { project: alpha },
    );
    expect(orderByProjectAndNumber).not.toBeNull();
    // Not in the graph while a member is not, and still kept.
    const active = (isActive: boolean): string =>
      `mutation { updateField(entity: "order", name: "project", input: { isActive: ${isActive} }) { id } }`;
    await tenant.query(active(false));
    expect((await tenant.send(find, { project: alpha, number: 4 })).errors).toBeDefined();
    await tenant.query(active(true));
    expect(await tenant.refusal(create, { input: { projectId: alpha, position: 4 } })).toMatchObject({
      code: 'CONFLICT',
    });
  });

  it('are carried by a document, which may change a member too', async () => {
    await define(tenant, [projectAndNumber]);
    const { exportDefinitions: document } = await tenant.query(`{ exportDefinitions }`);
    expect(document.entities[1].uniqueGroups).toEqual([projectAndNumber]);
    const apply = `mutation ($definitions: JSON!) { applyDefinitions(definitions: $definitions) { steps { kind field changes } } }`;
    expect((await tenant.query(apply, { definitions: document })).applyDefinitions.steps).toEqual([]);

    const other = await fixture.addTenant();
    await other.query(apply, { definitions: document });
    expect(await groupsOf(other)).toMatchObject([projectAndNumber]);

    const number = document.entities[1].fields.find((field: Anything) => field.name === 'number');
    number.type = 'TEXT';
    await tenant.query(apply, { definitions: document });
    expect(await groupsOf()).toMatchObject([{ ...projectAndNumber, state: 'DONE' }]);
    document.entities[1].fields = document.entities[1].fields.filter(
      (field: Anything) => field.name !== 'number',
    );
    document.entities[1].uniqueGroups = [];
    const { applyDefinitions } = await tenant.query(apply, { definitions: document });
    expect(applyDefinitions.steps).toMatchObject([{ kind: 'DELETE', field: 'number' }]);
    expect(await groupsOf()).toEqual([]);
  });
});
