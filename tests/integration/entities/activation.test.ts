/** What is not active is not in the graph, in no way; what it held is there when it comes back. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await tenant.createEntity({
    name: 'owner',
    fields: [{ name: 'name', type: 'TEXT', isUnique: true, isRequired: true }],
  });
  await tenant.createEntity({
    name: 'item',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true, isSearchable: true },
      { name: 'size', type: 'NUMBER', isRequired: true },
      { name: 'owner', type: 'RELATION', targetEntity: 'owner', inverseName: 'items' },
    ],
  });
  await tenant.query(
    `mutation { createOwner(input: { name: "Ann" }) { id } createItem(input: { name: "Ämber", size: 1 }) { id } }`,
  );
});

const setField = (name: string, isActive: boolean) =>
  tenant.query(
    `mutation ($name: String!, $isActive: Boolean!) { updateField(entity: "item", name: $name, input: { isActive: $isActive }) { isActive } }`,
    { name, isActive },
  );
const setEntity = (name: string, isActive: boolean) =>
  tenant.query(
    `mutation ($name: String!, $isActive: Boolean!) { updateEntity(name: $name, input: { isActive: $isActive }) { isActive fields { name isActive } } }`,
    { name, isActive },
  );

it('takes a field out of every part of the graph, and brings it back with its values', async () => {
  await setField('name', false);
  await fixture.service.definitions.idle();
  const { type, input, filter, order, query } = await tenant.query(
    `{ type: __type(name: "Item") { fields { name } } input: __type(name: "CreateItemInput") { inputFields { name } } filter: __type(name: "ItemFilter") { inputFields { name } } order: __type(name: "ItemOrder") { inputFields { name } } query: __type(name: "Query") { fields { name } } }`,
  );
  for (const members of [type.fields, input.inputFields, filter.inputFields, order.inputFields])
    expect(members.map((member: { name: string }) => member.name)).not.toContain('name');
  expect(query.fields.map((field: { name: string }) => field.name)).not.toContain('itemByName');
  // Not by search, nor through the untyped twin, nor by a write.
  expect((await tenant.query(`{ items(search: "amber") { totalCount } }`)).items.totalCount).toBe(0);
  const { records } = await tenant.query(`{ records(entity: "item") { nodes { id data } } }`);
  expect(records.nodes[0].data).toEqual({ size: 1, ownerId: null });
  expect(
    (await tenant.refusal(`{ records(entity: "item", filter: { name: { eq: "Ämber" } }) { totalCount } }`))
      .code,
  ).toBe('BAD_USER_INPUT');
  expect((await tenant.refusal(`mutation { createItem(input: { size: 1, name: "x" }) { id } }`)).code).toBe(
    'GRAPHQL_VALIDATION_FAILED',
  );
  // Its name is still its own, and writes go around its values.
  expect(
    (
      await tenant.refusal(
        `mutation { createField(entity: "item", input: { name: "name", type: TEXT }) { id } }`,
      )
    ).code,
  ).toBe('CONFLICT');
  const [{ id }] = records.nodes;
  await tenant.query(`mutation ($id: ID!) { updateItem(id: $id, input: { size: 2 }) { id } }`, { id });
  await tenant.query(`mutation ($id: ID!) { deleteItem(id: $id) { id } restoreItem(id: $id) { id } }`, {
    id,
  });

  expect((await setField('name', true)).updateField).toEqual({ isActive: true });
  await fixture.service.definitions.idle();
  const { itemByName, items } = await tenant.query(
    `{ itemByName(name: "Ämber") { id size } items(search: "amber", filter: { name: { startsWith: "AM", mode: INSENSITIVE } }) { totalCount } }`,
  );
  expect([itemByName, items.totalCount]).toEqual([{ id, size: 2 }, 1]);
  expect(
    (await tenant.refusal(`mutation { createItem(input: { size: 1, name: "Ämber" }) { id } }`)).code,
  ).toBe('CONFLICT');
});

it('does not bring a required field back over records that lack it', async () => {
  await setField('size', false);
  await tenant.query(`mutation { createItem(input: { name: "sizeless" }) { id } }`);
  const refusal = await tenant.refusal(
    `mutation { updateField(entity: "item", name: "size", input: { isActive: true }) { name } }`,
  );
  expect(refusal).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('1 records') });
  await tenant.query(
    `mutation { updateField(entity: "item", name: "size", input: { isActive: true, isRequired: false }) { name } }`,
  );
});

it('takes an entity out with the relations at it, and brings it back with its records', async () => {
  const { items } = await tenant.query(`{ items { nodes { id } } owners { nodes { id } } }`);
  const owner = (await tenant.query(`{ owners { nodes { id } } }`)).owners.nodes[0].id;
  await tenant.query(
    `mutation ($id: ID!, $owner: ID) { updateItem(id: $id, input: { ownerId: $owner }) { id } }`,
    {
      id: items.nodes[0].id,
      owner,
    },
  );
  expect((await setEntity('owner', false)).updateEntity).toMatchObject({ isActive: false });
  for (const document of [
    `{ owners { totalCount } }`,
    `{ items { nodes { owner { name } } } }`,
    `{ items { nodes { ownerId } } }`,
    `mutation { createOwner(input: { name: "x" }) { id } }`,
  ])
    expect((await tenant.refusal(document)).code, document).toBe('GRAPHQL_VALIDATION_FAILED');
  expect((await tenant.refusal(`{ records(entity: "owner") { totalCount } }`)).code).not.toBe(
    'INTERNAL_SERVER_ERROR',
  );
  await tenant.query(`mutation ($id: ID!) { updateItem(id: $id, input: { size: 5 }) { id } }`, {
    id: items.nodes[0].id,
  });
  const { entityDefinitions } = await tenant.query(
    `{ entityDefinitions { name isActive fields { name isActive targetEntity } } }`,
  );
  expect(entityDefinitions).toMatchObject([
    { name: 'owner', isActive: false },
    {
      name: 'item',
      isActive: true,
      fields: [{}, {}, { name: 'owner', isActive: true, targetEntity: 'owner' }],
    },
  ]);
  await setEntity('owner', true);
  const back = await tenant.query(`{ items { nodes { owner { name items { totalCount } } } } }`);
  expect(back.items.nodes).toEqual([{ owner: { name: 'Ann', items: { totalCount: 1 } } }]);
});

it('is the first of two steps to delete something, and not the only way', async () => {
  await setField('name', false);
  await tenant.query(`mutation { deleteField(entity: "item", name: "name") }`);
  await tenant.query(`mutation { deleteField(entity: "item", name: "owner") }`);
  await setEntity('owner', false);
  await tenant.query(`mutation { deleteEntity(name: "owner") }`);
  await fixture.service.definitions.idle();
  const { rows } = await fixture.superuser.query(
    `select data, search, t1, (select count(*)::int from record_keys where tenant_id = $1) as keys from records where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([{ data: { size: 1 }, search: null, t1: null, keys: 0 }]);
  expect(
    (
      await tenant
        .as({ role: 'USER' })
        .refusal(`mutation { updateEntity(name: "item", input: { isActive: false }) { name } }`)
    ).code,
  ).toBe('FORBIDDEN');
});
