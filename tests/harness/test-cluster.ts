/** One PostgreSQL for a whole test run, with a migrated template that test databases are cloned from. */
import { mkdtemp, rm } from 'node:fs/promises';
import { chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { migrate } from '#prisma/migrate.ts';
import { findPostgresBinaries, unprivilegedUser } from '#prisma/postgres-binaries.ts';
import { startPostgresServer } from '#prisma/postgres-server.ts';

/** The database that `createTestDatabase` clones. */
export const templateName = 'tenantry_template';

export interface TestCluster extends AsyncDisposable {
  /** Of the database "postgres", as superuser, without a password: the server trusts whoever reaches its loopback port. */
  readonly url: string;
}

/** Fast and forgetful (no fsync); gone with its files on disposal, and its server with this process in any case. */
export async function startTestCluster(): Promise<TestCluster> {
  const home = await mkdtemp(join(tmpdir(), 'tenantry-test-cluster-'));
  chmodSync(home, 0o711);
  const user = unprivilegedUser();
  const server = await startPostgresServer({
    folder: join(home, 'postgres'),
    binaries: await findPostgresBinaries(user, home),
    user,
    superuser: 'postgres',
    password: null,
    settings: {
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      max_connections: '600',
      shared_buffers: '256MB',
      jit: 'off',
    },
  });
  const url = `postgresql://postgres@127.0.0.1:${server.port}/postgres`;
  const dispose = async () => {
    await server.close();
    await rm(home, { recursive: true, force: true });
  };
  try {
    await runOn(url, `create database ${templateName}`);
    await migrate({ url: databaseUrl(url, templateName), rolePassword: null });
  } catch (error) {
    await dispose();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: dispose };
}

/** Runs one statement on a connection of its own. */
export async function runOn(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** The same server's database `name`. */
export function databaseUrl(url: string, name: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${name}`;
  return parsed.toString();
}
