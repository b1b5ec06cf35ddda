/** Definitions change while others write, and while others define: nothing is lost, nothing is written by old rules. */
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
  await tenant.createEntity({ name: 'item', fields: [{ name: 'name', type: 'TEXT', isRequired: true }] });
});

it('lets no record into the log without a required field that was there before it', async () => {
  // Writers in another process, which learns of new definitions by the fence alone.
  const elsewhere = fixture.tenantOf(fixture.createService(), tenant.claims);
  let running = true;
  const ids: string[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let index = 0; running || index < 25; index += 1) {
      const { createItem } = await elsewhere.query(
        `mutation ($name: String!) { createItem(input: { name: $name }) { id } }`,
        { name: `w${writer}-${index}` },
      );
      ids.push(createItem.id);
      if (index % 3 === 0)
        await elsewhere.query(
          `mutation ($id: ID!) { updateItem(id: $id, input: { name: "again" }) { id } }`,
          { id: createItem.id },
        );
    }
  });
  const version = await tenant.version();
  for (let index = 0; index < 6; index += 1) {
    await tenant.createField('item', {
      name: `must${index}`,
      type: 'TEXT',
      isRequired: true,
      defaultValue: `d${index}`,
    });
  }
  running = false;
  await Promise.all(writers);

  expect(await tenant.version()).toBe(version + 6);
  const musts = Array.from({ length: 6 }, (_, index) => `must${index}`).join(' ');
  const seen: Record<string, string>[] = [];
  for (let after: string | null = null; ; ) {
    const { items } = await tenant.query(
      `query ($after: String) { items(first: 1000, after: $after) { nodes { id ${musts} } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    seen.push(...items.nodes);
    if (!items.pageInfo.hasNextPage) break;
    after = items.pageInfo.endCursor;
  }
  expect(new Set(seen.map((item) => item['id']))).toEqual(new Set(ids));
  expect(seen).toHaveLength(ids.length);
  for (const item of seen)
    for (let index = 0; index < 6; index += 1) expect(item[`must${index}`]).toBe(`d${index}`);
  const { items } = await tenant.query(`{ items(filter: { must5: { eq: "d5" } }) { totalCount } }`);
  expect(items.totalCount).toBe(ids.length);

  const { rows } = await fixture.superuser.query(
    `select count(*)::int as events, max(seq)::int as last, (select seq::int from tenant_heads where tenant_id = $1) as head,
            count(*) filter (where kind = 'DEFINITIONS')::int as definitions from events where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows[0].events).toBe(rows[0].last);
  expect(rows[0].last).toBe(rows[0].head);
  expect(rows[0].definitions).toBe(version + 6 - 1);
});

it('brings definitions of several admins together', async () => {
  const other = fixture.tenantOf(fixture.createService(), tenant.claims);
  const version = await tenant.version();
  await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      (index % 2 ? tenant : other).createField('item', { name: `f${index}`, type: 'TEXT' }),
    ),
  );
  expect(await tenant.version()).toBe(version + 12);
  const { rows } = await fixture.superuser.query(
    `select count(distinct slot)::int as slots, count(*)::int as fields from field_definitions where tenant_id = $1`,
    [tenant.id],
  );
  expect(rows).toEqual([{ slots: 13, fields: 13 }]);
  const same = await Promise.allSettled([
    tenant.createField('item', { name: 'same', type: 'TEXT' }),
    other.createField('item', { name: 'SAME', type: 'TEXT' }),
  ]);
  expect(same.map((outcome) => outcome.status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(String(same.find((outcome) => outcome.status === 'rejected')?.reason)).toContain('CONFLICT');
});

it('does not write to a deleted field, and serves the graph that was planned before the change', async () => {
  await tenant.createField('item', { name: 'doomed', type: 'TEXT' });
  const planned = await tenant.version();
  const { createItem } = await tenant.query(
    `mutation { createItem(input: { name: "x", doomed: "old" }) { id } }`,
  );
  const elsewhere = fixture.tenantOf(fixture.createService(), tenant.claims);
  await elsewhere.query(`{ items { nodes { doomed } } }`);
  await tenant.query(`mutation { deleteField(entity: "item", name: "doomed") }`);
  // The other process still knows the field; its write meets the fence and is checked again.
  const refusal = await elsewhere.refusal(
    `mutation ($id: ID!) { updateItem(id: $id, input: { doomed: "new" }) { id } }`,
    { id: createItem.id },
  );
  expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'doomed', rule: 'unknown' }] });
  // This one serves an operation of the version before, as it was planned.
  const { items } = await tenant.query(`{ items { nodes { name doomed } } }`, {}, planned);
  expect(items.nodes).toMatchObject([{ name: 'x' }]);
  expect(
    (await tenant.send(`{ items { nodes { doomed } } }`, {}, planned + 1)).errors?.[0]?.extensions['code'],
  ).toBe('GRAPHQL_VALIDATION_FAILED');
  await fixture.service.definitions.idle();
  const { rows } = await fixture.superuser.query(`select data from records where tenant_id = $1`, [
    tenant.id,
  ]);
  expect(rows).toEqual([{ data: { name: 'x' } }]);
});

it('answers an SDL of at least the version that is asked for', async () => {
  const other = fixture.createService();
  const before = await other.getSdl({ audience: 'TENANT', tenantId: tenant.id, version: null });
  await tenant.createField('item', { name: 'fresh', type: 'TEXT' });
  const version = await tenant.version();
  const after = await other.getSdl({ audience: 'TENANT', tenantId: tenant.id, version });
  expect(after.version).toBe(version);
  expect(before.sdl).not.toContain('fresh');
  expect(after.sdl).toContain('fresh: String');
});
