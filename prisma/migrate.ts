/**
 * Applies prisma/migrations/<name>/migration.sql in order of name, and keeps `_prisma_migrations` as Prisma's own engine
 * does, so that `prisma migrate deploy` agrees with it (docs/decisions/migration-runner.md).
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { allowRolesToLogIn } from './role-login.ts';

export interface MigrateOptions {
  /** As a role that may create tables, and roles where tenantry_app and tenantry_platform are not there yet. */
  url: string;
  /** See `deriveRolePassword`; null where the roles log in without one. */
  rolePassword: string | null;
  logger?: { info(facts: object, message: string): void };
  /** Default: this folder's `migrations`. */
  migrationsFolder?: string;
}

interface Migration {
  name: string;
  script: string;
  checksum: string;
}

interface AppliedRow {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

/** The lock that Prisma's engine takes as well: the two exclude each other. Per database. */
const advisoryLock = 72707369;

/** As Prisma's engine creates it. */
const bookkeepingTable = `
  create table if not exists _prisma_migrations (
    id varchar(36) primary key not null,
    checksum varchar(64) not null,
    finished_at timestamptz,
    migration_name varchar(255) not null,
    logs text,
    rolled_back_at timestamptz,
    started_at timestamptz not null default now(),
    applied_steps_count integer not null default 0
  )`;

/**
 * Brings the database to the newest migration, then lets the two roles log in. Any number of processes may call it at
 * once, on one database or several of one cluster. `applied` names what this call applied. Throws, with nothing of it
 * applied, where an applied migration's file was changed since or a migration fails.
 */
export async function migrate(options: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(
    options.migrationsFolder ?? join(import.meta.dirname, 'migrations'),
  );
  const client = new pg.Client({ connectionString: options.url });
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [advisoryLock]);
    // "if not exists" still raises a notice each time, and needs the right to create.
    const { rows } = await client.query("select to_regclass('_prisma_migrations') as found");
    if (rows[0].found === null) await client.query(bookkeepingTable);

    const applied: string[] = [];
    const done = await readApplied(client);
    for (const migration of migrations) {
      const row = done.get(migration.name);
      if (row) {
        checkApplied(row, migration);
        continue;
      }
      await apply(client, migration);
      options.logger?.info({ migration: migration.name }, 'applied a migration');
      applied.push(migration.name);
    }
    await allowRolesToLogIn(client, options.url, options.rolePassword);
    return { applied };
  } finally {
    // Ending the session gives the lock back.
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.toSorted().map(async (name) => {
      const bytes = await readFile(join(folder, name, 'migration.sql'));
      return { name, script: bytes.toString('utf8'), checksum: checksumOf(bytes) };
    }),
  );
}

function checksumOf(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}

async function readApplied(client: pg.Client): Promise<Map<string, AppliedRow>> {
  const { rows } = await client.query<AppliedRow>(
    'select migration_name, checksum, finished_at from _prisma_migrations where rolled_back_at is null order by started_at',
  );
  return new Map(rows.map((row) => [row.migration_name, row]));
}

function checkApplied(row: AppliedRow, migration: Migration): void {
  if (row.finished_at === null) {
    throw new Error(
      `Migration ${migration.name} was started on this database and never finished (not by this runner, which leaves ` +
        'nothing behind). Repair the schema by hand, then set finished_at or rolled_back_at of its row in _prisma_migrations.',
    );
  }
  // A checkout with other line endings is the same migration.
  const variants = [
    migration.checksum,
    checksumOf(migration.script.replaceAll('\r\n', '\n')),
    checksumOf(migration.script.replaceAll('\r\n', '\n').replaceAll('\n', '\r\n')),
  ];
  if (!variants.includes(row.checksum)) {
    throw new Error(
      `Migration ${migration.name} was changed after it was applied to this database. Put the file back as it was and ` +
        'write the change as a new migration.',
    );
  }
}

/** Script and bookkeeping in one transaction. A failure is written down as rolled back: the next start tries again. */
async function apply(client: pg.Client, migration: Migration): Promise<void> {
  const id = randomUUID();
  try {
    await client.query('begin');
    await client.query(
      'insert into _prisma_migrations (id, checksum, migration_name, started_at) values ($1, $2, $3, clock_timestamp())',
      [id, migration.checksum, migration.name],
    );
    // No parameters: the whole script goes as one message, functions and DO blocks included.
    await client.query(migration.script);
    await client.query(
      'update _prisma_migrations set finished_at = clock_timestamp(), applied_steps_count = 1 where id = $1',
      [id],
    );
    await client.query('commit');
  } catch (error) {
    const reason = describe(error, migration.script);
    await client.query('rollback');
    await client.query(
      `insert into _prisma_migrations (id, checksum, migration_name, logs, rolled_back_at)
        values ($1, $2, $3, $4, clock_timestamp())`,
      [id, migration.checksum, migration.name, reason],
    );
    throw new Error(`Migration ${migration.name} failed and was rolled back: ${reason}`, { cause: error });
  }
}

function describe(error: unknown, script: string): string {
  if (!(error instanceof pg.DatabaseError)) return String(error);
  const line = error.position ? script.slice(0, Number(error.position)).split('\n').length : null;
  return `${error.message} (SQLSTATE ${error.code}${line === null ? '' : `, line ${line}`})`;
}
