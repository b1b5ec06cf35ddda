/** Many writers at once: unique values, deadlocks, the fence of definitions, the log, and lists that are read meanwhile. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { createRandom } from './list-cases.ts';
import { createRecordBench } from './record-bench.ts';
import type { EntitySpec, RecordBench, TestTenant } from './record-bench.ts';

const entities: EntitySpec[] = [
  {
    name: 'account',
    pluralName: 'accounts',
    fields: [
      { name: 'email', type: 'EMAIL', slot: 't1', isUnique: true },
      { name: 'code', type: 'TEXT', isUnique: true },
      { name: 'balance', type: 'INTEGER', slot: 'n1' },
      {
        name: 'owner',
        type: 'RELATION',
        slot: 'r1',
        target: 'account',
        onDelete: 'SET_NULL',
        inverseName: 'owned',
      },
    ],
  },
];
const writers = 16;

let bench: RecordBench;
let tenant: TestTenant;
beforeAll(async () => {
  bench = await createRecordBench(writers);
});
beforeEach(async () => {
  tenant = await bench.addTenant(entities);
});
afterAll(() => bench[Symbol.asyncDispose]());

const account = () => tenant.entity('account');
const create = (inputs: Record<string, unknown>[]) => bench.store.create(tenant.context, account(), inputs);
const each = <T>(work: (writer: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: writers }, (_, i) => work(i)));

async function liveRecords(): Promise<StoredRecord[]> {
  const { edges } = await bench.store.list(tenant.context, { entity: account(), first: 1000 });
  return edges.map((edge) => edge.record);
}

/** The log's seq has no gaps, its versions have none, and played from the start it ends in what is stored. */
async function expectLogIsTruth(): Promise<void> {
  const log = await bench.log(tenant);
  expect(log.map((event) => event.seq)).toEqual(log.map((_, i) => i + 1));
  const state = new Map<
    string,
    { data: Record<string, unknown>; version: number; deletedAt: string | null }
  >();
  for (const event of log) {
    const known = state.get(event.recordId) ?? null;
    expect(event.before?.version ?? 0, `event ${event.seq}`).toBe(known?.version ?? 0);
    expect(event.before?.data ?? null, `event ${event.seq}`).toEqual(known?.data ?? null);
    expect(event.after.version).toBe((known?.version ?? 0) + 1);
    state.set(event.recordId, event.after);
  }
  const { edges } = await bench.store.list(tenant.context, {
    entity: account(),
    first: 1000,
    includeDeleted: true,
  });
  const stored = edges.map(({ record }) => [
    record.id,
    { data: record.data, version: record.version, isDeleted: record.deletedAt !== null },
  ]);
  const played = [...state].map(([id, { data, version, deletedAt }]) => [
    id,
    { data, version, isDeleted: deletedAt !== null },
  ]);
  expect(Object.fromEntries(stored)).toEqual(Object.fromEntries(played));
}

/** Every live record has its keys, and there are no others. */
async function expectKeysAreRight(): Promise<void> {
  const [row] = await bench.sql<{ keys: number }>(
    'select count(*)::int as keys from record_keys where tenant_id = $1',
    [tenant.id],
  );
  const wanted = (await liveRecords()).reduce(
    (sum, record) => sum + Number('email_key' in record.data) + Number('code_key' in record.data),
    0,
  );
  expect(row?.keys).toBe(wanted);
}

describe('sixteen writers', () => {
  it('create the same unique value: one wins, the others get CONFLICT', async () => {
    const outcomes = await each((writer) =>
      create([{ email: 'same@example.com', balance: writer }]).then(
        () => 'created',
        (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
      ),
    );
    expect(outcomes.toSorted()).toEqual([
      ...Array.from({ length: writers - 1 }, () => 'CONFLICT'),
      'created',
    ]);
    await expectLogIsTruth();
    await expectKeysAreRight();
  });

  it('upsert the same few values: no error, one record each', async () => {
    await each(async (writer) => {
      for (let n = 0; n < 12; n++) {
        const email = `u${(writer + n) % 5}@example.com`;
        await bench.store.upsert(tenant.context, account(), 'email', { email, balance: writer * 100 + n });
      }
    });
    const records = await liveRecords();
    expect(records.map((record) => String(record.data['email_key'])).toSorted()).toEqual(
      [0, 1, 2, 3, 4].map((i) => `u${i}@example.com`),
    );
    await expectLogIsTruth();
    await expectKeysAreRight();
  });

  it('create overlapping batches in opposite orders: all or nothing, and no deadlock', async () => {
    const outcomes = await each((writer) => {
      const inputs = Array.from({ length: 40 }, (_, i) => ({ code: `c${i}`, balance: writer }));
      return create(writer % 2 === 0 ? inputs : inputs.toReversed()).then(
        () => 'created',
        (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
      );
    });
    expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'CONFLICT')).toHaveLength(writers - 1);
    const records = await liveRecords();
    expect(new Set(records.map((record) => record.data['balance_key'])).size).toBe(1);
    expect(records).toHaveLength(40);
    await expectLogIsTruth();
  });

  it('do everything to the same records: what is stored, the keys and the log agree', async () => {
    const created = await create(
      Array.from({ length: 12 }, (_, i) => ({ email: `r${i}@example.com`, code: `${i}`, balance: 0 })),
    );
    const ids = created.map((record) => record.id);
    const refused = new Set<string>();
    await each(async (writer) => {
      const random = createRandom(writer);
      for (let n = 0; n < 25; n++) {
        const id = random.pick(ids);
        const operation = random.pick([
          () => bench.store.update(tenant.context, account(), id, { balance: random.int(1000) }),
          () =>
            bench.store.update(tenant.context, account(), id, {
              ownerId: random.chance(0.7) ? random.pick(ids) : null,
            }),
          () =>
            bench.store.update(tenant.context, account(), id, {
              code: `${random.int(14)}`,
              email: `r${random.int(14)}@example.com`,
            }),
          () => bench.store.delete(tenant.context, account(), id),
          () => bench.store.restore(tenant.context, account(), id),
          () =>
            bench.store.upsert(tenant.context, account(), 'code', {
              code: `${random.int(14)}`,
              balance: random.int(9),
            }),
        ]);
        await operation().catch((error: unknown) => {
          if (!(error instanceof DomainError)) throw error;
          refused.add(error.code);
        });
      }
    });
    // A relation at a deleted record is BAD_USER_INPUT, a taken value CONFLICT, a deleted record NOT_FOUND: nothing else.
    expect(
      [...refused].filter((code) => !['BAD_USER_INPUT', 'CONFLICT', 'NOT_FOUND'].includes(code)),
    ).toEqual([]);
    await expectLogIsTruth();
    await expectKeysAreRight();
    // No live record points at a deleted one.
    const records = await liveRecords();
    const live = new Set(records.map((record) => record.id));
    expect(
      records.filter((record) => record.data['owner_key'] && !live.has(record.data['owner_key'] as string)),
    ).toEqual([]);
  }, 60_000);
});

describe('the fence', () => {
  it('lets no writer commit under definitions that have changed: it reads them anew and tries again', async () => {
    const stale = tenant.context;
    await bench.sql(
      `insert into field_definitions (id, tenant_id, entity_id, name, key, type, default_value, slot, position)
       values (gen_random_uuid(), $1, $2, 'level', 'level_key', 'INTEGER', '7', 'n2', 9)`,
      [tenant.id, account().id],
    );
    await bench.sql(
      'update tenant_heads set definitions_version = definitions_version + 1 where tenant_id = $1',
      [tenant.id],
    );
    const [record] = await bench.store
      .create(stale, account(), [{ email: 'a@example.com', level: 3 }, { email: 'b@example.com' }])
      .catch(() => []);
    // Under the old definitions `level` is no field: refused before anything was written.
    expect(record).toBeUndefined();
    const [made] = await bench.store.create(stale, account(), [{ email: 'a@example.com' }]);
    // Tried again under the new ones, whose default applies.
    expect(made?.data).toEqual({ email_key: 'a@example.com', level_key: 7 });
    const [row] = await bench.sql<{ n2: number }>('select n2 from records where id = $1', [made?.id]);
    expect(row?.n2).toBe(7);
    const updated = await bench.store.update(stale, account(), made?.id as string, { balance: 1 });
    expect(updated.data).toEqual({ email_key: 'a@example.com', level_key: 7, balance_key: 1 });
    await expectLogIsTruth();
  });

  it('holds while definitions keep changing under writers', async () => {
    let isWriting = true;
    const changing = (async () => {
      while (isWriting) {
        await bench.sql(
          'update tenant_heads set definitions_version = definitions_version + 1 where tenant_id = $1',
          [tenant.id],
        );
        // As long as one write, so that some meet a change and none meets only changes.
        await bench.store.count(tenant.context, { entity: account() });
      }
    })();
    const outcomes = await each((writer) =>
      create([{ email: `w${writer}@example.com` }]).then(
        () => 'created',
        (error: unknown) => (error instanceof DomainError ? error.code : String(error)),
      ),
    );
    isWriting = false;
    await changing;
    const made = outcomes.filter((outcome) => outcome === 'created').length;
    expect(outcomes.filter((outcome) => outcome !== 'created' && outcome !== 'CONFLICT')).toEqual([]);
    expect(await liveRecords()).toHaveLength(made);
    await expectLogIsTruth();
  });
});

describe('a list that is walked while others write', () => {
  it('gives every record that was there all the time exactly once, in order', async () => {
    const start = await create(
      Array.from({ length: 120 }, (_, i) => ({ code: `s${i}`, balance: i % 7 === 0 ? null : (i * 37) % 50 })),
    );
    let isWalking = true;
    const writing = each(async (writer) => {
      const random = createRandom(writer);
      const own: StoredRecord[] = [];
      while (isWalking) {
        own.push(...(await create([{ balance: random.chance(0.2) ? null : random.int(50) }])));
        if (own.length > 3)
          await bench.store.delete(
            tenant.context,
            account(),
            own.splice(random.int(own.length), 1)[0]?.id as string,
          );
      }
    });
    try {
      for (const orderBy of [
        [{ balance: 'ASC' }],
        [{ balance: 'DESC' }],
        [{ balance: 'ASC_NULLS_FIRST' }, { createdAt: 'DESC' }],
        [],
      ]) {
        const seen: StoredRecord[] = [];
        let after: string | null = null;
        for (;;) {
          const page: Awaited<ReturnType<typeof bench.store.list>> = await bench.store.list(tenant.context, {
            entity: account(),
            first: 17,
            after,
            orderBy,
          });
          seen.push(...page.edges.map((edge) => edge.record));
          if (!page.hasNextPage) break;
          after = page.edges.at(-1)?.cursor ?? null;
        }
        const ids = seen.map((record) => record.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(start.filter((record) => !ids.includes(record.id))).toEqual([]);
      }
    } finally {
      isWalking = false;
      await writing;
    }
  }, 60_000);
});
