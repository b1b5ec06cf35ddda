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

describe('a list that is chosen by a relation', () => {
  // More records at the other end than are looked up from there, and fewer.
  const many = 1_500;
  let pieces: { id: string; title: string; wholeId: string }[];

  beforeAll(async () => {
    await bench.sql(
      `update records set data = data - 'whole_key', r1 = null where tenant_id = $1 and r1 is not null`,
      [fresh.id],
    );
    const wholes = await bench.sql<{ id: string }>(
      `select id from records where tenant_id = $1 and entity_id = $2 order by id limit $3`,
      [fresh.id, fresh.entity('part').id, many],
    );
    const inputs = wholes.map(({ id }, n) => ({ title: `piece ${String(n).padStart(4, '0')}`, wholeId: id }));
    pieces = [];
    for (const batch of [inputs.slice(0, 1_000), inputs.slice(1_000)]) {
      const created = await bench.store.create(fresh.context, fresh.entity('part'), batch);
      pieces.push(
        ...created.map(({ id }, n) => ({ id, ...(batch[n] as { title: string; wholeId: string }) })),
      );
    }
  });

  async function walk(request: object): Promise<string[]> {
    const ids: string[] = [];
    for (let after: string | null = null; ; ) {
      const page = await bench.store.list(fresh.context, {
        entity: fresh.entity('part'),
        first: 400,
        after,
        ...request,
      });
      ids.push(...page.edges.map((edge) => edge.record.id));
      after = page.hasNextPage ? (page.edges.at(-1)?.cursor ?? null) : null;
      if (after === null) return ids;
    }
  }

  it.each([
    ['many', { title: { startsWith: 'part' } }],
    ['few', { title: { startsWith: 'part 77' } }],
    ['none', { title: { eq: 'nothing' } }],
  ])('has the same records in the same order from either end, %s at the other', async (_what, title) => {
    const titles = await bench.sql<{ id: string; title: string }>(
      `select id, data ->> 'title_key' as title from records where tenant_id = $1`,
      [fresh.id],
    );
    const titleOf = new Map(titles.map((row) => [row.id, row.title]));
    const [prefix, isWhole] =
      'startsWith' in title.title ? [title.title.startsWith, false] : [title.title.eq, true];
    const matches = (id: string): boolean =>
      isWhole ? titleOf.get(id) === prefix : (titleOf.get(id) ?? '').startsWith(prefix);
    const expected = pieces.filter((piece) => matches(piece.wholeId));
    expect(await count({ whole: title })).toBe(expected.length);
    const orderBy = [{ title: 'DESC' }];
    expect(await walk({ filter: { whole: title }, orderBy })).toEqual(
      expected.map(({ id }) => id).toReversed(),
    );
    expect(await walk({ filter: { whole: title } })).toEqual(expected.map(({ id }) => id).toSorted());
    // And back: those at which a piece points that begins so.
    const some = {
      pieces: { some: { title: { startsWith: 'piece' } }, none: { title: { eq: 'piece 0003' } } },
    };
    const wholes = pieces.filter(({ title: own }) => own !== 'piece 0003').map(({ wholeId }) => wholeId);
    expect(await count({ ...some, ...title })).toBe(wholes.filter(matches).length);
    expect(await walk({ filter: { ...some, ...title } })).toEqual(wholes.filter(matches).toSorted());
  });
});
