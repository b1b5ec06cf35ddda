/** Pages that begin with the records that have no value: few of many, none, or in many patterns. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildListStatement } from '#subgraphs/entities/store/list-sql.ts';
import type { ListRequest } from '#subgraphs/entities/store/record-store.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import { createRecordBench, type RecordBench, type TestTenant } from './record-bench.ts';

let bench: RecordBench;
beforeAll(async () => {
  bench = await createRecordBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const names = Array.from({ length: 9 }, (_, index) => `f${index}`);
type Values = Record<string, number | string | null>;

async function fill(count: number, valuesOf: (index: number) => Values): Promise<TestTenant> {
  const tenant = await bench.addTenant([
    {
      name: 'item',
      pluralName: 'items',
      fields: [
        { name: 'name', type: 'TEXT', slot: 't20' },
        ...names.map((name, index) => ({ name, type: 'INTEGER' as const, slot: `n${index + 1}` })),
      ],
    },
  ]);
  const inputs = Array.from({ length: count }, (_, index) => valuesOf(index));
  for (let at = 0; at < count; at += 500)
    await bench.store.create(tenant.context, tenant.entity('item'), inputs.slice(at, at + 500));
  await bench.sql('analyze records');
  return tenant;
}

/** Every record in order, page by page. */
async function walk(tenant: TestTenant, request: Omit<ListRequest, 'entity'>): Promise<string[]> {
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const page = await bench.store.list(tenant.context, { ...request, entity: tenant.entity('item'), after });
    ids.push(...page.edges.map((edge) => edge.record.id));
    if (!page.hasNextPage) return ids;
    after = page.edges.at(-1)?.cursor ?? null;
  }
}

/** Rows of `records` that the database looked at for one page. */
async function rowsRead(tenant: TestTenant, request: Omit<ListRequest, 'entity'>): Promise<number> {
  const { context } = tenant;
  const { statement } = buildListStatement(context.model, modelAccess(context.model, context.claims), {
    ...request,
    entity: tenant.entity('item'),
  });
  const [row] = await bench.database.read<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(context.claims, {
    text: `explain (analyze, format json) ${statement.text}`,
    values: statement.values ?? [],
  });
  return rowsOf(row?.['QUERY PLAN'][0]?.Plan as PlanNode);
}
interface PlanNode {
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}
function rowsOf(node: PlanNode): number {
  const own =
    node['Relation Name'] === 'records'
      ? (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops']
      : 0;
  return (node.Plans ?? []).reduce((total, plan) => total + rowsOf(plan), own);
}

describe('nulls first', () => {
  const page = { first: 20, orderBy: [{ name: 'ASC_NULLS_FIRST' }] };

  it('reads few records where few or none are without a value, also of a field that came later', async () => {
    const lacking = new Set([3, 1_200, 2_499]);
    const tenant = await fill(2_500, (index) => ({
      name: lacking.has(index) ? null : `n${String(index).padStart(4, '0')}`,
      f0: index,
      ...(index % 3 === 0 ? { f1: 1 } : {}),
    }));
    const ids = await walk(tenant, { first: 1_000 });
    const expected = [
      ...[...lacking].map((index) => ids[index]),
      ...ids.filter((_, index) => !lacking.has(index)),
    ];
    expect(await walk(tenant, { ...page, first: 300 })).toEqual(expected);
    const backwards = await bench.store.list(tenant.context, {
      entity: tenant.entity('item'),
      last: 2,
      orderBy: [{ name: 'DESC_NULLS_LAST' }],
    });
    expect(backwards.edges.map((edge) => edge.record.id)).toEqual([ids[1_200], ids[3]]);
    const skipping = { entity: tenant.entity('item'), first: 4, offset: 1, orderBy: page.orderBy };
    const skipped = await bench.store.list(tenant.context, skipping);
    expect(skipped.edges.map((edge) => edge.record.id)).toEqual(expected.slice(1, 5));
    expect(await rowsRead(tenant, page)).toBeLessThan(100);
    expect(await rowsRead(tenant, { ...page, filter: { f0: { gte: 5 } } })).toBeLessThan(100);
    const complete = { first: 20, orderBy: [{ f0: 'ASC_NULLS_FIRST' }] };
    expect(await rowsRead(tenant, complete)).toBeLessThan(100);
    // A field whose slot no record has filled.
    const late = { first: 20, orderBy: [{ f8: 'ASC_NULLS_FIRST' }] };
    expect(await rowsRead(tenant, late)).toBeLessThan(200);
    expect((await walk(tenant, { ...late, first: 1_000 })).toSorted()).toEqual(ids.toSorted());
  });

  it('is right where records lack values in more ways than are looked at', async () => {
    // Each of 512 ways, twice.
    const tenant = await fill(1_024, (index) =>
      Object.fromEntries(
        names.map((name, bit) => [name, (index >> bit) % 2 === 0 ? null : (index * 7) % 31]),
      ),
    );
    const ids = await walk(tenant, { first: 1_000 });
    const valueOf = (index: number): number => ((index >> 4) % 2 === 0 ? -1 : (index * 7) % 31);
    const expected = ids
      .map((id, index) => ({ id, value: valueOf(index) }))
      .toSorted((a, b) => a.value - b.value || (a.id < b.id ? -1 : 1))
      .map(({ id }) => id);
    expect(await walk(tenant, { first: 100, orderBy: [{ f4: 'ASC_NULLS_FIRST' }] })).toEqual(expected);
  });
});
