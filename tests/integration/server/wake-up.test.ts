/** One contract for every wake-up, and what Redis adds: other processes, and being away. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createRedisWakeUp } from '#subgraphs/server/wake-up/redis.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { describeWithRedis } from '#tests/harness/redis.ts';

const silent = { warn: () => {}, info: () => {} };

/** Hints for the given tenants, as they come. The Redis is shared, so others are none of a test's business. */
function listen(
  wakeUp: WakeUp,
  ...tenantIds: string[]
): { heard: string[]; next(count: number): Promise<string[]>; end(): void } {
  const heard: string[] = [];
  let notify = (): void => {};
  const end = wakeUp.subscribe((tenantId) => {
    if (!tenantIds.includes(tenantId)) return;
    heard.push(tenantId);
    notify();
  });
  return {
    heard,
    end,
    async next(count) {
      while (heard.length < count) {
        await new Promise<void>((resolve) => {
          notify = resolve;
        });
      }
      return heard.splice(0, count);
    },
  };
}

function itKeepsTheContract(create: () => WakeUp): void {
  it('tells every listener', async () => {
    await using wakeUp = create();
    const tenantId = randomUUID();
    const [first, second] = [listen(wakeUp, tenantId), listen(wakeUp, tenantId)];
    wakeUp.publish(tenantId);
    expect(await first.next(1)).toEqual([tenantId]);
    expect(await second.next(1)).toEqual([tenantId]);
  });

  it('makes one hint of many for the same tenant', async () => {
    await using wakeUp = create();
    const [one, other, last] = [randomUUID(), randomUUID(), randomUUID()];
    const listener = listen(wakeUp, one, other, last);
    for (let index = 0; index < 1_000; index += 1) {
      wakeUp.publish(one);
      wakeUp.publish(other);
    }
    expect(await listener.next(2)).toEqual([one, other]);
    wakeUp.publish(last);
    expect(await listener.next(1)).toEqual([last]);
  });

  it('tells again of what happens after a hint', async () => {
    await using wakeUp = create();
    const tenantId = randomUUID();
    const listener = listen(wakeUp, tenantId);
    for (let index = 0; index < 10; index += 1) {
      wakeUp.publish(tenantId);
      expect(await listener.next(1)).toEqual([tenantId]);
    }
  });

  it('stops telling who does not listen any more, and only them', async () => {
    await using wakeUp = create();
    const tenantId = randomUUID();
    const [gone, stays] = [listen(wakeUp, tenantId), listen(wakeUp, tenantId)];
    gone.end();
    gone.end();
    wakeUp.publish(tenantId);
    await stays.next(1);
    expect(gone.heard).toEqual([]);
  });

  it('survives a listener that throws', async () => {
    await using wakeUp = create();
    const tenantId = randomUUID();
    wakeUp.subscribe(() => {
      throw new Error('a listener of this test');
    });
    const listener = listen(wakeUp, tenantId);
    wakeUp.publish(tenantId);
    expect(await listener.next(1)).toEqual([tenantId]);
  });

  it('is silent, and takes hints without complaint, once it is closed', async () => {
    const wakeUp = create();
    const tenantId = randomUUID();
    const listener = listen(wakeUp, tenantId);
    wakeUp.publish(tenantId);
    await wakeUp[Symbol.asyncDispose]();
    wakeUp.publish(tenantId);
    await wakeUp[Symbol.asyncDispose]();
    await new Promise(setImmediate);
    expect(listener.heard).toEqual([]);
  });
}

describe('a local wake-up', () => {
  itKeepsTheContract(createLocalWakeUp);
});

describeWithRedis('a Redis wake-up', (url) => {
  itKeepsTheContract(() => createRedisWakeUp(url, silent));

  it('reaches other processes, each hint once, and hears its own once', async () => {
    await using writer = createRedisWakeUp(url, silent);
    await using reader = createRedisWakeUp(url, silent);
    await Promise.all([writer.connected(), reader.connected()]);
    const tenantIds = Array.from({ length: 1_200 }, () => randomUUID());
    const [own, others] = [listen(writer, ...tenantIds), listen(reader, ...tenantIds)];
    for (const tenantId of tenantIds) writer.publish(tenantId);
    expect(await others.next(tenantIds.length)).toEqual(tenantIds);
    expect(await own.next(tenantIds.length)).toEqual(tenantIds);
    // Whatever were repeated would have come before this one.
    reader.publish(tenantIds[0] as string);
    expect(await own.next(1)).toEqual([tenantIds[0]]);
    expect(own.heard).toEqual([]);
  });

  it('goes on within its process while Redis is away, and beyond it once Redis is back', async () => {
    await using line = await createBreakableLine(url);
    const warnings: string[] = [];
    const logger = { warn: (_facts: object, message: string) => warnings.push(message), info: () => {} };
    await using wakeUp = createRedisWakeUp(line.url, logger as never);
    await using other = createRedisWakeUp(url, silent);
    await Promise.all([wakeUp.connected(), other.connected()]);
    const [out, back] = [randomUUID(), randomUUID()];
    const own = listen(wakeUp, out);
    await line.cut();
    wakeUp.publish(out);
    expect(await own.next(1)).toEqual([out]);

    await line.mend();
    // Both directions reconnect by themselves. Until then hints are lost, without an error: so they are repeated here.
    const heard = [listen(other, out).next(1), listen(wakeUp, back).next(1)];
    const repeat = setInterval(() => {
      wakeUp.publish(out);
      other.publish(back);
    }, 20);
    expect(await Promise.all(heard)).toEqual([[out], [back]]);
    clearInterval(repeat);
    expect(warnings.length).toBeLessThanOrEqual(1);
  });
});

it('starts, works within its process and closes where there is no Redis at all', async () => {
  const warned = Promise.withResolvers<string>();
  const logger = { warn: (_facts: object, message: string) => warned.resolve(message), info: () => {} };
  await using wakeUp = createRedisWakeUp('redis://127.0.0.1:1', logger as never);
  const tenantId = randomUUID();
  const listener = listen(wakeUp, tenantId);
  wakeUp.publish(tenantId);
  expect(await listener.next(1)).toEqual([tenantId]);
  expect(await warned.promise).toMatch(/not reachable/);
  const connected = wakeUp.connected();
  await wakeUp[Symbol.asyncDispose]();
  await expect(connected).rejects.toThrow('closed');
});

/** A way to Redis that can be cut and mended. */
async function createBreakableLine(
  target: string,
): Promise<AsyncDisposable & { url: string; cut(): Promise<void>; mend(): Promise<void> }> {
  const { hostname, port: targetPort } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(targetPort || 6379), hostname);
    for (const end of [socket, onward]) {
      sockets.add(end);
      end.on('error', () => {});
      end.on('close', () => {
        sockets.delete(end);
        socket.destroy();
        onward.destroy();
      });
    }
    socket.pipe(onward).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    cut,
    async mend() {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await cut();
    },
  };
}
