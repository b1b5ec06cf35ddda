import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { readWakeUp, wakeUpChannel, writeWakeUp } from '#schema/wake-up.ts';
import { createHints } from './local.ts';
import type { WakeUp } from './wake-up.ts';

/** A reconnect is tried after 50 ms, then ever later, at most this late. */
const maxReconnectMs = 2_000;
/** Tenants in one message. */
const maxBatch = 500;

export interface RedisWakeUp extends WakeUp {
  /** Resolves once the hints of other processes are heard (again). */
  connected(): Promise<void>;
}

/**
 * Hints between all processes that share a Redis. The own process hears its hints directly, also while Redis is away;
 * the others then find out by polling. While one PUBLISH is on its way, further hints gather for the next.
 */
export function createRedisWakeUp(url: string, logger: Pick<Logger, 'warn' | 'info'>): RedisWakeUp {
  const origin = randomUUID();
  const hints = createHints();
  const outgoing = new Set<string>();
  let isSending = false;
  let isClosed = false;
  let isReported = false;
  let isListening = false;
  let waiters: PromiseWithResolvers<void>[] = [];

  const options = {
    // A command that cannot be sent now fails now: a hint that is late is worth nothing.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResubscribe: false,
    retryStrategy: (attempt: number) =>
      isClosed ? null : Math.min(50 * 2 ** Math.min(attempt, 10), maxReconnectMs),
  };
  const publisher = new Redis(url, options);
  const subscriber = new Redis(url, options);

  const onError = (error: Error) => {
    if (isReported || isClosed) return;
    isReported = true;
    logger.warn(
      { err: error },
      'Redis is not reachable; changes made by other processes are found by polling',
    );
  };
  publisher.on('error', onError);
  subscriber.on('error', onError);

  subscriber.on('ready', () => {
    subscriber.subscribe(wakeUpChannel).then(() => {
      if (isReported) logger.info('Redis is reachable again');
      isReported = false;
      isListening = true;
      for (const waiter of waiters) waiter.resolve();
      waiters = [];
    }, onError);
  });
  subscriber.on('close', () => {
    isListening = false;
  });
  subscriber.on('message', (_channel: string, message: string) => {
    const { origin: from, tenantIds } = readWakeUp(message);
    if (from === origin) return;
    for (const tenantId of tenantIds) hints.publish(tenantId);
  });

  async function send(): Promise<void> {
    isSending = true;
    try {
      while (outgoing.size > 0 && !isClosed) {
        const batch = [...outgoing].slice(0, maxBatch);
        for (const tenantId of batch) outgoing.delete(tenantId);
        await publisher.publish(wakeUpChannel, writeWakeUp(origin, batch));
      }
    } catch {
      // Redis is away (reported by its error event): what gathered is stale by the time that it returns.
      outgoing.clear();
    } finally {
      isSending = false;
    }
  }

  return {
    publish(tenantId) {
      hints.publish(tenantId);
      if (isClosed) return;
      outgoing.add(tenantId);
      if (isSending) return;
      isSending = true;
      setImmediate(() => void send());
    },
    subscribe: hints.subscribe,
    connected() {
      if (isListening) return Promise.resolve();
      const waiter = Promise.withResolvers<void>();
      waiters.push(waiter);
      return waiter.promise;
    },
    async [Symbol.asyncDispose]() {
      isClosed = true;
      hints.close();
      outgoing.clear();
      for (const waiter of waiters) waiter.reject(new Error('the wake-up was closed'));
      waiters = [];
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
