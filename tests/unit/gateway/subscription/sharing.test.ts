/** Equal subscribers on one upstream: what each gets, whoever comes, goes, resumes or does not read. */
import { expect, test, describe } from 'vitest';
import type { Caller } from '#gateway/auth/caller.ts';
import type { KnownOperation } from '#gateway/execution/operation-runner.ts';
import type { ActiveGraph, SwapListener } from '#gateway/graph/registry.ts';
import {
  createLiveSubscriptions,
  type ClientSubscription,
  type SubscriptionLimits,
} from '#gateway/subscription/live-subscriptions.ts';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import { DomainError } from '#schema/errors.ts';
import { createTestLog, known, type TestLog } from './test-log.ts';

const text = {
  query: 'subscription ($after: String) { changed(after: $after) { seq } }',
  operationName: null,
};
const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Lets everything that is ready run. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
};

interface TestClient {
  readonly subscription: ClientSubscription;
  readonly seqs: number[];
  readonly payloads: string[];
  isEnded: boolean;
  /** Makes the network take nothing, or again everything. */
  block(): void;
  unblock(): void;
  readonly lastError: { code: string; cursor?: string } | undefined;
}

function createPlatform(log: TestLog, limits: Partial<SubscriptionLimits> = {}) {
  const state = {
    active: null as ActiveGraph | null,
    /** By actor. */
    recheck: async (caller: Caller): Promise<Caller> => caller,
    prepared: 0,
  };
  let swap: SwapListener = () => {};
  let tenantChanged: (now: never, before: never) => void = () => {};
  let template = known();
  const live = createLiveSubscriptions({
    runner: {
      async prepare(caller) {
        state.prepared += 1;
        return { ...template, caller, active: state.active ?? template.active };
      },
      subscribe: (_known, request) => log.subscribe(request),
    },
    registry: {
      subscribe(listener) {
        swap = listener;
        return () => {};
      },
      getActive: () => state.active ?? template.active,
    },
    tenants: {
      subscribe(listener) {
        tenantChanged = listener;
        return () => {};
      },
    },
    authenticator: { recheck: (caller) => state.recheck(caller) },
    logger,
    limits,
  });

  async function connect(of: KnownOperation = known(), after?: number): Promise<TestClient> {
    template = of;
    const variables = after === undefined ? {} : { after: encodeLogCursor(after) };
    const opened = await live.open(of, text, {
      variables,
      requestId: 'r',
      clientAddress: null,
      headers: undefined,
    });
    if (!('attach' in opened)) throw new Error(JSON.stringify(opened));
    let isBlocked = false;
    let ready: (() => void) | null = null;
    const client: TestClient = {
      subscription: opened,
      seqs: [],
      payloads: [],
      isEnded: false,
      block: () => (isBlocked = true),
      unblock() {
        isBlocked = false;
        const call = ready;
        ready = null;
        call?.();
      },
      get lastError() {
        const [error] = JSON.parse(client.payloads.at(-1) ?? '{}').errors ?? [];
        return error?.extensions;
      },
    };
    opened.attach({
      send(payload) {
        client.payloads.push(payload);
        const { seq } = JSON.parse(payload).data?.changed ?? {};
        if (seq !== undefined) client.seqs.push(seq);
        return !isBlocked;
      },
      whenDrained: (call) => (ready = call),
      end: () => (client.isEnded = true),
    });
    return client;
  }

  return {
    live,
    state,
    connect,
    swapTo(active: ActiveGraph) {
      state.active = active;
      swap({ audience: 'TENANT', tenantId: 'acme' }, active);
    },
    rightsChanged: () =>
      tenantChanged(
        { tenantId: 'acme', authVersion: 2, status: 'ACTIVE' } as never,
        { authVersion: 1 } as never,
      ),
  };
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('equal subscribers', () => {
  test('have one upstream and one execution, and each the same message', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    const clients = [];
    for (let index = 0; index < 10; index += 1)
      clients.push(await connect(known({ actorId: `user-${index}` })));
    await settle();
    expect(log.open.size).toBe(1);
    expect([...log.open][0]?.claims).toMatchObject({ actorId: null, sessionId: null, role: 'USER' });
    log.append(3);
    await settle();
    expect(log.completed).toBe(3);
    for (const client of clients) {
      expect(client.seqs).toEqual([1, 2, 3]);
      expect(client.payloads).toEqual(clients[0]?.payloads);
    }
  });

  test('keep it while one is left, and close it with the last', async () => {
    const log = createTestLog();
    const { connect, live } = createPlatform(log);
    const [one, two] = [await connect(), await connect()];
    await settle();
    one.subscription.close();
    log.append();
    await settle();
    expect([one.seqs, two.seqs, log.open.size]).toEqual([[], [1], 1]);
    two.subscription.close();
    await settle();
    expect([log.open.size, live.size]).toEqual([0, 0]);
    log.append();
    const three = await connect();
    await settle();
    log.append();
    await settle();
    expect(three.seqs).toEqual([3]);
  });

  test('who comes later gets what comes later', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    const early = await connect();
    await settle();
    log.append(2);
    const late = await connect();
    log.append(1);
    await settle();
    expect([early.seqs, late.seqs, log.open.size]).toEqual([[1, 2, 3], [3], 1]);
  });

  test('who resumes gets what was, then goes over to the others', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    log.append(5);
    const early = await connect();
    await settle();
    const resumed = await connect(known(), 2);
    await settle();
    expect(resumed.seqs).toEqual([3, 4, 5]);
    expect(log.open.size).toBe(1);
    log.append(2);
    await settle();
    expect([early.seqs, resumed.seqs]).toEqual([[6, 7], range(3, 7)]);
    expect(log.open.size).toBe(1);
  });

  test('when all of them resume, one upstream is left', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    log.append(20);
    const clients = await Promise.all(range(0, 19).map((after) => connect(known(), after)));
    await settle();
    expect(log.open.size).toBe(1);
    log.append();
    await settle();
    for (const [after, client] of clients.entries()) expect(client.seqs).toEqual(range(after + 1, 21));
  });
});

test('nothing is lost and nothing comes twice, however they come, go and resume', async () => {
  for (let seed = 1; seed <= 60; seed += 1) {
    let state = seed * 2_654_435_761;
    const random = (below: number): number => {
      state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 3_266_489_917) >>> 0;
      return state % below;
    };
    const log = createTestLog(async () => {
      for (let turn = random(4); turn > 0; turn -= 1)
        await (random(3) === 0 ? new Promise(setImmediate) : null);
    });
    const { connect } = createPlatform(log);
    const checks: { client: TestClient; earliest: number; latest: number }[] = [];
    const closed = new Set<TestClient>();
    const opening: Promise<unknown>[] = [];
    for (let step = 0; step < 60; step += 1) {
      const choice = random(10);
      if (choice < 4) log.append(1 + random(3));
      else if (choice < 7) {
        const from = random(2) === 0 ? random(log.head + 1) : null;
        const asked = log.head;
        const of = known({ actorId: `u${step}` });
        opening.push(
          connect(of, from ?? undefined).then((client) => {
            // A live one begins somewhere between its Subscribe and the answer to it.
            checks.push({ client, earliest: (from ?? asked) + 1, latest: (from ?? log.head) + 1 });
          }),
        );
      } else if (choice < 8) {
        const chosen = checks[random(Math.max(checks.length, 1))];
        if (chosen) closed.add(chosen.client);
        chosen?.client.subscription.close();
      } else if (choice < 9) {
        const chosen = checks[random(Math.max(checks.length, 1))]?.client;
        if (random(2) === 0) chosen?.block();
        else chosen?.unblock();
      }
      for (let turn = random(3); turn > 0; turn -= 1) await new Promise(setImmediate);
    }
    await Promise.all(opening);
    for (const { client } of checks) client.unblock();
    await settle();
    // Everybody is at the head now, so that whoever is left shares one upstream.
    log.append();
    await settle();
    log.append();
    await settle();
    expect(log.open.size, `seed ${seed}`).toBe(checks.length > closed.size ? 1 : 0);
    for (const { client, earliest, latest } of checks) {
      const { seqs } = client;
      const first = seqs[0] ?? latest;
      expect(seqs, `seed ${seed}`).toEqual(range(first, first + seqs.length - 1));
      expect(first, `seed ${seed}`).toBeGreaterThanOrEqual(earliest);
      expect(first, `seed ${seed}`).toBeLessThanOrEqual(latest);
      if (!closed.has(client)) expect(seqs.at(-1), `seed ${seed}`).toBe(log.head);
    }
  }
});

describe('a client that does not read', () => {
  test('holds nobody up, and is ended with its own place when too much waits', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log, { queuedMessages: 10 });
    const slow = await connect();
    const others = await Promise.all(range(1, 100).map(() => connect()));
    await settle();
    slow.block();
    log.append(8);
    await settle();
    expect(slow.seqs).toEqual([1]);
    log.append(12);
    await settle();
    for (const other of others) expect(other.seqs).toEqual(range(1, 20));
    expect(slow.isEnded).toBe(false);
    slow.unblock();
    expect(slow.lastError).toMatchObject({ code: 'SUBSCRIBER_TOO_SLOW', cursor: encodeLogCursor(1) });
    expect(slow.isEnded).toBe(true);
    const resumed = await connect(known(), decodeLogCursor(slow.lastError?.cursor ?? ''));
    await settle();
    expect(resumed.seqs).toEqual(range(2, 20));
  });

  test('gets what waited when it reads again', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    const [slow] = [await connect(), await connect()];
    await settle();
    slow.block();
    log.append(50);
    await settle();
    slow.unblock();
    log.append();
    await settle();
    expect(slow.seqs).toEqual(range(1, 51));
  });

  test('is bounded in memory together with all others', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log, { heldBytes: 500 });
    const slow = await Promise.all(
      ['VIEWER', 'USER', 'ADMIN'].map((role) => connect(known({ role: role as 'USER' }))),
    );
    await settle();
    for (const client of slow) client.block();
    log.append(100);
    await settle();
    for (const client of slow) {
      client.unblock();
      expect(client.lastError?.code).toBe('SUBSCRIBER_TOO_SLOW');
    }
  });

  test('resumes at its own pace: its upstream is not read ahead of it', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log, { queuedMessages: 5 });
    log.append(100);
    const client = await connect(known(), 0);
    client.block();
    await settle();
    expect(log.completed).toBeLessThan(4);
    client.unblock();
    await settle();
    expect(client.seqs).toEqual(range(1, 100));
  });
});

describe('what changes below', () => {
  test('a role that changes moves that client alone, without a gap', async () => {
    const log = createTestLog();
    const { connect, state, rightsChanged } = createPlatform(log);
    const [stays, moves] = [
      await connect(known({ actorId: 'ada' })),
      await connect(known({ actorId: 'bob' })),
    ];
    await settle();
    log.append(2);
    await settle();
    state.recheck = async (caller) =>
      caller.claims.actorId === 'bob' ? { ...caller, claims: { ...caller.claims, role: 'VIEWER' } } : caller;
    rightsChanged();
    log.append(2);
    await settle();
    log.append(1);
    await settle();
    expect([stays.seqs, moves.seqs]).toEqual([range(1, 5), range(1, 5)]);
    expect(new Set([...log.open].map(({ claims }) => claims.role))).toEqual(new Set(['USER', 'VIEWER']));
  });

  test('a session that ends takes that client alone', async () => {
    const log = createTestLog();
    const { connect, state, rightsChanged } = createPlatform(log);
    const [stays, ends] = [
      await connect(known({ actorId: 'ada' })),
      await connect(known({ actorId: 'bob' })),
    ];
    await settle();
    state.recheck = async (caller) => {
      if (caller.claims.actorId === 'bob') throw new DomainError('UNAUTHENTICATED', 'The session has ended.');
      return caller;
    };
    rightsChanged();
    await settle();
    log.append();
    await settle();
    expect([ends.lastError?.code, ends.isEnded, ends.seqs]).toEqual(['UNAUTHENTICATED', true, []]);
    expect([stays.seqs, log.open.size]).toEqual([[1], 1]);
  });

  test('permissions that begin to name the user part its equals, without a gap', async () => {
    const log = createTestLog();
    const { connect, swapTo } = createPlatform(log);
    const users = ['ada', 'bob', 'eve'];
    const clients = [];
    for (const actorId of users) clients.push(await connect(known({ actorId })));
    await settle();
    log.append(2);
    await settle();
    swapTo(known({}, { perUserRoles: new Set(['USER'] as const) }, 2).active);
    log.append(2);
    await settle();
    log.append(1);
    await settle();
    expect(new Set([...log.open].map(({ claims }) => claims.actorId))).toEqual(new Set(users));
    for (const [index, client] of clients.entries()) {
      expect(client.seqs).toEqual(range(1, 5));
      expect(JSON.parse(client.payloads.at(-1) ?? '').data.changed.by).toBe(users[index]);
    }
    swapTo(known({}, {}, 3).active);
    await settle();
    log.append(1);
    await settle();
    expect(log.open.size).toBe(1);
    for (const client of clients) expect(client.seqs).toEqual(range(1, 6));
  });

  test('what waits for a slow client is made anew when permissions may have changed', async () => {
    const log = createTestLog();
    const { connect, swapTo } = createPlatform(log);
    const [slow, other] = [await connect(), await connect()];
    await settle();
    slow.block();
    log.append(5);
    await settle();
    expect([slow.seqs, log.completed]).toEqual([[1], 5]);
    swapTo(known({}, {}, 2).active);
    await settle();
    slow.unblock();
    await settle();
    // The first had left already.
    expect([slow.seqs, other.seqs, log.completed]).toEqual([range(1, 5), range(1, 5), 9]);
    log.append();
    await settle();
    expect([slow.seqs, log.completed, log.open.size]).toEqual([range(1, 6), 10, 1]);
  });

  test('a swap of the graph is planned for once', async () => {
    const log = createTestLog();
    const { connect, state, swapTo } = createPlatform(log);
    const clients = await Promise.all(range(1, 10).map((user) => connect(known({ actorId: `u${user}` }))));
    await settle();
    swapTo(known({}, {}, 2).active);
    await settle();
    log.append();
    await settle();
    expect([state.prepared, log.open.size]).toEqual([1, 1]);
    for (const client of clients) expect(client.seqs).toEqual([1]);
  });

  test('an upstream that ends says to each where it was', async () => {
    const log = createTestLog();
    const { connect } = createPlatform(log);
    const [one, slow] = [await connect(), await connect()];
    await settle();
    slow.block();
    log.append(3);
    await settle();
    const late = await connect();
    await settle();
    log.fail('SUBGRAPH_UNAVAILABLE');
    await settle();
    slow.unblock();
    const code = 'SUBGRAPH_UNAVAILABLE';
    expect(one.lastError).toEqual({ code, cursor: encodeLogCursor(3) });
    expect(slow.lastError).toEqual({ code, cursor: encodeLogCursor(3) });
    expect(late.lastError).toEqual({ code, cursor: encodeLogCursor(3) });
    expect([slow.seqs, late.seqs]).toEqual([[1, 2, 3], []]);
  });
});
