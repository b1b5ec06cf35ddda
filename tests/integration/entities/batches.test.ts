/** Batches through the subgraph: shapes, roles, statements, and errors that name the place. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  await tenant.createEntity({
    name: 'product',
    fields: [
      { name: 'code', type: 'TEXT', isUnique: true },
      { name: 'title', type: 'TEXT', isRequired: true },
      { name: 'replaces', type: 'RELATION', targetEntity: 'product', inverseName: 'replacedBy' },
    ],
  });
  await tenant.createEntity({ name: 'marker' });
});
afterAll(() => fixture[Symbol.asyncDispose]());

const create = `mutation ($inputs: [CreateProductInput!]!) { createProducts(inputs: $inputs) { id } }`;
const update = `mutation ($inputs: [UpdateProductsInput!]!) { updateProducts(inputs: $inputs) { id code title version replacesId } }`;
const upsert = `mutation ($inputs: [CreateProductInput!]!) { upsertProducts(on: CODE, inputs: $inputs) { id code title version } }`;
const remove = `mutation ($ids: [ID!]!) { deleteProducts(ids: $ids) { id deletedAt } }`;
const restore = `mutation ($ids: [ID!]!) { restoreProducts(ids: $ids) { id deletedAt version } }`;

async function products(prefix: string, count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, (_, i) => ({ code: `${prefix}${i}`, title: 'x' }));
  const { createProducts } = await tenant.query(create, { inputs });
  return createProducts.map((record: { id: string }) => record.id);
}

it('change, upsert, delete and restore records, answered in order', async () => {
  const [a, b] = (await products('a', 2)) as [string, string];
  const { updateProducts } = await tenant.query(update, {
    inputs: [
      { id: b, input: { title: 'second', replacesId: a }, expectedVersion: 1 },
      { id: a, input: { code: null } },
    ],
  });
  expect(updateProducts).toEqual([
    { id: b, code: 'a1', title: 'second', version: 2, replacesId: a },
    { id: a, code: null, title: 'x', version: 2, replacesId: null },
  ]);
  const { upsertProducts } = await tenant.query(upsert, {
    inputs: [
      { code: 'fresh', title: 'new' },
      { code: 'a1', title: 'third' },
    ],
  });
  expect(upsertProducts).toMatchObject([
    { code: 'fresh', title: 'new', version: 1 },
    { id: b, title: 'third', version: 3 },
  ]);
  const { deleteProducts } = await tenant.query(remove, { ids: [b, a] });
  expect(deleteProducts).toEqual([
    { id: b, deletedAt: expect.any(String) },
    { id: a, deletedAt: expect.any(String) },
  ]);
  const { restoreProducts } = await tenant.query(restore, { ids: [a, b] });
  expect(restoreProducts).toMatchObject([
    { id: a, deletedAt: null },
    { id: b, deletedAt: null },
  ]);
});

it('take a handful of statements, however many records there are', async () => {
  const few = await products('few', 2);
  const many = await products('many', 300);
  const statementsOf = async (query: string, of: (id: string) => Record<string, unknown>, ids: string[]) =>
    (await fixture.countStatements(() => tenant.query(query, of(ids as never)))).statements.length;
  const updates = (ids: unknown) => ({
    inputs: (ids as string[]).map((id, i) => ({ id, input: { code: `${id}${i}`, replacesId: few[0] } })),
  });
  const byId = (ids: unknown) => ({ ids });
  const upserts = (ids: unknown) => ({
    inputs: (ids as string[]).flatMap((id, i) => [
      { code: `${id}${i}`, title: 'changed' },
      { code: `${id} new`, title: 'created' },
    ]),
  });
  for (const [query, variables, expected] of [
    [update, updates, 6],
    [upsert, upserts, 6],
    [remove, byId, 6],
    [restore, byId, 5],
  ] as const) {
    const counts = [
      await statementsOf(query, variables, few.slice(1)),
      await statementsOf(query, variables, many),
    ];
    expect(counts[0], query).toBe(counts[1]);
    expect(counts[0], query).toBeLessThanOrEqual(expected);
  }
});

it('name the place of what is wrong, and leave nothing behind', async () => {
  const ids = await products('wrong', 3);
  const refusal = await tenant.refusal(update, {
    inputs: ids.map((id, i) => ({ id, input: i === 2 ? { title: null, code: 'a\0' } : { title: 'no' } })),
  });
  expect(refusal.code).toBe('BAD_USER_INPUT');
  expect(refusal.fields.map(({ field }) => field).toSorted()).toEqual(['inputs.2.code', 'inputs.2.title']);
  const { products: page } = await tenant.query(
    '{ products(filter: { title: { eq: "no" } }) { nodes { id } } }',
  );
  expect(page.nodes).toEqual([]);
  const unknown = await tenant.refusal(remove, { ids: [...ids, 'nonsense'] });
  expect(unknown).toMatchObject({ code: 'NOT_FOUND', fields: [{ field: 'ids.3' }] });
  const tooMany = await tenant.refusal(restore, { ids: Array.from({ length: 1_001 }, () => ids[0]) });
  expect(tooMany).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'ids', rule: 'maxLength' }] });
});

it('are refused to who only reads, and to another tenant as if nothing were there', async () => {
  const ids = await products('guarded', 1);
  const inputs = ids.map((id) => ({ id, input: { title: 'stolen' } }));
  const viewer = tenant.as({ role: 'VIEWER' });
  for (const [query, variables] of [
    [update, { inputs }],
    [upsert, { inputs: [{ code: 'guarded0', title: 'stolen' }] }],
    [remove, { ids }],
    [restore, { ids }],
  ] as const) {
    expect((await viewer.refusal(query, variables)).code).toBe('FORBIDDEN');
  }
  const other = await fixture.addTenant();
  await other.createEntity({
    name: 'product',
    fields: [
      { name: 'code', type: 'TEXT', isUnique: true },
      { name: 'title', type: 'TEXT', isRequired: true },
      { name: 'replaces', type: 'RELATION', targetEntity: 'product', inverseName: 'replacedBy' },
    ],
  });
  expect((await other.refusal(update, { inputs })).code).toBe('NOT_FOUND');
  expect((await other.refusal(remove, { ids })).code).toBe('NOT_FOUND');
  expect((await other.refusal(restore, { ids })).code).toBe('NOT_FOUND');
  const { product } = await tenant.query('query ($id: ID!) { product(id: $id) { title version } }', {
    id: ids[0],
  });
  expect(product).toEqual({ title: 'x', version: 1 });
});

it('also serve an entity without fields', async () => {
  const { createMarker } = await tenant.query('mutation { createMarker { id } }');
  const ids = [createMarker.id];
  await tenant.query('mutation ($ids: [ID!]!) { deleteMarkers(ids: $ids) { id } }', { ids });
  const { restoreMarkers } = await tenant.query(
    'mutation ($ids: [ID!]!) { restoreMarkers(ids: $ids) { id deletedAt } }',
    { ids },
  );
  expect(restoreMarkers).toEqual([{ id: createMarker.id, deletedAt: null }]);
});
