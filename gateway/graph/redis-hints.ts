import { Redis } from 'ioredis';
import type { Logger } from '#gateway/logger.ts';
import { readWakeUp, wakeUpChannel } from '#schema/wake-up.ts';

/** What the subgraphs tell each other through Redis, overheard. Lost hints are made up for by polling. */
export interface RedisHints extends AsyncDisposable {
  /** Hears of every tenant that may have changed. */
  subscribe(listener: (tenantId: string) => void): () => void;
  /** Resolves once hints are heard. */
  connected(): Promise<void>;
}

const maxReconnectMs = 2_000;

export function createRedisHints(url: string, logger: Pick<Logger, 'warn' | 'info'>): RedisHints {
  const listeners = new Set<(tenantId: string) => void>();
  const listening = Promise.withResolvers<void>();
  let closed = false;
  let isReported = false;
  const redis = new Redis(url, {
    enableOfflineQueue: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => (closed ? null : Math.min(50 * 2 ** Math.min(attempt, 10), maxReconnectMs)),
  });
  const onError = (err: Error): void => {
    if (isReported || closed) return;
    isReported = true;
    logger.warn({ err }, 'Redis is not reachable; changes are found by polling');
  };
  redis.on('error', onError);
  redis.on('ready', () => {
    redis.subscribe(wakeUpChannel).then(() => {
      if (isReported) logger.info('hints come through Redis again');
      isReported = false;
      listening.resolve();
    }, onError);
  });
  redis.on('message', (_channel: string, message: string) => {
    for (const tenantId of readWakeUp(message).tenantIds) {
      for (const listener of listeners) listener(tenantId);
    }
  });

  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    connected: () => listening.promise,
    async [Symbol.asyncDispose]() {
      closed = true;
      listeners.clear();
      redis.disconnect();
    },
  };
}
