/** The default database: a real PostgreSQL whose files live in the data folder and are kept between starts. */
import { chmodSync, existsSync, mkdtempSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { keepSecret } from './kept-secret.ts';
import { canEnter, findPostgresBinaries, type RunAs, unprivilegedUser } from './postgres-binaries.ts';
import { type PostgresServer, startPostgresServer } from './postgres-server.ts';

export interface EmbeddedOptions {
  /** Absolute, or against the working directory; created where absent. */
  dataFolder: string;
  logger?: { info(facts: object, message: string): void; error(facts: object, message: string): void };
}

export interface EmbeddedPostgres {
  /** As a superuser; holds the password. */
  readonly url: string;
  close(): Promise<void>;
}

const name = 'tenantry';

/**
 * Starts it, on a free port of 127.0.0.1. When this process dies, however it dies, the server stops as well. As root
 * it runs as the user "nobody"; where that user cannot reach the data folder, the files are kept in a folder of their
 * own in /var/lib, and the data folder has a link to it.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dataFolder = resolve(options.dataFolder);
  await mkdir(dataFolder, { recursive: true, mode: 0o755 });
  const user = unprivilegedUser();
  const home = user ? placeFor(user, dataFolder) : dataFolder;
  const binaries = await findPostgresBinaries(user, home);
  const password = await keepSecret(join(dataFolder, 'postgres-password'));
  const server = await startPostgresServer({
    folder: join(home, 'postgres'),
    binaries,
    user,
    superuser: name,
    password,
    settings: {
      max_connections: '200',
      shared_buffers: '256MB',
      jit: 'off',
      wal_level: 'minimal',
      max_wal_senders: '0',
      // Statements and details may hold a tenant's data, which has no place in a log.
      log_min_error_statement: 'panic',
      log_error_verbosity: 'terse',
      log_checkpoints: 'off',
    },
  });

  let isClosing = false;
  void server.ended.then((lastWords) => {
    if (!isClosing) options.logger?.error({ lastWords }, 'the embedded PostgreSQL ended by itself');
  });
  try {
    const base = `postgresql://${name}:${password}@127.0.0.1:${server.port}`;
    await createDatabase(`${base}/postgres`, server);
    options.logger?.info({ folder: home, port: server.port }, 'embedded PostgreSQL is ready');
    return {
      url: `${base}/${name}`,
      close() {
        isClosing = true;
        return server.close();
      },
    };
  } catch (error) {
    isClosing = true;
    await server.close();
    throw error;
  }
}

async function createDatabase(url: string, server: PostgresServer): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('select 1 from pg_catalog.pg_database where datname = $1', [
      name,
    ]);
    if (rowCount === 0) await client.query(`create database ${name}`);
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '28P01') {
      throw new Error(
        'The embedded PostgreSQL does not accept the password in postgres-password: that file was replaced. Put it ' +
          `back, or move the data folder away to start anew. (Server process ${server.pid}.)`,
        { cause: error },
      );
    }
    throw error;
  } finally {
    await client.end().catch(() => {});
  }
}

/** A folder that `user` can enter: the data folder, or one that the data folder links to. */
function placeFor(user: RunAs, dataFolder: string): string {
  const link = join(dataFolder, 'postgres-home');
  if (existsSync(link)) return readlinkSync(link);
  // The data folder is ours: others may pass through it (not list it) to what is theirs.
  chmodSync(dataFolder, (statSync(dataFolder).mode & 0o777) | 0o001);
  if (canEnter(user, dataFolder)) return dataFolder;
  for (const base of ['/var/lib', '/var/tmp']) {
    if (!canEnter(user, base)) continue;
    const home = mkdtempSync(join(base, 'tenantry-'));
    chmodSync(home, 0o711);
    symlinkSync(home, link);
    return home;
  }
  throw new Error(
    `PostgreSQL runs as "nobody" when the product is started by root, and "nobody" can enter neither ${dataFolder} nor ` +
      '/var/lib nor /var/tmp. Set TENANTRY_DATA to a folder that everybody may enter, or start as an ordinary user.',
  );
}
