/** Tests that need a real Redis: REDIS_URL, else the redis-server that the run started from the PATH. */
import { describe, it } from 'vitest';
import { sharedServers } from './shared-servers.ts';

/** Null where the machine has no Redis. */
export function findRedisUrl(): string | null {
  return process.env[sharedServers.redis] ?? process.env['REDIS_URL'] ?? null;
}

/**
 * `describe` with a Redis. Without one the tests are skipped, by name; with REQUIRE_REDIS=1 they fail instead. The
 * server is shared: use keys and channels of your own.
 */
export function describeWithRedis(name: string, tests: (redisUrl: string) => void): void {
  const url = findRedisUrl();
  if (url !== null) {
    describe(name, () => tests(url));
  } else if (process.env['REQUIRE_REDIS'] === '1') {
    describe(name, () => {
      it('has a Redis', () => {
        throw new Error('REQUIRE_REDIS=1, but REDIS_URL is unset and there is no redis-server on the PATH');
      });
    });
  } else {
    describe.skip(`${name} (needs REDIS_URL, or a redis-server on the PATH)`, () =>
      tests('redis://unavailable'));
  }
}
