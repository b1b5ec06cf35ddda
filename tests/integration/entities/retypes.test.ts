/** A field gets another type, and its values with it: all, or none, or those that convert. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
let ids: string[];

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await tenant.createEntity({
    name: 'item',
    fields: [
      { name: 'amount', type: 'TEXT', isUnique: true, isSearchable: true },
      { name: 'note', type: 'TEXT', isSearchable: true },
      { name: 'owner', type: 'RELATION', targetEntity: 'item' },
    ],
  });
  ids = await createItems(['1', ' 2.50', 'three', '40', null, 'five']);
});

async function createItems(amounts: (string | null)[]): Promise<string[]> {
  const { createItems: made } = await tenant.query(
    `mutation ($inputs: [CreateItemInput!]!) { createItems(inputs: $inputs) { id } }`,
    { inputs: amounts.map((amount) => ({ amount, note: 'Nöte' })) },
  );
  return made.map((item: { id: string }) => item.id);
}

const plan = `query ($name: String!, $to: RetypeInput!) { planRetype(entity: "item", name: $name, to: $to) { total empty converted failed problems { recordId value message } } }`;
const retype = `mutation ($name: String!, $to: RetypeInput!, $onError: RetypeErrorRule! = REFUSE) { retypeField(entity: "item", name: $name, to: $to, onError: $onError) { name type isUnique isSearchable isSortable isIndexed options { value } } }`;
const toNumber = { name: 'amount', to: { type: 'NUMBER' } };

it('tells first what would not convert, and changes nothing', async () => {
  const version = await tenant.version();
  const { planRetype } = await tenant.query(plan, toNumber);
  expect(planRetype).toEqual({
    total: 6,
    empty: 1,
    converted: 3,
    failed: 2,
    problems: [
      { recordId: ids[2], value: 'three', message: expect.stringContaining('amount') },
      { recordId: ids[5], value: 'five', message: expect.stringContaining('amount') },
    ],
  });
  const refused = await tenant.send(retype, toNumber);
  expect(refused.errors?.[0]?.extensions).toMatchObject({
    code: 'CONFLICT',
    fields: [{ field: 'type', rule: 'convertible' }],
    problems: [{ recordId: ids[2] }, { recordId: ids[5] }],
  });
  expect(await tenant.version()).toBe(version);
  const { items } = await tenant.query(`{ items { nodes { amount } } }`);
  expect(items.nodes.map((item: { amount: string }) => item.amount)).toContain('three');
});

it('converts what it can where the rest may be cleared: values, index, keys and search', async () => {
  const { retypeField } = await tenant.query(retype, { ...toNumber, onError: 'SET_NULL' });
  expect(retypeField).toMatchObject({ type: 'NUMBER', isUnique: true, isIndexed: true });
  const { items } = await tenant.query(
    `{ items(filter: { amount: { gt: 1 } }, orderBy: [{ amount: DESC }]) { totalCount nodes { amount version } } }`,
  );
  expect(items).toEqual({
    totalCount: 2,
    nodes: [
      { amount: 40, version: 1 },
      { amount: 2.5, version: 1 },
    ],
  });
  const { itemByAmount, found, lost } = await tenant.query(
    `{ itemByAmount(amount: 2.5) { id } found: items(search: "2.5 note") { totalCount } lost: items(search: "three") { totalCount } }`,
  );
  expect(itemByAmount).toEqual({ id: ids[1] });
  expect([found.totalCount, lost.totalCount]).toEqual([1, 0]);
  expect((await tenant.refusal(`mutation { createItem(input: { amount: 40 }) { id } }`)).code).toBe(
    'CONFLICT',
  );
  const { rows } = await fixture.superuser.query(
    `select count(*) filter (where data ? 'amount' or t1 is not null)::int as old, count(n1)::int as slots,
      (select count(*)::int from record_keys where tenant_id = $1) as keys from records where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([{ old: 0, slots: 3, keys: 3 }]);
  // And back, under yet another key.
  await tenant.query(retype, { name: 'amount', to: { type: 'TEXT' } });
  const { itemByAmount: text } = await tenant.query(`{ itemByAmount(amount: "2.5") { id } }`);
  expect(text).toEqual({ id: ids[1] });
});

it('refuses what a value, a flag or a relation does not allow', async () => {
  const refusals = async (name: string, to: object, onError = 'SET_NULL') =>
    tenant.refusal(retype, { name, to, onError });
  expect((await refusals('amount', { type: 'BOOLEAN' })).fields).toMatchObject([{ field: 'isUnique' }]);
  expect((await refusals('owner', { type: 'TEXT' })).fields).toMatchObject([{ field: 'type' }]);
  expect((await refusals('amount', { type: 'RELATION' })).fields).toMatchObject([{ field: 'type' }]);
  expect((await refusals('note', { type: 'SELECT' })).fields).toMatchObject([{ field: 'options' }]);
  expect((await refusals('nothing', { type: 'TEXT' })).code).toBe('NOT_FOUND');
  // 1 and 1.0 are one number.
  await createItems(['1.0']);
  expect(await refusals('amount', { type: 'NUMBER' })).toMatchObject({
    code: 'CONFLICT',
    fields: [{ rule: 'unique' }],
  });
  await tenant.query(
    `mutation { updateField(entity: "item", name: "note", input: { isRequired: true }) { name } }`,
  );
  expect(await refusals('note', { type: 'INTEGER' })).toMatchObject({
    code: 'CONFLICT',
    fields: [{ rule: 'required' }],
  });
  for (const [document, variables] of [
    [plan, toNumber],
    [retype, toNumber],
  ] as const)
    expect((await tenant.as({ role: 'USER' }).refusal(document, variables)).code).toBe('FORBIDDEN');
  const other = await fixture.addTenant();
  expect((await other.refusal(plan, toNumber)).code).toBe('NOT_FOUND');
});

it('keeps what can be kept of a choice, its label found again by search', async () => {
  await tenant.query(retype, {
    name: 'amount',
    to: { type: 'TEXT' },
  });
  const { retypeField } = await tenant.query(retype, {
    name: 'note',
    to: { type: 'SELECT', options: [{ value: 'NOTE', label: 'Nöte' }] },
  });
  expect(retypeField).toMatchObject({ type: 'SELECT', options: [{ value: 'NOTE' }] });
  const { items } = await tenant.query(
    `{ items(filter: { note: { eq: NOTE } }, search: "note") { totalCount } }`,
  );
  expect(items.totalCount).toBe(6);
});

it('lets no writer of the old type through, and loses none of what they wrote', async () => {
  await tenant.query(
    `mutation { updateField(entity: "item", name: "note", input: { isFilterable: true }) { name } }`,
  );
  const elsewhere = fixture.tenantOf(fixture.createService(), tenant.claims);
  let running = true;
  const written = new Set<string>();
  const writers = [tenant, elsewhere].map(async (writer, of) => {
    for (let index = 0; running || index < 15; index += 1) {
      const value = String(1_000 + index * 2 + of);
      const text = await writer.send(`mutation { createItem(input: { note: "${value}" }) { id } }`);
      if (!text.errors) written.add(value);
      else {
        // Refused by the new type's rules, whatever graph it was planned on.
        const { createItem } = await tenant.query(
          `mutation { createItem(input: { note: ${value} }) { id } }`,
          {},
          await tenant.version(),
        );
        if (createItem) written.add(value);
      }
    }
  });
  await tenant.query(retype, { name: 'note', to: { type: 'INTEGER' }, onError: 'SET_NULL' });
  running = false;
  await Promise.all(writers);
  const { items } = await tenant.query(
    `{ items(first: 1000, filter: { note: { gte: 1000 } }, orderBy: [{ note: ASC }]) { nodes { note } } }`,
  );
  expect(items.nodes.map((item: { note: number }) => String(item.note))).toEqual([...written].toSorted());
});
