/** Decimals, figures, search and filters through the gateway, as a frontend sends them; nothing of another tenant's. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let other: TestTenant;

async function define(of: TestTenant): Promise<void> {
  const create = 'mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }';
  await of.admin.query(create, { input: { name: 'shop', fields: [{ name: 'name', type: 'TEXT' }] } });
  await of.admin.query(create, {
    input: {
      name: 'sale',
      fields: [
        { name: 'amount', type: 'DECIMAL', validation: { precision: 20, scale: 2, min: '0' } },
        { name: 'soldAt', type: 'DATETIME' },
        { name: 'note', type: 'TEXT', isSearchable: true },
        { name: 'shop', type: 'RELATION', targetEntity: 'shop', inverseName: 'sales' },
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
  const { createShop } = await tenant.admin.query(
    'mutation { createShop(input: { name: "Zürich" }) { id } }',
  );
  const sales = [
    {
      amount: '9007199254740993.01',
      soldAt: '2026-01-31T23:59:59Z',
      note: 'Große Bestellung',
      shopId: createShop.id,
    },
    { amount: 0.1, soldAt: '2026-02-01T00:00:00Z', note: 'große', shopId: createShop.id },
    { amount: '0.20', soldAt: '2026-02-28T12:00:00Z', note: 'vergroßert' },
  ];
  await tenant.admin.query(
    'mutation ($inputs: [CreateSaleInput!]!) { createSales(inputs: $inputs) { id } }',
    {
      inputs: sales,
    },
  );
});
afterAll(() => product[Symbol.asyncDispose]());

describe('through the gateway', () => {
  it('decimals keep their digits, in variables, literals and answers', async () => {
    const byVariable = await tenant.admin.query(
      'query ($least: Decimal) { sales(filter: { amount: { gte: $least } }) { nodes { amount } } }',
      { least: '9007199254740993.01' },
    );
    expect(byVariable.sales.nodes).toEqual([{ amount: '9007199254740993.01' }]);
    const byLiteral = await tenant.admin.query(
      '{ a: sales(filter: { amount: { eq: "9007199254740993.01" } }) { totalCount } b: sales(filter: { amount: { eq: 0.1 } }) { nodes { amount } } }',
    );
    expect(byLiteral).toEqual({ a: { totalCount: 1 }, b: { nodes: [{ amount: '0.10' }] } });
    // A number that has lost its digits on the way is refused, not rounded.
    for (const amount of ['9007199254740993.01', '"0.005"', '"1e3"', 'true']) {
      const code = await tenant.admin.codeOf(`mutation { createSale(input: { amount: ${amount} }) { id } }`);
      expect(['BAD_USER_INPUT', 'GRAPHQL_VALIDATION_FAILED'], amount).toContain(code);
    }
  });

  it('figures by month and shop, with who made them from the other subgraph', async () => {
    const { salesAggregate } = await tenant.admin.query(`{
      salesAggregate(groupBy: [{ soldAt: MONTH }, { shop: { name: true } }], orderBy: [{ sum: { amount: DESC } }], having: { count: { gte: 1 } }) {
        group { soldAt shop { name } } count sum { amount } ...least }
    } fragment least on SaleAggregate { min { soldAt amount } }`);
    expect(salesAggregate).toEqual([
      {
        group: { soldAt: '2026-01-01T00:00:00.000Z', shop: { name: 'Zürich' } },
        count: 1,
        sum: { amount: '9007199254740993.01' },
        min: { soldAt: '2026-01-31T23:59:59.000Z', amount: '9007199254740993.01' },
      },
      {
        group: { soldAt: '2026-02-01T00:00:00.000Z', shop: { name: null } },
        count: 1,
        sum: { amount: '0.20' },
        min: { soldAt: '2026-02-28T12:00:00.000Z', amount: '0.20' },
      },
      {
        group: { soldAt: '2026-02-01T00:00:00.000Z', shop: { name: 'Zürich' } },
        count: 1,
        sum: { amount: '0.10' },
        min: { soldAt: '2026-02-01T00:00:00.000Z', amount: '0.10' },
      },
    ]);
    const me = await tenant.admin.query('{ me { email } }');
    const byAuthor = await tenant.admin.query(
      'query ($by: [SaleGroupBy!]) { salesAggregate(groupBy: $by) { group { createdBy { email } } count } }',
      { by: [{ createdBy: true }] },
    );
    expect(byAuthor.salesAggregate).toEqual([{ group: { createdBy: { email: me.me.email } }, count: 3 }]);
  });

  it('search puts whole words first', async () => {
    const { sales } = await tenant.admin.query('{ sales(search: "BESTELL") { nodes { note } totalCount } }');
    expect(sales).toEqual({ nodes: [{ note: 'Große Bestellung' }], totalCount: 1 });
    const parts = await tenant.admin.query('{ sales(search: "GROßE") { nodes { note } } }');
    expect(parts.sales.nodes.map(({ note }: { note: string }) => note)).toEqual([
      'Große Bestellung',
      'große',
      'vergroßert',
    ]);
  });

  it('isNot, and what a viewer may not see', async () => {
    const { sales } = await tenant.admin.query(
      '{ sales(filter: { shop: { isNot: { name: { eq: "Zürich" } } } }) { nodes { note } } }',
    );
    expect(sales.nodes).toEqual([{ note: 'vergroßert' }]);
    const viewer = await addUser(product, tenant, 'VIEWER');
    expect(await viewer.codeOf('{ salesAggregate(includeDeleted: true) { count } }')).toBe('FORBIDDEN');
    expect((await viewer.query('{ salesAggregate { count } }')).salesAggregate).toEqual([{ count: 3 }]);
  });

  it("nothing of ours is in another tenant's figures or finds", async () => {
    const answer = await other.admin.query(
      '{ salesAggregate(includeDeleted: true) { count sum { amount } countDistinct { shopId } } sales(search: "große") { totalCount } }',
    );
    expect(answer).toEqual({
      salesAggregate: [{ count: 0, sum: { amount: null }, countDistinct: { shopId: 0 } }],
      sales: { totalCount: 0 },
    });
    expect(await product.client().codeOf('{ salesAggregate { count } }')).toBe('UNAUTHENTICATED');
  });
});
