/** The log's reader: order, resuming anywhere, and what happens to who is slow, late, gone or somebody else. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import type { EventLogLimits } from '#subgraphs/realtime/log/event-log.ts';
import { createRetention } from '#subgraphs/realtime/log/retention.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import {
  createRealtimeFixture,
  open,
  type RealtimeFixture,
  type RealtimeTenant,
  request,
  silent,
  type TestStream,
} from './fixture.ts';

let fixture: RealtimeFixture;
let tenant: RealtimeTenant;

beforeAll(async () => {
  fixture = await createRealtimeFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await tenant.addEntity('contact');
});

const all = `subscription ($after: String) { recordChanged(after: $after) { cursor recordId } }`;

/** So small that every way of reading is gone through: table pages, memory, the live tail. */
const tight: Partial<EventLogLimits> = {
  page: { count: 7, bytes: 1_000_000 },
  olderPage: { count: 7, bytes: 1_000_000 },
  recent: { count: 10, bytes: 1_000_000 },
};

const seqOf = (change: { cursor: string }): number => decodeLogCursor(change.cursor);
const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** Events in a writer's transaction: one to three. */
const sizeOf = (writer: number, index: number): number => 1 + ((writer + index) % 3);

function countOf(writers: number, transactions: number): number {
  let count = 0;
  for (const writer of range(1, writers))
    for (const index of range(1, transactions)) count += sizeOf(writer, index);
  return count;
}

/** Writers that run at the same time, so many transactions each. */
async function write(writers: number, transactions: number): Promise<void> {
  await Promise.all(
    range(1, writers).map(async (writer) => {
      for (const index of range(1, transactions)) {
        await tenant.append(range(1, sizeOf(writer, index)).map(() => ({})));
      }
    }),
  );
}

it('keeps the order of commits under eight concurrent writers', async () => {
  const service = fixture.createService();
  const { seq: head } = await fixture.store.readHead(tenant.id);
  await using changes = await open(service, tenant.claims, all);
  const total = countOf(8, 30);
  await write(8, 30);
  expect((await changes.take(total)).map(seqOf)).toEqual(range(head + 1, head + total));
});

it('resumes at every cursor while writers run, without gap or repetition', async () => {
  const service = fixture.createService(tight);
  const { seq: head } = await fixture.store.readHead(tenant.id);
  await using live = await open(service, tenant.claims, all);
  const writing = write(8, 10);
  const received: Promise<number[]>[] = [];
  const streams: TestStream[] = [];
  const total = countOf(8, 10);
  for (let cursor = head; cursor < head + total; cursor += 1) {
    const stream = await open(service, tenant.claims, all, { after: encodeLogCursor(cursor) });
    streams.push(stream);
    received.push(stream.take(head + total - cursor).then((changes) => changes.map(seqOf)));
    // The next cursor is there to be used once its event was heard.
    await live.take(1);
  }
  await writing;
  for (const [index, seqs] of (await Promise.all(received)).entries()) {
    expect(seqs).toEqual(range(head + index + 1, head + total));
  }
  for (const stream of streams) await stream[Symbol.asyncDispose]();
});

it('serves a storm of reconnecting subscribers, each of which misses and repeats nothing', async () => {
  const service = fixture.createService(tight);
  const { seq: head } = await fixture.store.readHead(tenant.id);
  const writing = write(4, 50);
  const total = countOf(4, 50);
  const subscribers = range(1, 60).map(async (subscriber) => {
    const seqs: number[] = [];
    let after = encodeLogCursor(head);
    while (seqs.length < total) {
      await using changes = await open(service, tenant.claims, all, { after });
      const stretch = Math.min(1 + ((subscriber * 7 + seqs.length) % 61), total - seqs.length);
      for (const change of await changes.take(stretch)) {
        seqs.push(seqOf(change));
        after = change.cursor;
      }
      // Half of them leave in the middle of a wait.
      if (subscriber % 2) void changes.iterator.next();
    }
    return seqs;
  });
  const every = await Promise.all(subscribers);
  await writing;
  for (const seqs of every) expect(seqs).toEqual(range(head + 1, head + total));
  expect(service.readerCount).toBe(0);
});

describe('a consumer that cannot keep up', () => {
  const tooSlow = (cursor: string) => ({
    errors: [{ extensions: { code: 'SUBSCRIBER_TOO_SLOW', cursor } }],
  });

  it('is ended with its last cursor, and resumes from there', async () => {
    const service = fixture.createService({ ...tight, queue: { count: 20, bytes: 1_000_000 } });
    await using slow = await open(service, tenant.claims, all);
    await using fast = await open(service, tenant.claims, all);
    await tenant.append([{}, {}, {}]);
    const [, , third] = await slow.take(3);
    await fast.take(3);
    for (let batch = 0; batch < 10; batch += 1) {
      await tenant.append(range(1, 10).map(() => ({})));
      await fast.take(10);
    }
    expect(await slow.next()).toMatchObject(tooSlow(third.cursor));
    expect((await slow.iterator.next()).done).toBe(true);

    await using again = await open(service, tenant.claims, all, { after: third.cursor });
    expect((await again.take(100)).map(seqOf)).toEqual(range(seqOf(third) + 1, seqOf(third) + 100));
  });

  it('counts the size of what waits, too, and one event of any size always passes', async () => {
    const service = fixture.createService({ ...tight, queue: { count: 1_000, bytes: 50_000 } });
    const { seq: head } = await fixture.store.readHead(tenant.id);
    await using slow = await open(service, tenant.claims, all);
    await using fast = await open(service, tenant.claims, all);
    // Random, so that it is as large when stored.
    const large = {
      after: {
        name: range(1, 4_000)
          .map(() => randomUUID())
          .join(''),
      },
    };
    await tenant.append([large]);
    await slow.take(1);
    await fast.take(1);
    await tenant.append([large]);
    await fast.take(1);
    await tenant.append([large]);
    await fast.take(1);
    expect(await slow.next()).toMatchObject(tooSlow(encodeLogCursor(head + 1)));
  });

  it('does not lose its place while it catches up from the table, however slowly', async () => {
    const service = fixture.createService({ ...tight, queue: { count: 20, bytes: 1_000_000 } });
    const { seq: head } = await fixture.store.readHead(tenant.id);
    await tenant.append(range(1, 100).map(() => ({})));
    await using late = await open(service, tenant.claims, all, { after: encodeLogCursor(head) });
    await using fast = await open(service, tenant.claims, all);
    const first = await late.take(2);
    await tenant.append(range(1, 100).map(() => ({})));
    await fast.take(100);
    const rest = await late.take(198);
    expect([...first, ...rest].map(seqOf)).toEqual(range(head + 1, head + 200));
  });
});

describe('retention', () => {
  const age = (days: number, upTo: number) =>
    fixture.superuser.query(
      `update events set at = now() - make_interval(days => $2) where tenant_id = $1 and seq <= $3`,
      [tenant.id, days, upTo],
    );
  const trimmedSeq = async () => (await fixture.store.readHead(tenant.id)).trimmedSeq;

  it('removes what is older than seven days, in batches, and cursors before that are expired', async () => {
    const { seq: head } = await fixture.store.readHead(tenant.id);
    await tenant.append(range(1, 50).map(() => ({})));
    const other = await fixture.addTenant();
    await other.addEntity('contact');
    await age(8, head + 30);
    await using retention = createRetention({ store: fixture.store, logger: silent, batchSize: 9 });
    await using second = createRetention({ store: fixture.store, logger: silent, batchSize: 9 });
    const counts = await Promise.all([retention.run(), second.run()]);
    // One of the two may have found the other at work; what is left goes with the next run.
    counts.push(await retention.run());
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(head + 30);
    expect(await trimmedSeq()).toBe(head + 30);
    expect((await fixture.store.readHead(other.id)).trimmedSeq).toBe(0);

    const service = fixture.createService(tight);
    const expired = await service.subscribe(
      request(tenant.claims, all, { after: encodeLogCursor(head + 29) }),
    );
    expect(expired).toMatchObject({ errors: [{ extensions: { code: 'CURSOR_EXPIRED' } }] });
    await using changes = await open(service, tenant.claims, all, { after: encodeLogCursor(head + 30) });
    expect((await changes.take(20)).map(seqOf)).toEqual(range(head + 31, head + 50));
  });

  it('takes a whole beginning of the log, whatever its clock did', async () => {
    const last = await tenant.append(range(1, 10).map(() => ({})));
    await fixture.superuser.query(
      `update events set at = now() - interval '8 days' where tenant_id = $1 and seq in ($2, $3)`,
      [tenant.id, last - 7, last - 3],
    );
    await using retention = createRetention({ store: fixture.store, logger: silent });
    await retention.run();
    expect(await trimmedSeq()).toBe(last - 3);
    const { rows } = await fixture.superuser.query(
      'select seq::int from events where tenant_id = $1 order by seq',
      [tenant.id],
    );
    expect(rows.map((row) => row.seq)).toEqual([last - 2, last - 1, last]);
  });

  it('that overtakes a subscriber which still reads old events ends it with its cursor', async () => {
    const { seq: head } = await fixture.store.readHead(tenant.id);
    await tenant.append(range(1, 50).map(() => ({})));
    const service = fixture.createService(tight);
    await using late = await open(service, tenant.claims, all, { after: encodeLogCursor(head) });
    await late.take(3);
    await age(8, head + 40);
    await using retention = createRetention({ store: fixture.store, logger: silent });
    await retention.run();
    // The page that it has already is still good.
    expect((await late.take(4)).map(seqOf)).toEqual(range(head + 4, head + 7));
    expect(await late.next()).toMatchObject({
      errors: [{ extensions: { code: 'CURSOR_EXPIRED', cursor: encodeLogCursor(head + 7) } }],
    });
  });

  it('runs by itself from start to stop', async () => {
    const trimmed = Promise.withResolvers<void>();
    await using retention = createRetention({
      store: {
        async trim() {
          trimmed.resolve();
          return 0;
        },
      },
      logger: silent,
      intervalMs: 1,
    });
    retention.start();
    await trimmed.promise;
    await retention.stop();
  });
});

describe('a reader', () => {
  it('stops when its last subscriber leaves, also in the middle of a wait', async () => {
    const service = fixture.createService();
    const first = await open(service, tenant.claims, all);
    const second = await open(service, tenant.claims, all);
    const pending = [first.iterator.next(), second.iterator.next()];
    expect(service.readerCount).toBe(1);
    await first[Symbol.asyncDispose]();
    expect(service.readerCount).toBe(1);
    await second[Symbol.asyncDispose]();
    expect(service.readerCount).toBe(0);
    for (const step of await Promise.all(pending)) expect(step.done).toBe(true);
  });

  it('does not stay behind for a subscription that was refused', async () => {
    const service = fixture.createService();
    await service.subscribe(request(tenant.claims, all, { after: encodeLogCursor(10_000) }));
    expect(service.readerCount).toBe(0);
  });

  it('finds changes by polling where no hint comes', async () => {
    await using deaf = createLocalWakeUp();
    const service = fixture.createService({ pollMs: 5 }, fixture.store, deaf);
    await using changes = await open(service, tenant.claims, all);
    const recordId = randomUUID();
    await tenant.append([{ recordId }]);
    expect(await changes.take(1)).toMatchObject([{ recordId }]);
  });

  it('goes on where it was after the database could not be read', async () => {
    let failures = 0;
    const service = fixture.createService(
      { pollMs: 5 },
      {
        ...fixture.store,
        readPage(...page) {
          failures += 1;
          return failures <= 3 ? Promise.reject(new Error('gone')) : fixture.store.readPage(...page);
        },
      },
    );
    await using changes = await open(service, tenant.claims, all);
    const recordId = randomUUID();
    await tenant.append([{ recordId }]);
    expect(await changes.take(1)).toMatchObject([{ recordId }]);
    expect(failures).toBeGreaterThan(3);
  });

  it('hears of an event that is committed while its first subscriber is being let in', async () => {
    const recordId = randomUUID();
    const service = fixture.createService(
      { pollMs: 1_000_000 },
      {
        ...fixture.store,
        async readHead(tenantId) {
          const head = await fixture.store.readHead(tenantId);
          await tenant.append([{ recordId }]);
          return head;
        },
      },
    );
    await using changes = await open(service, tenant.claims, all);
    expect(await changes.take(1)).toMatchObject([{ recordId }]);
  });

  it('that goes down tells each subscriber where to go on', async () => {
    const service = fixture.createService();
    await using changes = await open(service, tenant.claims, all);
    await tenant.append([{}]);
    const [change] = await changes.take(1);
    await service[Symbol.asyncDispose]();
    expect(await changes.next()).toMatchObject({
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE', cursor: change.cursor } }],
    });
    expect((await changes.iterator.next()).done).toBe(true);
    expect(await service.subscribe(request(tenant.claims, all))).toMatchObject({
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
  });
});
