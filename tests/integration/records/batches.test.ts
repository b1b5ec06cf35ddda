/** Batches of updates, upserts, deletions and restorations: all or nothing, few statements, right among many writers. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { createRandom } from './list-cases.ts';
import { codeOf, createRecordBench } from './record-bench.ts';
import type { EntitySpec, RecordBench, TestTenant } from './record-bench.ts';

const entities: EntitySpec[] = [
  {
    name: 'part',
    pluralName: 'parts',
    fields: [
      { name: 'code', type: 'TEXT', slot: 't1', isUnique: true },
      { name: 'count', type: 'INTEGER', slot: 'n1', validation: { min: 0 } },
      {
        name: 'whole',
        type: 'RELATION',
        slot: 'r1',
        target: 'part',
        onDelete: 'RESTRICT',
        inverseName: 'parts',
      },
    ],
  },
];
const writers = 12;

let bench: RecordBench;
let tenant: TestTenant;
beforeAll(async () => {
  bench = await createRecordBench(writers);
});
beforeEach(async () => {
  tenant = await bench.addTenant(entities);
});
afterAll(() => bench[Symbol.asyncDispose]());

const part = () => tenant.entity('part');
const create = (inputs: Record<string, unknown>[]) => bench.store.create(tenant.context, part(), inputs);
const codes = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ code: `c${from + i}` }));
const idsOf = (records: readonly StoredRecord[]) => records.map((record) => record.id);
const valueOf = (record: StoredRecord | null | undefined, name: string) =>
  record?.data[`${name}_key`] ?? null;
const live = async () =>
  (await bench.store.list(tenant.context, { entity: part(), first: 1000 })).edges.map((edge) => edge.record);

async function refusal(promise: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (!(error instanceof DomainError)) throw new Error('expected a refusal', { cause: error });
  return error;
}

/** Runs `work` and expects that nothing of it is left: no record, no key, no event. */
async function expectNothing(work: () => Promise<unknown>): Promise<DomainError> {
  const state = () =>
    bench.sql(
      `select (select jsonb_agg(to_jsonb(r) order by id) from records r where tenant_id = $1) as records,
         (select jsonb_agg(k.hash order by hash) from record_keys k where tenant_id = $1) as keys,
         (select count(*) from events where tenant_id = $1) as events`,
      [tenant.id],
    );
  const before = await state();
  const error = await refusal(work());
  expect(await state()).toEqual(before);
  return error;
}

describe('updates', () => {
  it('answers in the order asked, writes only what differs, and appends one run of events', async () => {
    const [a, b, c] = (await create(codes(3))) as [StoredRecord, StoredRecord, StoredRecord];
    const answer = await bench.store.updateMany(tenant.context, part(), [
      { id: c.id, input: { count: 3 } },
      { id: a.id.toUpperCase(), input: { count: 1, wholeId: b.id }, expectedVersion: 1 },
      { id: b.id, input: { code: 'c1' } },
    ]);
    expect(answer.map(({ id, version }) => [id, version])).toEqual([
      [c.id, 2],
      [a.id, 2],
      [b.id, 1],
    ]);
    const log = (await bench.log(tenant)).slice(3);
    expect(log.map(({ operation, recordId, changedFields }) => [operation, recordId, changedFields])).toEqual(
      [
        ['UPDATED', c.id, ['count_key']],
        ['UPDATED', a.id, ['count_key', 'whole_key']],
      ],
    );
  });

  it('moves unique values around within the batch', async () => {
    const [a, b, c] = (await create(codes(3))) as [StoredRecord, StoredRecord, StoredRecord];
    await bench.store.updateMany(tenant.context, part(), [
      { id: a.id, input: { code: 'c1' } },
      { id: b.id, input: { code: 'c2' } },
      { id: c.id, input: { code: 'c0' } },
    ]);
    expect(
      valueOf(await bench.store.findByUnique(tenant.context, part(), 'code', { code: 'c0' }), 'code'),
    ).toBe('c0');
    const found = await Promise.all(
      ['c0', 'c1', 'c2'].map((code) => bench.store.findByUnique(tenant.context, part(), 'code', { code })),
    );
    expect(found.map((record) => record?.id)).toEqual([c.id, a.id, b.id]);
  });

  it('leaves nothing behind when one of them is wrong, and names it', async () => {
    const [a, b] = (await create(codes(3))) as [StoredRecord, StoredRecord, StoredRecord];
    const update = (inputs: Parameters<RecordBench['store']['updateMany']>[2]) => () =>
      bench.store.updateMany(tenant.context, part(), inputs);
    const good = { id: a.id, input: { count: 1 } };

    const broken = await expectNothing(
      update([good, { id: b.id, input: { count: -1, code: 'x\0', nope: 1 } }]),
    );
    expect(broken.code).toBe('BAD_USER_INPUT');
    expect(broken.fields?.map(({ field, rule }) => [field, rule])).toEqual(
      expect.arrayContaining([
        ['inputs.1.count', 'min'],
        ['inputs.1.code', 'characters'],
        ['inputs.1.nope', 'unknown'],
      ]),
    );
    const taken = await expectNothing(update([good, { id: b.id, input: { code: 'c2' } }]));
    expect([taken.code, taken.fields?.[0]?.field]).toEqual(['CONFLICT', 'inputs.1.code']);
    const target = await expectNothing(update([good, { id: b.id, input: { wholeId: randomUUID() } }]));
    expect([target.code, target.fields?.[0]?.field]).toEqual(['BAD_USER_INPUT', 'inputs.1.wholeId']);
    const version = await expectNothing(update([good, { id: b.id, input: {}, expectedVersion: 7 }]));
    expect([version.code, version.fields?.[0]?.field, version.details]).toEqual([
      'VERSION_CONFLICT',
      'inputs.1.expectedVersion',
      { currentVersion: 1 },
    ]);
    for (const id of [randomUUID(), 'no id', "'; drop table records; --"]) {
      const unknown = await expectNothing(update([good, { id, input: { count: 2 } }]));
      expect([unknown.code, unknown.fields?.[0]?.field]).toEqual(['NOT_FOUND', 'inputs.1.id']);
    }
    const twice = await expectNothing(update([good, { id: a.id.toUpperCase(), input: { count: 2 } }]));
    expect([twice.code, twice.fields?.[0]?.field, twice.fields?.[0]?.rule]).toEqual([
      'BAD_USER_INPUT',
      'inputs.1.id',
      'duplicate',
    ]);
    const many = Array.from({ length: 1_001 }, () => good);
    expect((await expectNothing(update(many))).fields?.[0]?.rule).toBe('maxLength');
  });

  it("cannot reach another tenant's or another entity's records", async () => {
    const [mine] = (await create(codes(1))) as [StoredRecord];
    const other = await bench.addTenant(entities);
    const [theirs] = await bench.store.create(other.context, other.entity('part'), codes(1));
    const error = await expectNothing(() =>
      bench.store.updateMany(tenant.context, part(), [
        { id: mine.id, input: { count: 1 } },
        { id: theirs?.id ?? '', input: { count: 1 } },
      ]),
    );
    expect(error.code).toBe('NOT_FOUND');
    const ids = [mine.id, theirs?.id ?? ''];
    expect((await expectNothing(() => bench.store.deleteMany(tenant.context, part(), ids))).code).toBe(
      'NOT_FOUND',
    );
    expect((await expectNothing(() => bench.store.restoreMany(tenant.context, part(), ids))).code).toBe(
      'NOT_FOUND',
    );
    const [untouched] = await bench.store.findMany(other.context, other.entity('part'), [theirs?.id ?? '']);
    expect(untouched).toMatchObject({ version: 1, deletedAt: null });
  });
});

describe('upserts', () => {
  it('creates what is not there and updates what is, in one answer', async () => {
    const [a] = (await create([{ code: 'c0', count: 5 }])) as [StoredRecord];
    const answer = await bench.store.upsertMany(tenant.context, part(), 'code', [
      { code: 'new', count: 1 },
      { code: 'c0', wholeId: a.id },
      { code: 'newer' },
    ]);
    expect(
      answer.map((record) => [valueOf(record, 'code'), valueOf(record, 'count'), record.version]),
    ).toEqual([
      ['new', 1, 1],
      ['c0', 5, 2],
      ['newer', null, 1],
    ]);
    expect(answer[1]?.id).toBe(a.id);
    expect(await live()).toHaveLength(3);
  });

  it('names what is wrong by its place among the inputs, also of those to be created', async () => {
    await create(codes(1));
    const upsert = (inputs: Record<string, unknown>[]) => () =>
      bench.store.upsertMany(tenant.context, part(), 'code', inputs);
    const fieldsOf = async (inputs: Record<string, unknown>[]) =>
      (await expectNothing(upsert(inputs))).fields?.map(({ field, rule }) => [field, rule]);
    expect(
      await fieldsOf([{ code: 'c0' }, { code: 'a' }, { code: 'a' }, { count: 1 }, { code: null }]),
    ).toEqual([
      ['inputs.2.code', 'duplicate'],
      ['inputs.3.code', 'required'],
      ['inputs.4.code', 'required'],
    ]);
    expect(await fieldsOf([{ code: 'c0' }, { code: 'a', wholeId: randomUUID() }])).toEqual([
      ['inputs.1.wholeId', 'relation'],
    ]);
    expect(await fieldsOf([{ code: 'c0', count: -1 }])).toEqual([['inputs.0.count', 'min']]);
    expect(await codeOf(bench.store.upsertMany(tenant.context, part(), 'count', [{ count: 1 }]))).toBe(
      'BAD_USER_INPUT',
    );
  });
});

describe('deletions and restorations', () => {
  it('deletes records that refuse to go alone, and brings them back together', async () => {
    const [whole] = (await create(codes(1))) as [StoredRecord];
    const children = await create(codes(3, 1).map((input) => ({ ...input, wholeId: whole.id })));
    const alone = await expectNothing(() => bench.store.deleteMany(tenant.context, part(), [whole.id]));
    expect(alone.code).toBe('CONFLICT');

    const ids = [whole.id, ...idsOf(children)].toReversed();
    const deleted = await bench.store.deleteMany(tenant.context, part(), ids);
    expect(idsOf(deleted)).toEqual(ids);
    expect(deleted.every((record) => record.deletedAt !== null && record.version === 2)).toBe(true);
    expect(await live()).toEqual([]);
    expect(await bench.sql('select from record_keys where tenant_id = $1', [tenant.id])).toEqual([]);

    const orphan = await expectNothing(() =>
      bench.store.restoreMany(tenant.context, part(), idsOf(children)),
    );
    expect([orphan.code, orphan.fields?.[0]?.field]).toEqual(['CONFLICT', 'ids.0.wholeId']);
    const restored = await bench.store.restoreMany(tenant.context, part(), ids);
    expect(restored.map(({ id, deletedAt, version }) => [id, deletedAt, version])).toEqual(
      ids.map((id) => [id, null, 3]),
    );
    expect(idsOf(await bench.store.restoreMany(tenant.context, part(), ids))).toEqual(ids);
    expect((await bench.log(tenant)).slice(4).map((event) => event.operation)).toEqual([
      ...ids.map(() => 'DELETED'),
      ...ids.map(() => 'RESTORED'),
    ]);
  });

  it('leaves nothing behind when one is unknown, twice there, or its value taken', async () => {
    const records = await create(codes(3));
    const ids = idsOf(records);
    const place = (error: DomainError) => [error.code, error.fields?.[0]?.field];
    const remove = (wanted: string[]) =>
      expectNothing(() => bench.store.deleteMany(tenant.context, part(), wanted));
    expect(place(await remove([...ids, randomUUID()]))).toEqual(['NOT_FOUND', 'ids.3']);
    expect(place(await remove([...ids, 'x']))).toEqual(['NOT_FOUND', 'ids.3']);
    expect(place(await remove([...ids, ids[0] ?? '']))).toEqual(['BAD_USER_INPUT', 'ids.3']);
    await bench.store.deleteMany(tenant.context, part(), ids);
    expect(place(await remove(ids))).toEqual(['NOT_FOUND', 'ids.0']);
    await create([{ code: 'c1' }]);
    const taken = await expectNothing(() => bench.store.restoreMany(tenant.context, part(), ids));
    expect(place(taken)).toEqual(['CONFLICT', 'ids.1.code']);
  });

  it('takes nothing for nothing', async () => {
    expect(await bench.store.deleteMany(tenant.context, part(), [])).toEqual([]);
    expect(await bench.store.restoreMany(tenant.context, part(), [])).toEqual([]);
    expect(await bench.store.updateMany(tenant.context, part(), [])).toEqual([]);
    expect(await bench.store.upsertMany(tenant.context, part(), 'code', [])).toEqual([]);
  });
});

describe('many writers', () => {
  it('change the same records in any order, without a deadlock or a lost change', async () => {
    const random = createRandom(7);
    const records = await create(codes(200).map((input) => ({ ...input, count: 0 })));
    const [before] = await bench.sql<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    );
    const shuffled = () =>
      records.map((record) => ({ record, at: random.int(1_000_000) })).toSorted((a, b) => a.at - b.at);
    await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        writer % 3 === 0
          ? bench.store.upsertMany(
              tenant.context,
              part(),
              'code',
              shuffled().map(({ record }) => ({ code: valueOf(record, 'code'), count: writer })),
            )
          : bench.store.updateMany(
              tenant.context,
              part(),
              shuffled().map(({ record }) => ({ id: record.id, input: { count: writer + 100 } })),
            ),
      ),
    );
    const after = await live();
    expect(new Set(after.map((record) => valueOf(record, 'count'))).size).toBe(1);
    expect(new Set(after.map((record) => record.version))).toEqual(new Set([writers + 1]));
    const log = await bench.log(tenant);
    expect(log.map((event) => event.seq)).toEqual(log.map((_, i) => i + 1));
    const [then] = await bench.sql<{ deadlocks: number }>(
      'select deadlocks::int from pg_stat_database where datname = current_database()',
    );
    expect(then).toEqual(before);
  });

  it('upsert the same new records at once: each is created once', async () => {
    const random = createRandom(11);
    const answers = await Promise.all(
      Array.from({ length: writers }, (_, writer) =>
        bench.store.upsertMany(
          tenant.context,
          part(),
          'code',
          codes(50)
            .map((input) => ({ input: { ...input, count: writer }, at: random.int(1_000_000) }))
            .toSorted((a, b) => a.at - b.at)
            .map(({ input }) => input),
        ),
      ),
    );
    expect(await live()).toHaveLength(50);
    expect(new Set(answers.flatMap(idsOf)).size).toBe(50);
  });
});
