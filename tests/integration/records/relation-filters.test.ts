/** Filters through relations, for a tenant that the database's statistics do not know yet. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRecordBench } from './record-bench.ts';
import type { EntitySpec, RecordBench, TestTenant } from './record-bench.ts';

const entities: EntitySpec[] = [
  {
    name: 'part',
    pluralName: 'parts',
    fields: [
      { name: 'title', type: 'TEXT', slot: 't1' },
      { name: 'whole', type: 'RELATION', target: 'part', inverseName: 'pieces', slot: 'r1' },
    ],
  },
];
/** Enough that a plan which compares each with each, three times over, never ends. */
const size = 3_000;

let bench: RecordBench;
let fresh: TestTenant;
beforeAll(async () => {
  bench = await createRecordBench();
  await bench.sql('alter table records set (autovacuum_enabled = false)');
  const known = await bench.addTenant(entities);
  await bench.store.create(known.context, known.entity('part'), titles(400));
  await bench.sql('analyze records');
  fresh = await bench.addTenant(entities);
  const ids: string[] = [];
  while (ids.length < size) {
    const created = await bench.store.create(fresh.context, fresh.entity('part'), titles(1_000));
    ids.push(...created.map((record) => record.id));
  }
  const [root, child, grandchild] = ids as [string, string, string];
  await link(child, root);
  await link(grandchild, child);
});
afterAll(() => bench[Symbol.asyncDispose]());

const titles = (count: number): { title: string }[] =>
  Array.from({ length: count }, (_, n) => ({ title: `part ${n}` }));

async function link(id: string, wholeId: string): Promise<void> {
  await bench.store.update(fresh.context, fresh.entity('part'), id, { wholeId }, null);
}

async function count(filter: Record<string, unknown>): Promise<number> {
  return bench.store.count(fresh.context, { entity: fresh.entity('part'), filter });
}

describe('a filter through relations', () => {
  it.each([
    [{ whole: {} }, 2],
    [{ whole: { whole: {} } }, 1],
    [{ whole: { whole: { whole: {} } } }, 0],
    [{ whole: { title: { eq: 'part 1' } } }, 1],
    [{ pieces: { some: {} } }, 2],
    [{ pieces: { some: { pieces: { some: {} } } } }, 1],
    [{ pieces: { none: { pieces: { some: {} } } } }, size - 1],
    [{ pieces: { some: { whole: { whole: { pieces: { none: {} } } } } } }, 0],
    [{ pieces: { every: { pieces: { some: { whole: {} } } } } }, size - 1],
  ])('%j is decided by a probe for each record, whatever the planner expects', async (filter, expected) => {
    expect(await count(filter)).toBe(expected);
  });
});

describe('an order through relations', () => {
  it('looks each record up once, whatever the planner expects', async () => {
    const orderBy = [
      { whole: { whole: { title: 'ASC_NULLS_LAST' } } },
      { whole: { title: 'ASC_NULLS_LAST' } },
    ];
    const page = await bench.store.list(fresh.context, { entity: fresh.entity('part'), first: 3, orderBy });
    const [title] = fresh.entity('part').fields;
    expect(page.edges.map(({ record }) => record.data[title?.key ?? ''])).toEqual([
      'part 2',
      'part 1',
      'part 0',
    ]);
  });
});
