/** vitest's globalSetup: one PostgreSQL and one Redis for the run, whichever projects take part in it. */
import { startTestCluster } from './test-cluster.ts';
import { startRedis } from './redis-server.ts';

/** The environment variables through which tests find the servers. */
export const sharedServers = { postgres: 'TENANTRY_TEST_POSTGRES', redis: 'TENANTRY_TEST_REDIS' } as const;

interface Shared {
  users: number;
  ready: Promise<AsyncDisposable[]>;
}

/** vitest runs this once for each project, in one process: the first starts the servers, the last stops them. */
const holder = globalThis as { tenantryShared?: Shared };

export default async function setup(): Promise<() => Promise<void>> {
  const shared = (holder.tenantryShared ??= { users: 0, ready: startServers() });
  shared.users += 1;
  await shared.ready;
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    holder.tenantryShared = undefined;
    const servers = await shared.ready;
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  };
}

async function startServers(): Promise<AsyncDisposable[]> {
  const cluster = await startTestCluster();
  process.env[sharedServers.postgres] = cluster.url;
  if (process.env['REDIS_URL']) {
    process.env[sharedServers.redis] = process.env['REDIS_URL'];
    return [cluster];
  }
  const redis = await startRedis();
  if (redis === null) return [cluster];
  process.env[sharedServers.redis] = redis.url;
  return [cluster, redis];
}
