/** Consumers that do not read must not fill the memory, however many they are and however much is written. */
import { randomBytes } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { encodeLogCursor } from '#schema/events.ts';
import { createRealtimeFixture, open } from './fixture.ts';

const mebibyte = 1024 * 1024;

/** Bytes of live objects. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}

it('holds little for stalled consumers, live ones and ones that catch up', { timeout: 120_000 }, async () => {
  await using fixture = await createRealtimeFixture();
  const service = fixture.createService({
    page: { count: 50, bytes: mebibyte / 4 },
    queue: { count: 1_000, bytes: mebibyte },
    recent: { count: 500, bytes: mebibyte },
  });
  const tenant = await fixture.addTenant();
  await tenant.addEntity('contact');
  const { seq: head } = await fixture.store.readHead(tenant.id);
  /** About 4 kB each, which do not compress. */
  const write = async (count: number): Promise<void> => {
    for (let written = 0; written < count; written += 50) {
      await tenant.append(
        Array.from({ length: 50 }, () => ({ after: { name: randomBytes(3_000).toString('base64') } })),
      );
    }
  };
  await using reader = await open(service, tenant.claims, `subscription { recordChanged { recordId } }`);
  await Promise.all([reader.take(500), write(500)]);

  const before = heapBytes();
  const everything = `subscription ($after: String) { recordChanged(after: $after) { cursor recordId record } }`;
  const stalled = await Promise.all([
    ...Array.from({ length: 100 }, () => open(service, tenant.claims, everything)),
    ...Array.from({ length: 100 }, (_, index) =>
      open(service, tenant.claims, everything, { after: encodeLogCursor(head + index) }),
    ),
  ]);
  // Those that catch up read one event, and then no more.
  for (const stream of stalled.slice(100)) await stream.take(1);
  for (let round = 0; round < 8; round += 1) {
    await Promise.all([reader.take(500), write(500)]);
  }
  // 16 MiB were written since; each of 200 consumers might have held them.
  expect(heapBytes() - before).toBeLessThan(20 * mebibyte);
  for (const stream of stalled.slice(0, 100)) {
    expect((await stream.next()).errors?.[0]?.extensions?.code).toBe('SUBSCRIBER_TOO_SLOW');
  }
  const late = stalled[150];
  expect((await late?.take(400))?.length).toBe(400);
  for (const stream of stalled) await stream[Symbol.asyncDispose]();
  await reader[Symbol.asyncDispose]();
  expect(service.readerCount).toBe(0);
  expect(heapBytes() - before).toBeLessThan(10 * mebibyte);
});
