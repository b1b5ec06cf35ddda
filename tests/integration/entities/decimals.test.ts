/** DECIMAL through the subgraph: exact in and out, in filters, orders, pages, keys and figures, in a slot and without. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());

/** In order. Several are the same double. */
const amounts = [
  '-9007199254740993.01',
  '-9007199254740993.00',
  '-0.10',
  '0.00',
  '0.10',
  '2.00',
  '10.00',
  '10.02',
  '9007199254740992.00',
  '9007199254740992.50',
  '9007199254740993.00',
  '9007199254740993.01',
];
const stored = (amount: string): string => amount.replace(/\.?0+$/, '');

describe.each(['in a slot', 'without a slot'])('%s', (storage) => {
  let tenant: EntitiesTenant;
  beforeAll(async () => {
    tenant = await fixture.addTenant();
    await tenant.createEntity({
      name: 'payment',
      fields: [
        { name: 'amount', type: 'DECIMAL', isUnique: true, validation: { precision: 20, scale: 2 } },
        { name: 'rate', type: 'DECIMAL' },
        { name: 'account', type: 'TEXT' },
        { name: 'payer', type: 'RELATION', targetEntity: 'payment', inverseName: 'paid' },
      ],
    });
    if (storage === 'without a slot') {
      await fixture.superuser.query('update field_definitions set slot = null where tenant_id = $1', [
        tenant.id,
      ]);
      await fixture.superuser.query(
        'update tenant_heads set definitions_version = definitions_version + 1 where tenant_id = $1',
        [tenant.id],
      );
      fixture.service.definitions.models.invalidate(tenant.id);
    }
    // In an order that is neither the amounts' nor its opposite.
    const inputs = amounts.map((amount, i) => ({ amount, account: i % 2 === 0 ? 'even' : 'odd' }));
    await tenant.query(
      'mutation ($inputs: [CreatePaymentInput!]!) { createPayments(inputs: $inputs) { id } }',
      {
        inputs: [
          ...inputs.filter((_, i) => i % 3 === 1),
          ...inputs.filter((_, i) => i % 3 !== 1),
          { account: 'none' },
        ],
      },
    );
  });

  const list = async (args: string): Promise<Anything> => {
    const { payments } = await tenant.query(
      `{ payments(${args}) { nodes { amount } totalCount pageInfo { endCursor hasNextPage } } }`,
    );
    return { ...payments, amounts: payments.nodes.map((node: { amount: string | null }) => node.amount) };
  };

  it('orders exactly, over pages of every size and in both directions', async () => {
    for (const [direction, expected] of [
      ['ASC', [...amounts, null]],
      ['DESC_NULLS_LAST', [...amounts.toReversed(), null]],
    ] as const) {
      for (const first of [1, 2, 5, 50]) {
        const seen: (string | null)[] = [];
        let after = '';
        for (;;) {
          const page = await list(`orderBy: [{ amount: ${direction} }], first: ${first}${after}`);
          seen.push(...page.amounts);
          if (!page.pageInfo.hasNextPage) break;
          after = `, after: "${page.pageInfo.endCursor}"`;
        }
        expect(seen, `${direction} by ${first}`).toEqual(expected);
      }
    }
  });

  it.each([
    ['eq: "9007199254740993"', (amount: string) => amount === '9007199254740993.00'],
    ['eq: "9007199254740993.010"', (amount: string) => amount === '9007199254740993.01'],
    ['gt: "9007199254740992"', (amount: string) => amounts.indexOf(amount) > 8],
    [
      'gte: "9007199254740992", lt: "9007199254740993"',
      (amount: string) => [8, 9].includes(amounts.indexOf(amount)),
    ],
    ['lte: -0.1', (amount: string) => amounts.indexOf(amount) <= 2],
    ['in: ["10", "10.020", "99"]', (amount: string) => ['10.00', '10.02'].includes(amount)],
    ['eq: "10.001"', () => false],
  ])('filters exactly: %s', async (comparison, holds) => {
    const page = await list(`filter: { amount: { ${comparison} } }, orderBy: [{ amount: ASC }]`);
    expect(page.amounts).toEqual(amounts.filter(holds));
    expect(page.totalCount).toBe(page.amounts.length);
  });

  it('sums to the last digit', async () => {
    const { paymentsAggregate } = await tenant.query(`{ paymentsAggregate(
        filter: { account: { ne: "none" } }, groupBy: [{ account: true }], having: { max: { amount: { gt: "9007199254740993" } } }) {
      group { account } count countDistinct { amount } sum { amount rate } avg { amount } min { amount } max { amount } } }`);
    const [odd] = paymentsAggregate;
    expect(paymentsAggregate).toHaveLength(1);
    const own = amounts.filter((_, i) => i % 2 === 1).map((amount) => BigInt(amount.replace('.', '')));
    const cents = own.reduce((a, b) => a + b, 0n);
    expect(odd).toMatchObject({
      group: { account: 'odd' },
      count: 6,
      countDistinct: { amount: 6 },
      sum: { amount: `${cents / 100n}.${String(cents % 100n).padStart(2, '0')}`, rate: null },
      min: { amount: '-9007199254740993.00' },
      max: { amount: '9007199254740993.01' },
    });
    // To the two digits of the scale and six more.
    const [whole, fraction] = odd.avg.amount.split('.');
    expect(BigInt(whole + fraction.padEnd(8, '0'))).toBe((cents * 1_000_000n + 3n) / 6n);
  });

  it('groups by the exact number, in its order', async () => {
    const { paymentsAggregate } = await tenant.query(
      '{ paymentsAggregate(groupBy: [{ amount: true }], orderBy: [{ group: { amount: DESC_NULLS_FIRST } }]) { group { amount } count } }',
    );
    expect(paymentsAggregate.map(({ group }: Anything) => group.amount)).toEqual([
      null,
      ...amounts.toReversed(),
    ]);
  });

  it('is unique as a number, whatever the spelling, and found by it', async () => {
    const { paymentByAmount } = await tenant.query(
      '{ paymentByAmount(amount: "+010.020") { amount account } }',
    );
    expect(paymentByAmount).toEqual({ amount: '10.02', account: 'odd' });
    expect((await tenant.query('{ paymentByAmount(amount: "10.021") { id } }')).paymentByAmount).toBeNull();
    const refusal = await tenant.refusal('mutation { createPayment(input: { amount: "10.0" }) { id } }');
    expect(refusal).toMatchObject({ code: 'CONFLICT', fields: [{ field: 'amount' }] });
  });

  it('follows a relation', async () => {
    const { paymentByAmount } = await tenant.query('{ paymentByAmount(amount: 2) { id } }');
    const { createPayment } = await tenant.query(
      'mutation ($payerId: ID!) { createPayment(input: { account: "child", payerId: $payerId, rate: "0.12345678901234567890123" }) { rate } }',
      { payerId: paymentByAmount.id },
    );
    expect(createPayment.rate).toBe('0.12345678901234567890123');
    const page = await list('filter: { paid: { some: { rate: { lt: "0.12345678901234567890124" } } } }');
    expect(page.amounts).toEqual(['2.00']);
    const { payments } = await tenant.query(
      '{ payments(filter: { account: { eq: "child" } }, orderBy: [{ payer: { amount: DESC } }]) { nodes { payer { amount } } } }',
    );
    expect(payments.nodes).toEqual([{ payer: { amount: '2.00' } }]);
  });

  it('refuses what it cannot hold exactly, naming field and rule', async () => {
    for (const [amount, rule] of [
      ['1.005', 'scale'],
      ['1234567890123456789', 'precision'],
      ['ten', 'decimal'],
      ['1e5', 'decimal'],
      ["1'; drop table records; --", 'decimal'],
    ]) {
      const refusal = await tenant.refusal(
        'mutation ($input: CreatePaymentInput!) { createPayment(input: $input) { id } }',
        { input: { amount } },
      );
      expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'amount', rule }] });
    }
  });

  it('keeps the one spelling in storage', async () => {
    const { rows } = await fixture.superuser.query(
      "select data ->> 'amount' as amount from records where tenant_id = $1 and data ? 'amount' order by (data ->> 'amount')::numeric",
      [tenant.id],
    );
    expect(rows.map((row) => row.amount)).toEqual(amounts.map(stored));
  });
});
