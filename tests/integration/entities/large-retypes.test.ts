/** Another type for a field of more records than one transaction converts: in the background, beside writers. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

const count = 10_100;

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
/** A process that only makes the change: nobody goes on with it yet. */
let elsewhere: EntitiesTenant;
let entityId: string;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  const { id } = await tenant.createEntity({
    name: 'item',
    fields: [
      { name: 'amount', type: 'TEXT', isUnique: true, isSearchable: true },
      { name: 'note', type: 'TEXT' },
    ],
  });
  entityId = id;
  // As the store writes them; by hand, for time's sake.
  await fixture.superuser.query(
    `insert into records (tenant_id, entity_id, id, data, t1, search)
     select $1, $2, md5(n::text)::uuid, jsonb_build_object('amount', n::text), n::text, n::text from generate_series(1, ${count}) n`,
    [tenant.id, entityId],
  );
  const first = fixture.createService();
  elsewhere = fixture.tenantOf(first, tenant.claims);
  await elsewhere.query(`{ items(first: 1) { nodes { id } } }`);
  await first[Symbol.asyncDispose]();
});

const retype = `mutation ($to: RetypeInput!, $onError: RetypeErrorRule! = REFUSE) { retypeField(entity: "item", name: "amount", to: $to, onError: $onError) { type becomes backfill { state total } } }`;
const field = `{ entityDefinition(name: "item") { fields { name type becomes isUnique isIndexed backfill { state done total failure duplicates { value recordIds } } } } }`;
const amountOf = async (of = tenant): Promise<Anything> =>
  (await of.query(field)).entityDefinition.fields.find(({ name }: Anything) => name === 'amount');
const create = `mutation ($amount: String) { createItem(input: { amount: $amount }) { id } }`;
/** A new process meets the tenant, and does what is left to do. */
async function finish(): Promise<EntitiesTenant> {
  const service = fixture.createService();
  const there = fixture.tenantOf(service, tenant.claims);
  await there.query(`{ items(first: 1) { nodes { id } } }`);
  await service.definitions.idle();
  return there;
}

it('stays what it was until all are converted; then everything goes by the new type', {
  timeout: 120_000,
}, async () => {
  const { retypeField } = await elsewhere.query(retype, { to: { type: 'INTEGER' } });
  expect(retypeField).toEqual({
    type: 'TEXT',
    becomes: 'INTEGER',
    backfill: { state: 'RUNNING', total: count },
  });
  // Meanwhile: read and written as text, changed again by nobody.
  const { createItem: fresh } = await elsewhere.query(create, { amount: ' 20000 ' });
  const { createItem: empty } = await elsewhere.query(create, { amount: null });
  const { items } = await elsewhere.query(
    `{ items(filter: { amount: { startsWith: "1010" } }, orderBy: [{ amount: ASC }]) { nodes { id amount } } }`,
  );
  expect(items.nodes.map(({ amount }: Anything) => amount)).toEqual(['1010', '10100']);
  const [{ id: changed }] = items.nodes;
  await elsewhere.query(
    `mutation ($id: ID!) { updateItem(id: $id, input: { amount: "30000" }) { amount } }`,
    { id: changed },
  );
  expect((await elsewhere.refusal(retype, { to: { type: 'NUMBER' } })).code).toBe('CONFLICT');
  const flag = `mutation { updateField(entity: "item", name: "amount", input: { isSearchable: false }) { name } }`;
  expect((await elsewhere.refusal(flag)).code).toBe('CONFLICT');
  const events = await fixture.superuser.query(
    `select array(select jsonb_object_keys(after -> 'data')) as keys from events where tenant_id = $1 and record_id = $2`,
    [tenant.id, changed],
  );
  expect(events.rows).toEqual([{ keys: ['amount'] }]);

  const there = await finish();
  expect(await amountOf(there)).toMatchObject({
    type: 'INTEGER',
    becomes: null,
    isUnique: true,
    isIndexed: true,
    backfill: { state: 'DONE', failure: null },
  });
  const { most, found, itemByAmount, lost } = await there.query(
    `{ most: items(filter: { amount: { gt: 9999 } }, orderBy: [{ amount: DESC_NULLS_LAST }], first: 3) { totalCount nodes { id amount version } }
       found: items(search: "30000") { totalCount } lost: items(search: "1010") { nodes { amount } }
       itemByAmount(amount: 20000) { id } }`,
  );
  expect(most.totalCount).toBe(103);
  expect(most.nodes).toMatchObject([
    { id: changed, amount: 30_000, version: 2 },
    { id: fresh.id, amount: 20_000, version: 1 },
    { amount: 10_100 },
  ]);
  expect([found.totalCount, itemByAmount]).toEqual([1, { id: fresh.id }]);
  expect(lost.nodes).toEqual([{ amount: 10_100 }]);
  const twice = `mutation { createItem(input: { amount: 77 }) { id } }`;
  expect((await there.refusal(twice)).code).toBe('CONFLICT');
  // Nothing of the old type is left.
  const { rows } = await fixture.superuser.query(
    `select count(*) filter (where data ? 'amount' or t1 is not null)::int as old, count(n1)::int as slots,
      (select count(*)::int from record_keys where tenant_id = $1) as keys from records where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([{ old: 0, slots: count + 1, keys: count + 1 }]);
  expect(empty.id).toBeDefined();
});

it('stays what it was where a value does not convert, and says which', { timeout: 120_000 }, async () => {
  await elsewhere.query(retype, { to: { type: 'INTEGER' } });
  const { createItem } = await elsewhere.query(create, { amount: 'many' });
  const there = await finish();
  expect(await amountOf(there)).toMatchObject({
    type: 'TEXT',
    becomes: null,
    isUnique: true,
    backfill: {
      state: 'FAILED',
      failure: expect.stringContaining('many'),
      duplicates: [{ value: 'many', recordIds: [createItem.id] }],
    },
  });
  const { rows } = await fixture.superuser.query(
    `select count(*) filter (where data ? 'amount_2' or n1 is not null)::int as converted from records where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([{ converted: 0 }]);
  // Where it may be cleared, it is.
  await there.query(retype, { to: { type: 'INTEGER' }, onError: 'SET_NULL' });
  const last = await finish();
  expect(await amountOf(last)).toMatchObject({ type: 'INTEGER', backfill: { state: 'DONE' } });
  const { item } = await last.query(`query ($id: ID!) { item(id: $id) { amount } }`, { id: createItem.id });
  expect(item).toEqual({ amount: null });
});

it('is refused to those who may not define, or not see the values', { timeout: 60_000 }, async () => {
  for (const role of ['USER', 'VIEWER'] as const)
    expect(await elsewhere.as({ role }).refusal(retype, { to: { type: 'INTEGER' } })).toMatchObject({
      code: 'FORBIDDEN',
    });
  const other = await fixture.addTenant();
  expect(await other.refusal(retype, { to: { type: 'INTEGER' } })).toMatchObject({ code: 'NOT_FOUND' });
  await elsewhere.query(
    `mutation { setPermissions(entity: "item", permissions: [{ role: DEVELOPER, readableFields: ["note"] }]) { id } }`,
  );
  const developer = elsewhere.as({ role: 'DEVELOPER' });
  expect(await developer.refusal(retype, { to: { type: 'INTEGER' } })).toMatchObject({ code: 'FORBIDDEN' });
  expect(await amountOf(elsewhere)).toMatchObject({ type: 'TEXT', becomes: null });
});
