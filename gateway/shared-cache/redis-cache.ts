import { createHmac, timingSafeEqual } from 'node:crypto';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { Redis } from 'ioredis';
import type { Logger } from '#gateway/logger.ts';
import type { SharedCache, SharedKind } from './shared-cache.ts';

export interface RedisCacheOptions {
  readonly url: string;
  /** The platform's: what was not put there under it is not believed. Operations become code. */
  readonly secret: string;
  readonly logger: Pick<Logger, 'warn' | 'info'>;
  /** Default: one of this secret's platform alone. */
  readonly prefix?: string;
  /** How long a read waits. Default 250. */
  readonly timeoutMs?: number;
}

export interface RedisCache extends SharedCache, AsyncDisposable {
  /** Resolves when it is known whether Redis is there. */
  readonly settled: Promise<void>;
  /** Resolves when everything begun by `set` is there, or lost. */
  flushed(): Promise<void>;
}

const zip = promisify(gzip);
const unzip = promisify(gunzip);

const lifetimeSeconds: Record<SharedKind, number> = {
  supergraph: 7 * 86_400,
  'api-sdl': 7 * 86_400,
  extras: 86_400,
  operation: 86_400,
};
/** Zipped. A tenant's supergraph has 3 to 13 KB, an operation 1 to 4, the answer to introspection some 30. */
const maxValueBytes = 512 * 1024;
const macBytes = 32;
/** After a failure Redis is left alone for this long, so that nobody waits for it again and again. */
const restMs = 2_000;
/** Reads that came too late, one after the other, before Redis counts as not there. */
const maxLateInRow = 3;
/** Writes under way; more are dropped. */
const maxWrites = 200;

/** Each value is zipped and signed together with its key, so that none can be altered or moved to another. */
export function createRedisCache(options: RedisCacheOptions): RedisCache {
  const { url, secret, logger, timeoutMs = 250 } = options;
  // Two platforms on one Redis would otherwise overwrite what neither believes of the other.
  const name = createHmac('sha256', secret).update('shared-cache-name').digest('base64url').slice(0, 8);
  const prefix = options.prefix ?? `tenantry:cache:${name}`;
  const macKey = createHmac('sha256', secret).update('shared-cache').digest();
  const writes = new Set<Promise<void>>();
  const settled = Promise.withResolvers<void>();
  let closed = false;
  let isReported = false;
  let restsUntil = 0;
  let lateInRow = 0;
  const redis = new Redis(url, {
    // What cannot be had now is made here instead.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    retryStrategy: (attempt) => (closed ? null : Math.min(100 * 2 ** Math.min(attempt, 10), 5_000)),
  });
  redis.on('error', (err) => failed(err));
  redis.on('ready', () => {
    if (isReported) logger.info('the shared cache is reachable again');
    isReported = false;
    restsUntil = 0;
    settled.resolve();
  });

  function failed(err: unknown): void {
    restsUntil = Date.now() + restMs;
    settled.resolve();
    if (isReported || closed) return;
    isReported = true;
    logger.warn({ err }, 'the shared cache is not reachable; everything is made here');
  }

  const isUsable = (): boolean => redis.status === 'ready' && Date.now() >= restsUntil;
  const keyOf = (kind: SharedKind, id: string): string => `${prefix}:${kind}:${id}`;
  const macOf = (key: string, bytes: Buffer): Buffer =>
    createHmac('sha256', macKey).update(`${key}\n`).update(bytes).digest();

  async function write(kind: SharedKind, id: string, value: string): Promise<void> {
    try {
      const key = keyOf(kind, id);
      const bytes = await zip(value);
      if (bytes.length > maxValueBytes) return;
      await redis.set(key, Buffer.concat([macOf(key, bytes), bytes]), 'EX', lifetimeSeconds[kind]);
    } catch (error) {
      failed(error);
    }
  }

  return {
    settled: settled.promise,
    async get(kind, id) {
      if (!isUsable()) return null;
      const key = keyOf(kind, id);
      let stored: Buffer | null | 'late';
      try {
        stored = await Promise.race([redis.getBuffer(key), late(timeoutMs)]);
      } catch (error) {
        failed(error);
        return null;
      }
      if (stored === 'late') {
        lateInRow += 1;
        if (lateInRow >= maxLateInRow) failed(new Error(`no answer within ${timeoutMs} ms`));
        return null;
      }
      lateInRow = 0;
      if (!stored || stored.length <= macBytes) return null;
      const bytes = stored.subarray(macBytes);
      if (!timingSafeEqual(stored.subarray(0, macBytes), macOf(key, bytes))) return null;
      return (await unzip(bytes)).toString();
    },
    set(kind, id, value) {
      if (closed || !isUsable() || writes.size >= maxWrites) return;
      const writing = write(kind, id, value).finally(() => writes.delete(writing));
      writes.add(writing);
    },
    async flushed() {
      await Promise.all(writes);
    },
    async [Symbol.asyncDispose]() {
      // One that answers nothing must not hold up the end.
      await Promise.race([Promise.all(writes), late(timeoutMs)]);
      closed = true;
      redis.disconnect();
    },
  };
}

/** Loading a graph blocks for longer than a read may take: an answer that came meanwhile gets its turn first. */
async function late(timeoutMs: number): Promise<'late'> {
  await delay(timeoutMs, undefined, { ref: false });
  await nextTurn();
  await nextTurn();
  return 'late';
}
