/** How streams say where in the log they are, to consumers that ask for it. */
import type { ExecutionResult } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import type { StreamPlace } from '#schema/subgraph-protocol.ts';
import { createRealtimeFixture, type RealtimeFixture, type RealtimeTenant, request } from './fixture.ts';

let fixture: RealtimeFixture;
let tenant: RealtimeTenant;

beforeAll(async () => {
  fixture = await createRealtimeFixture();
  tenant = await fixture.addTenant();
  await tenant.addEntity('contact');
  await tenant.addEntity('company');
});
afterAll(() => fixture[Symbol.asyncDispose]());

interface Told {
  readonly seq: number;
  readonly isLive: boolean;
  /** Whether there was more than the place. */
  readonly hasEvent: boolean;
}

/** `next()` answers what a result tells. */
async function follow(variables: Record<string, unknown> = {}, limits = {}) {
  const service = fixture.createService(limits);
  const query = 'subscription ($after: String) { contactChanged(after: $after) { contactId } }';
  const stream = await service.subscribe({
    ...request(tenant.claims, query, variables),
    tellsPlace: true,
  });
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
  return {
    async next(): Promise<Told> {
      const value = (await stream.next()).value as ExecutionResult;
      const { cursor, isLive } = (value.extensions as { place: StreamPlace }).place;
      return { seq: decodeLogCursor(cursor), isLive, hasEvent: value.data !== undefined };
    },
    [Symbol.asyncDispose]: async () => void (await stream.return?.()),
  };
}

it('begins with the place that was taken, and gives every event its own', async () => {
  const head = await tenant.append([{}]);
  await using stream = await follow();
  expect(await stream.next()).toEqual({ seq: head, isLive: true, hasEvent: false });
  await tenant.append([{}, { entity: 'company' }, {}]);
  expect(await stream.next()).toEqual({ seq: head + 1, isLive: true, hasEvent: true });
  expect(await stream.next()).toEqual({ seq: head + 3, isLive: true, hasEvent: true });
});

it('tells when it has caught up, past what was none of its events', async () => {
  const before = await tenant.append([{}]);
  const last = await tenant.append([{}, {}, { entity: 'company' }]);
  const small = { recent: { count: 1, bytes: 1_000 }, olderPage: { count: 2, bytes: 100_000 } };
  await using stream = await follow({ after: encodeLogCursor(before) }, small);
  expect(await stream.next()).toEqual({ seq: before, isLive: false, hasEvent: false });
  expect(await stream.next()).toEqual({ seq: before + 1, isLive: false, hasEvent: true });
  expect(await stream.next()).toEqual({ seq: before + 2, isLive: false, hasEvent: true });
  expect(await stream.next()).toEqual({ seq: last, isLive: true, hasEvent: false });
  const next = await tenant.append([{}]);
  expect(await stream.next()).toEqual({ seq: next, isLive: true, hasEvent: true });
});

it('is told where the definitions change, so that nobody goes on from before that', async () => {
  const head = await tenant.append([{}]);
  await using stream = await follow();
  expect((await stream.next()).seq).toBe(head);
  await tenant.append([{ entity: 'company' }]);
  const next = stream.next();
  await tenant.addEntity(`added${head}`);
  expect(await next).toEqual({ seq: head + 2, isLive: true, hasEvent: false });
  await tenant.append([{}]);
  expect(await stream.next()).toEqual({ seq: head + 3, isLive: true, hasEvent: true });
});

it('is not told to who did not ask', async () => {
  const service = fixture.createService();
  const stream = await service.subscribe(
    request(tenant.claims, 'subscription { contactChanged { contactId } }'),
  );
  if (!(Symbol.asyncIterator in stream)) throw new Error(JSON.stringify(stream));
  await tenant.append([{}]);
  expect((await stream.next()).value).toEqual({ data: { contactChanged: expect.anything() as unknown } });
  await stream.return?.();
});
