/** Fields of entities with records get an index, become unique, are searched: in the background, beside writers. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
    name: 'item',
    fields: [
      { name: 'name', type: 'TEXT', isFilterable: false, isSortable: false, isSearchable: false },
      { name: 'size', type: 'NUMBER', isFilterable: false, isSortable: false },
      { name: 'email', type: 'EMAIL', isFilterable: false, isSortable: false },
    ],
  });
});

const backfill = `backfill { state done total failure duplicates { value recordIds } }`;
const update = `mutation ($name: String!, $input: UpdateFieldInput!) { updateField(entity: "item", name: $name, input: $input) { name isUnique isSearchable isFilterable isIndexed ${backfill} } }`;
const change = async (name: string, input: Record<string, unknown>) =>
  (await tenant.query(update, { name, input })).updateField;
const fieldOf = async (name: string, of = tenant) => {
  const { entityDefinition } = await of.query(
    `{ entityDefinition(name: "item") { fields { name isUnique isIndexed ${backfill} } } }`,
  );
  return entityDefinition.fields.find((field: { name: string }) => field.name === name);
};
async function createItems(inputs: Record<string, unknown>[]): Promise<string[]> {
  const { createItems: made } = await tenant.query(
    `mutation ($inputs: [CreateItemInput!]!) { createItems(inputs: $inputs) { id } }`,
    { inputs },
  );
  return made.map((item: { id: string }) => item.id);
}
const many = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => ({
    name: `Näme ${from + index}`,
    size: from + index,
    email: `U${from + index}@example.org`,
  }));

describe('an index', () => {
  it('is filled in the background; until then the field works from the data', async () => {
    await createItems(many(700));
    const before = await tenant.version();
    // Nobody goes on with it: the process that made the change ends at once.
    await using first = fixture.createService();
    const elsewhere = fixture.tenantOf(first, tenant.claims);
    await elsewhere.query(`{ items { totalCount } }`);
    const ended = first[Symbol.asyncDispose]();
    const { updateField } = await elsewhere.query(update, {
      name: 'name',
      input: { isFilterable: true, isSortable: true },
    });
    await ended;
    expect(updateField).toMatchObject({
      isFilterable: true,
      isIndexed: false,
      backfill: { state: 'RUNNING', done: 0, total: 700, failure: null, duplicates: [] },
    });

    const find = `{ items(filter: { name: { startsWith: "NAME 69", mode: INSENSITIVE } }, orderBy: [{ name: DESC }]) { nodes { name } } }`;
    const expected = { nodes: ['Näme 699', 'Näme 698'].map((name) => ({ name })) };
    const early = await elsewhere.query(find.replace('{ nodes', '{ totalCount nodes'));
    expect(early.items.nodes.slice(0, 2)).toEqual(expected.nodes);
    expect(early.items.totalCount).toBe(11);
    // The next process that meets the tenant goes on.
    const next = fixture.createService();
    const there = fixture.tenantOf(next, tenant.claims);
    await there.query(`{ items { totalCount } }`);
    await next.definitions.idle();
    expect(await fieldOf('name', there)).toMatchObject({
      isIndexed: true,
      backfill: { state: 'DONE', done: 700, total: 700 },
    });
    expect((await there.query(find)).items.nodes.slice(0, 2)).toEqual(expected.nodes);
    // The change, and its settling; no event of any record.
    expect(await tenant.version()).toBe(before + 2);
    const { rows } = await fixture.superuser.query(
      `select count(*) filter (where t1 is not null)::int as filled, max(version) as version from records where tenant_id = $1`,
      [tenant.id],
    );
    expect(rows).toEqual([{ filled: 700, version: 1 }]);
    const events = await fixture.superuser.query(
      `select count(*)::int as count from events where tenant_id = $1 and kind = 'RECORD'`,
      [tenant.id],
    );
    expect(events.rows).toEqual([{ count: 700 }]);
  });

  it('of a field that is deleted meanwhile leaves nothing behind', async () => {
    await createItems(many(600));
    await Promise.all([
      change('size', { isFilterable: true }),
      tenant.query(`mutation { deleteField(entity: "item", name: "name") }`),
    ]);
    await tenant.query(`mutation { deleteField(entity: "item", name: "size") }`);
    await fixture.service.definitions.idle();
    const { rows } = await fixture.superuser.query(
      `select count(*) filter (where n1 is not null or data ? 'size' or data ? '~name')::int as left,
        (select count(*) from field_backfills where tenant_id = $1)::int as backfills,
        (select count(*) from retired_fields where tenant_id = $1 and cleared_at is null)::int as retired
       from records where tenant_id = $1`,
      [tenant.id],
    );
    expect(rows).toEqual([{ left: 0, backfills: 0, retired: 0 }]);
    await tenant.createField('item', { name: 'weight', type: 'NUMBER' });
    expect(
      (await tenant.query(`{ items(filter: { weight: { isNull: false } }) { totalCount } }`)).items
        .totalCount,
    ).toBe(0);
  });
});

describe('uniqueness', () => {
  it('is refused with examples where records share a value, and changes nothing', async () => {
    const ids = await createItems([
      { email: 'Same@example.org' },
      { email: 'same@example.org' },
      { email: 'other@example.org' },
      { email: null },
      { email: null },
    ]);
    const version = await tenant.version();
    const result = await tenant.send(update, { name: 'email', input: { isUnique: true } });
    expect(result.errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'isUnique', rule: 'unique' }],
      duplicates: [{ value: 'same@example.org', recordIds: ids.slice(0, 2).toSorted() }],
    });
    expect(result.errors?.[0]?.message).toContain(ids[0]);
    expect(await tenant.version()).toBe(version);
    // A deleted record holds no value.
    await tenant.query(`mutation ($id: ID!) { deleteItem(id: $id) { id } }`, { id: ids[0] });
    await change('email', { isUnique: true });
    await fixture.service.definitions.idle();
    expect(await fieldOf('email')).toMatchObject({ isUnique: true, backfill: { state: 'DONE', total: 5 } });
    const restored = await tenant.refusal(`mutation ($id: ID!) { restoreItem(id: $id) { id } }`, {
      id: ids[0],
    });
    expect(restored).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'email', rule: 'unique' }] });
    const found = await tenant.query(`{ itemByEmail(email: "SAME@example.org") { id } }`);
    expect(found.itemByEmail).toEqual({ id: ids[1] });
  });

  it('holds for new values at once, for all once it is done, and ends without a trace', async () => {
    await createItems(many(600));
    const changed = await change('email', { isUnique: true });
    expect(changed).toMatchObject({ isUnique: false, backfill: { state: 'RUNNING' } });
    await createItems([{ email: 'new@example.org' }]);
    const twice = await tenant.refusal(`mutation { createItem(input: { email: "new@example.org" }) { id } }`);
    expect(twice.code).toBe('CONFLICT');
    await fixture.service.definitions.idle();
    expect(await fieldOf('email')).toMatchObject({ isUnique: true, isIndexed: true });
    expect(
      (await tenant.refusal(`mutation { createItem(input: { email: "u599@example.org" }) { id } }`)).code,
    ).toBe('CONFLICT');
    const { upsertItem } = await tenant.query(
      `mutation { upsertItem(on: EMAIL, input: { email: "u5@EXAMPLE.org", name: "five" }) { size } }`,
    );
    expect(upsertItem).toEqual({ size: 5 });

    await change('email', { isUnique: false });
    await createItems([{ email: 'u5@example.org' }]);
    const { rows } = await fixture.superuser.query(
      `select count(*)::int as count from record_keys where tenant_id = $1`,
      [tenant.id],
    );
    expect(rows).toEqual([{ count: 0 }]);
    expect((await tenant.refusal(update, { name: 'email', input: { isUnique: true } })).code).toBe(
      'CONFLICT',
    );
  });

  it('is given up where a value meets an old one before the backfill does', async () => {
    const [old] = await createItems([...many(3), { email: 'first@example.org' }]);
    await using first = fixture.createService();
    const elsewhere = fixture.tenantOf(first, tenant.claims);
    await elsewhere.query(`{ items { totalCount } }`);
    const ended = first[Symbol.asyncDispose]();
    await elsewhere.query(update, { name: 'email', input: { isUnique: true, isFilterable: true } });
    // No key of it yet: the newcomer takes it.
    const { createItem } = await elsewhere.query(
      `mutation { createItem(input: { email: "u0@example.org" }) { id } }`,
    );
    await ended;
    const next = fixture.createService();
    const there = fixture.tenantOf(next, tenant.claims);
    await there.query(`{ items { totalCount } }`);
    await next.definitions.idle();
    const field = await fieldOf('email', there);
    expect(field).toMatchObject({ isUnique: false, isIndexed: true, backfill: { state: 'FAILED' } });
    expect(field.backfill.failure).toContain('cannot become unique');
    expect(field.backfill.duplicates).toEqual([{ value: 'U0@example.org', recordIds: [createItem.id, old] }]);
    const { rows } = await fixture.superuser.query(
      `select count(*)::int as count from record_keys where tenant_id = $1`,
      [tenant.id],
    );
    expect(rows).toEqual([{ count: 0 }]);
  });
});

it('loses nothing of writers that run meanwhile, in this process and in another', async () => {
  await createItems(many(900));
  const elsewhere = fixture.tenantOf(fixture.createService(), tenant.claims);
  const { items: listed } = await tenant.query(`{ items(first: 1000) { nodes { id size } } }`);
  const sizes = new Map<string, number>(
    listed.nodes.map((item: { id: string; size: number }) => [item.id, item.size]),
  );
  const ids = [...sizes.keys()];
  let running = true;
  const writers = [tenant, elsewhere].map(async (writer, of) => {
    for (let index = 0; running || index < 30; index += 1) {
      const size = 10_000 + index * 2 + of;
      const id = ids[(index * 2 + of) % ids.length] as string;
      await writer.query(
        `mutation ($id: ID!, $size: Float) { updateItem(id: $id, input: { size: $size, name: "written" }) { id } }`,
        { id, size },
      );
      sizes.set(id, size);
      const { createItem } = await writer.query(
        `mutation ($input: CreateItemInput!) { createItem(input: $input) { id } }`,
        { input: { size: -size, email: `w${of}-${index}@example.org`, name: 'created' } },
      );
      sizes.set(createItem.id, -size);
    }
  });
  await change('size', { isFilterable: true, isSortable: true });
  await change('email', { isUnique: true });
  await change('name', { isSearchable: true, isFilterable: true });
  await fixture.service.definitions.idle();
  running = false;
  await Promise.all(writers);

  for (const name of ['size', 'email', 'name']) {
    expect(await fieldOf(name), name).toMatchObject({ isIndexed: true, backfill: { state: 'DONE' } });
  }
  const all: { id: string; size: number }[] = [];
  for (let after: string | null = null; ; ) {
    const { items } = await tenant.query(
      `query ($after: String) { items(first: 1000, after: $after, orderBy: [{ size: ASC }]) { nodes { id size } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    all.push(...items.nodes);
    if (!items.pageInfo.hasNextPage) break;
    after = items.pageInfo.endCursor;
  }
  expect(all.map((item) => item.size)).toEqual([...sizes.values()].toSorted((a, b) => a - b));
  expect(Object.fromEntries(all.map((item) => [item.id, item.size]))).toEqual(Object.fromEntries(sizes));
  // What stands beside the data says what the data says.
  const { rows } = await fixture.superuser.query(
    `select count(*)::int as total, count(*) filter (where n1 is distinct from (data ->> 'size')::float8)::int as stale,
      count(*) filter (where search is null)::int as unsearched,
      (select count(*)::int from record_keys k where k.tenant_id = $1) as keys,
      count(*) filter (where data ? 'email')::int as emails
     from records r where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([
    { total: sizes.size, stale: 0, unsearched: 0, keys: rows[0].emails, emails: sizes.size },
  ]);
});

describe('search', () => {
  it('follows a field that is searched from now on, or no longer, and an option’s new label', async () => {
    await tenant.createField('item', {
      name: 'kind',
      type: 'SELECT',
      isSearchable: true,
      options: [{ value: 'A', label: 'Apfel' }],
    });
    await createItems([{ name: 'Ein Wort' }, { kind: 'A' }]);
    const count = async (search: string) =>
      (await tenant.query(`query ($search: String) { items(search: $search) { totalCount } }`, { search }))
        .items.totalCount;
    expect([await count('wort'), await count('apfel')]).toEqual([0, 1]);
    await change('name', { isSearchable: true });
    await change('kind', { options: [{ value: 'A', label: 'Birne' }] });
    await fixture.service.definitions.idle();
    expect([await count('wort'), await count('apfel'), await count('birne')]).toEqual([1, 0, 1]);
    expect(await fieldOf('name')).toMatchObject({ backfill: { state: 'DONE', done: 2, total: 2 } });
    await change('name', { isSearchable: false });
    await fixture.service.definitions.idle();
    expect(await count('wort')).toBe(0);
  });
});

it('shows a backfill to its own tenant only', async () => {
  await createItems(many(2));
  await change('size', { isFilterable: true });
  await fixture.service.definitions.idle();
  const other = await fixture.addTenant();
  expect((await fixture.service.definitions.readBackfills(other.claims)).size).toBe(0);
  expect((await tenant.as({ role: 'USER' }).refusal(update, { name: 'size', input: {} })).code).toBe(
    'FORBIDDEN',
  );
});
