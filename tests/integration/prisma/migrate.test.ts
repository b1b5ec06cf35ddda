import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { migrate } from '#prisma/migrate.ts';
import { refusePowerful } from '#prisma/role-login.ts';
import { createEmptyDatabase } from '#tests/harness/database.ts';

const ourMigrations = join(import.meta.dirname, '../../../prisma/migrations');

/** A migrations folder of this test's own, with these scripts beside a copy of the product's. */
async function createFolder(scripts: Record<string, string>, { withOurs = false } = {}) {
  const path = await mkdtemp(join(tmpdir(), 'tenantry-migrations-'));
  if (withOurs) await cp(ourMigrations, path, { recursive: true });
  const write = async (name: string, script: string) => {
    await mkdir(join(path, name), { recursive: true });
    await writeFile(join(path, name, 'migration.sql'), script);
  };
  for (const [name, script] of Object.entries(scripts)) await write(name, script);
  return { path, write, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const roles = '20200101000000_roles';
const createRoles = `do $$ begin
    create role tenantry_app nologin; exception when duplicate_object or unique_violation then null; end $$;
  do $$ begin
    create role tenantry_platform nologin; exception when duplicate_object or unique_violation then null; end $$;`;

describe('migrate', () => {
  it('brings an empty database up to date, once', async () => {
    await using database = await createEmptyDatabase();
    const names = (await readdir(ourMigrations)).filter((name) => !name.endsWith('.toml')).toSorted();
    expect((await migrate(database)).applied).toEqual(names);
    expect((await migrate(database)).applied).toEqual([]);
    expect(await query(database.url, 'select count(*)::int as n from _prisma_migrations')).toEqual([
      { n: names.length },
    ]);
  });

  it("keeps the books as Prisma's engine does", async () => {
    await using database = await createEmptyDatabase();
    await migrate(database);
    const columns = await query(
      database.url,
      `select column_name as name, data_type as type, character_maximum_length as length, is_nullable as nullable, column_default as "default"
        from information_schema.columns where table_name = '_prisma_migrations' order by ordinal_position`,
    );
    const time = 'timestamp with time zone';
    const nothing = { length: null, nullable: 'YES', default: null };
    expect(columns).toEqual([
      { name: 'id', type: 'character varying', length: 36, nullable: 'NO', default: null },
      { name: 'checksum', type: 'character varying', length: 64, nullable: 'NO', default: null },
      { ...nothing, name: 'finished_at', type: time },
      { name: 'migration_name', type: 'character varying', length: 255, nullable: 'NO', default: null },
      { ...nothing, name: 'logs', type: 'text' },
      { ...nothing, name: 'rolled_back_at', type: time },
      { name: 'started_at', type: time, length: null, nullable: 'NO', default: 'now()' },
      { name: 'applied_steps_count', type: 'integer', length: null, nullable: 'NO', default: '0' },
    ]);
    for (const row of await query(database.url, 'select * from _prisma_migrations')) {
      const script = await readFile(join(ourMigrations, row['migration_name'] as string, 'migration.sql'));
      expect(row).toMatchObject({
        checksum: createHash('sha256').update(script).digest('hex'),
        applied_steps_count: 1,
        logs: null,
        rolled_back_at: null,
        finished_at: expect.any(Date),
      });
    }
  });

  it('refuses a migration that was changed after it was applied, but not for its line endings', async () => {
    await using database = await createEmptyDatabase();
    await using folder = await createFolder({
      [roles]: createRoles,
      '2_table': 'create table t (\n  a int\n);\n',
    });
    const options = { ...database, migrationsFolder: folder.path };
    await migrate(options);
    await folder.write('2_table', 'create table t (\r\n  a int\r\n);\r\n');
    expect(await migrate(options)).toEqual({ applied: [] });
    await folder.write('2_table', 'create table t (a int, b int);');
    await expect(migrate(options)).rejects.toThrow('Migration 2_table was changed after it was applied');
  });

  it('leaves nothing of a failed migration, says where it failed, and tries it again', async () => {
    await using database = await createEmptyDatabase();
    await using folder = await createFolder({
      [roles]: createRoles,
      '2_good': 'create table good (a int);',
      '3_bad': 'create table half (a int);\ncreate table broken (a nope);',
      '4_later': 'create table later (a int);',
    });
    const options = { ...database, migrationsFolder: folder.path };
    await expect(migrate(options)).rejects.toThrow(
      /^Migration 3_bad failed and was rolled back: .*"nope".*42704, line 2/,
    );
    const tables = await query(
      database.url,
      "select relname from pg_class where relname in ('good', 'half', 'later')",
    );
    expect(tables).toEqual([{ relname: 'good' }]);
    const [row] = await query(
      database.url,
      "select * from _prisma_migrations where migration_name = '3_bad'",
    );
    expect(row).toMatchObject({
      finished_at: null,
      rolled_back_at: expect.any(Date),
      logs: expect.stringContaining('nope'),
    });

    await folder.write('3_bad', 'create table half (a int);');
    expect(await migrate(options)).toEqual({ applied: ['3_bad', '4_later'] });
    expect(await migrate(options)).toEqual({ applied: [] });
  });

  it('refuses what another tool left unfinished', async () => {
    await using database = await createEmptyDatabase();
    await using folder = await createFolder({ [roles]: createRoles, '2_table': 'create table t (a int);' });
    const options = { ...database, migrationsFolder: folder.path };
    await migrate(options);
    await query(
      database.url,
      "update _prisma_migrations set finished_at = null where migration_name = '2_table'",
    );
    await expect(migrate(options)).rejects.toThrow(
      'Migration 2_table was started on this database and never finished',
    );
  });

  it('sends a script whole: functions, DO blocks and semicolons in text', async () => {
    await using database = await createEmptyDatabase();
    await using folder = await createFolder({
      [roles]: createRoles,
      '2_script': `create function f() returns text language plpgsql as $f$ begin return 'a;b'; end $f$;
        do $$ declare t text := f(); begin execute format('create table %I (a int)', t); end $$;`,
    });
    await migrate({ ...database, migrationsFolder: folder.path });
    expect(await query(database.url, 'select * from "a;b"')).toEqual([]);
  });

  it('is run by many processes at once: one database', async () => {
    await using database = await createEmptyDatabase();
    const runs = await Promise.all(Array.from({ length: 6 }, () => migrate(database)));
    expect(runs.filter(({ applied }) => applied.length > 0)).toHaveLength(1);
  });

  it('is run by many processes at once: several databases of one cluster', async () => {
    const databases = await Promise.all(Array.from({ length: 5 }, createEmptyDatabase));
    try {
      const runs = await Promise.all(databases.flatMap((database) => [migrate(database), migrate(database)]));
      expect(runs.filter(({ applied }) => applied.length > 0)).toHaveLength(databases.length);
    } finally {
      await Promise.all(databases.map((database) => database[Symbol.asyncDispose]()));
    }
  });

  it('refuses a role that could see past row-level security', async () => {
    await using database = await createEmptyDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    try {
      await expect(refusePowerful(client, 'postgres')).rejects.toThrow(
        'must be neither a superuser nor BYPASSRLS',
      );
    } finally {
      await client.end();
    }
  });
});
