/** A migrated, empty database for one test or file. */
import { randomUUID } from 'node:crypto';
import { databaseUrl, runOn, startTestCluster, type TestCluster, templateName } from './test-cluster.ts';
import { sharedServers } from './shared-servers.ts';

export interface TestDatabase extends AsyncDisposable {
  /** As superuser; the roles log in over it without a password. */
  readonly url: string;
  readonly rolePassword: string | null;
}

/** Clones the migrated template on the run's cluster (35–60 ms). Disposing drops it, connections and all. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return createDatabase(`template ${templateName}`);
}

/** A database without any table, for tests of migrations. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return createDatabase('template template0');
}

async function createDatabase(source: string): Promise<TestDatabase> {
  const cluster = await findCluster();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runOn(cluster.url, `create database ${name} ${source}`);
  return {
    url: databaseUrl(cluster.url, name),
    rolePassword: null,
    async [Symbol.asyncDispose]() {
      await runOn(cluster.url, `drop database ${name} with (force)`);
      await cluster.leave();
    },
  };
}

/** For who runs outside vitest (benchmarks): a cluster of this process's own, while a database of it is in use. */
let own: { cluster: Promise<TestCluster>; users: number } | undefined;

async function findCluster(): Promise<{ url: string; leave(): Promise<void> }> {
  const shared = process.env[sharedServers.postgres];
  if (shared) return { url: shared, leave: async () => {} };
  if (process.env['VITEST']) {
    throw new Error('This vitest project has no globalSetup: tests/harness/shared-servers.ts');
  }
  const mine = (own ??= { cluster: startTestCluster(), users: 0 });
  mine.users += 1;
  const cluster = await mine.cluster;
  return {
    url: cluster.url,
    async leave() {
      mine.users -= 1;
      if (mine.users > 0) return;
      own = undefined;
      await cluster[Symbol.asyncDispose]();
    },
  };
}
