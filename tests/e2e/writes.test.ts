/** Batches, keys of idempotency, histories and the untyped mutations through the gateway, as a frontend sends them. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let other: TestTenant;

async function define(of: TestTenant): Promise<void> {
  await of.admin.query('mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }', {
    input: {
      name: 'device',
      fields: [
        { name: 'serial', type: 'TEXT', isUnique: true },
        { name: 'level', type: 'INTEGER', validation: { min: 0 } },
      ],
    },
  });
}
beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  other = await registerTenant(product);
  await define(tenant);
  await define(other);
});
afterAll(() => product[Symbol.asyncDispose]());

it('batches answer in order, and name the place of what is wrong', async () => {
  const inputs = [
    { serial: 'a', level: 1 },
    { serial: 'b', level: 2 },
  ];
  const { upsertDevices: devices } = await tenant.admin.query(
    'mutation ($inputs: [CreateDeviceInput!]!) { upsertDevices(on: SERIAL, inputs: $inputs) { id serial level createdBy { id email } } }',
    { inputs },
  );
  expect(devices).toMatchObject(inputs);
  expect(devices[0].createdBy.email).toMatch(/@/);
  const ids = devices.map((device: { id: string }) => device.id);
  const update =
    'mutation ($inputs: [UpdateDevicesInput!]!) { updateDevices(inputs: $inputs) { id version } }';
  const changes = ids.map((id: string, i: number) => ({ id, input: { level: 5 - i * 10 } }));
  const refused = await tenant.admin.send(update, { inputs: changes });
  expect(refused.errors?.[0]).toMatchObject({
    path: ['updateDevices'],
    extensions: { code: 'BAD_USER_INPUT', fields: [{ field: 'inputs.1.level', rule: 'min' }] },
  });
  expect(await other.admin.codeOf(update, { inputs: changes.slice(0, 1) })).toBe('NOT_FOUND');
  const { deleteDevices } = await tenant.admin.query(
    'mutation ($ids: [ID!]!) { deleteDevices(ids: $ids) { id } }',
    { ids },
  );
  expect(deleteDevices).toHaveLength(2);
  const { restoreDevices } = await tenant.admin.query(
    'mutation ($ids: [ID!]!) { restoreDevices(ids: $ids) { version level } }',
    { ids },
  );
  expect(restoreDevices).toEqual([
    { version: 3, level: 1 },
    { version: 3, level: 2 },
  ]);
});

it('a retry with the same key is answered as the first time', async () => {
  const variables = { key: randomUUID() };
  const query =
    'mutation ($key: String!) { createDevice(input: { serial: "once" }, idempotencyKey: $key) { id version createdAt } }';
  const first = await tenant.admin.query(query, variables);
  const again = await Promise.all([1, 2, 3].map(() => tenant.admin.query(query, variables)));
  for (const answer of again) expect(answer).toEqual(first);
  const changed = query.replace('once', 'twice');
  expect(await tenant.admin.codeOf(changed, variables)).toBe('CONFLICT');
  expect((await other.admin.query(query, variables)).createDevice.id).not.toBe(first.createDevice.id);
});

it('a history tells who changed what, to its tenant; what is purged has none', async () => {
  const user = await addUser(product, tenant, 'USER');
  const viewer = await addUser(product, tenant, 'VIEWER');
  const { createRecord } = await user.query(
    'mutation { createRecord(entity: "device", data: { serial: "h", level: 1 }) { id } }',
  );
  const { id } = createRecord;
  await tenant.admin.query('mutation ($id: ID!) { updateDevice(id: $id, input: { level: 2 }) { id } }', {
    id,
  });
  const query =
    'query ($id: ID!) { deviceHistory(id: $id, first: 1) { nodes { version operation actor { email } changes { field from to } } pageInfo { hasNextPage } } }';
  const { me } = await tenant.admin.query('{ me { email } }');
  expect((await viewer.query(query, { id })).deviceHistory).toEqual({
    nodes: [
      {
        version: 2,
        operation: 'UPDATED',
        actor: { email: me.email },
        changes: [{ field: 'level', from: 1, to: 2 }],
      },
    ],
    pageInfo: { hasNextPage: true },
  });
  expect((await other.admin.query(query, { id })).deviceHistory).toBeNull();
  const restore =
    'mutation ($id: ID!) { restoreDeviceVersion(id: $id, version: 1, expectedVersion: 2) { version level } }';
  expect(await viewer.codeOf(restore, { id })).toBe('FORBIDDEN');
  expect((await user.query(restore, { id })).restoreDeviceVersion).toEqual({ version: 3, level: 1 });

  await user.query('mutation ($id: ID!) { deleteRecord(entity: "device", id: $id) { id } }', { id });
  const purge = 'mutation ($id: ID!) { purgeDevices(ids: [$id]) }';
  expect(await user.codeOf(purge, { id })).toBe('FORBIDDEN');
  expect((await tenant.admin.query(purge, { id })).purgeDevices).toBe(1);
  expect((await viewer.query(query, { id })).deviceHistory).toBeNull();
});
