import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { describe, expect, it, vi } from 'vitest';
import { startEmbeddedPostgres } from '#prisma/embedded.ts';
import { migrate } from '#prisma/migrate.ts';
import { canEnter, findPostgresBinaries, unprivilegedUser } from '#prisma/postgres-binaries.ts';
import { startPostgresServer } from '#prisma/postgres-server.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { deriveRolePassword } from '#prisma/roles.ts';

const root = unprivilegedUser();

async function createFolder() {
  const path = await mkdtemp(join(tmpdir(), 'tenantry-embedded-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function start(dataFolder: string) {
  const server = await startEmbeddedPostgres({ dataFolder });
  return { ...server, [Symbol.asyncDispose]: server.close };
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

function serverPid(dataFolder: string): number {
  return Number(readFileSync(join(dataFolder, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A process of its own that owns the server. */
async function startOwner(dataFolder: string, user: { uid: number; gid: number } | null = null) {
  const script = join(import.meta.dirname, '../../harness/embedded-owner.ts');
  const child = spawn(process.execPath, [script, dataFolder], {
    ...user,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const [url] = (await Promise.race([once(child.stdout, 'data'), exited])) as [Buffer | number | null];
  if (!Buffer.isBuffer(url)) throw new Error('the process ended before its server was ready');
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return { url: url.toString().trim(), end, [Symbol.asyncDispose]: () => end('SIGKILL') };
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data between starts, stops cleanly, and lets nobody else read its password', async () => {
    await using folder = await createFolder();
    {
      await using server = await start(folder.path);
      await query(server.url, 'create table kept as select 7 as n');
      expect(statSync(join(folder.path, 'postgres-password')).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder.path, 'postgres')).mode & 0o777).toBe(0o700);
      const [row] = await query(server.url, 'show listen_addresses');
      expect(row).toEqual({ listen_addresses: '127.0.0.1' });
      const wrong = new URL(server.url);
      wrong.password = 'guess';
      await expect(query(wrong.toString(), 'select 1')).rejects.toMatchObject({ code: '28P01' });
    }
    expect(existsSync(join(folder.path, 'postgres/postmaster.pid'))).toBe(false);
    await using server = await start(folder.path);
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('does not outlive an owner that was killed, and starts again at once', async () => {
    await using folder = await createFolder();
    await using owner = await startOwner(folder.path);
    await query(owner.url, 'create table kept as select 7 as n');
    const pid = serverPid(folder.path);
    await owner.end('SIGKILL');
    await using server = await start(folder.path);
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 });
    expect(await query(server.url, 'select n from kept')).toEqual([{ n: 7 }]);
  });

  it('stays away when an owner is killed and nobody starts it again', async () => {
    await using folder = await createFolder();
    await using owner = await startOwner(folder.path);
    const pid = serverPid(folder.path);
    await owner.end('SIGKILL');
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 20_000 });
  });

  it('starts over a lock file that names a process which is no PostgreSQL', async () => {
    await using folder = await createFolder();
    await (await start(folder.path)).close();
    const lock = `${process.pid}\n${join(folder.path, 'postgres')}\n1\n5432\n\n127.0.0.1\n0 0\nready   \n`;
    writeFileSync(join(folder.path, 'postgres/postmaster.pid'), lock);
    await using server = await start(folder.path);
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('refuses a folder that another process uses, and says so', async () => {
    await using folder = await createFolder();
    await using server = await start(folder.path);
    await expect(startEmbeddedPostgres({ dataFolder: folder.path })).rejects.toThrow(
      /Another process runs a PostgreSQL .* TENANTRY_DATA/,
    );
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('begins again where creating the cluster was interrupted', async () => {
    await using folder = await createFolder();
    mkdirSync(join(folder.path, 'postgres.new/base'), { recursive: true });
    await using server = await start(folder.path);
    expect(await query(server.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  it('refuses files of another version', async () => {
    await using folder = await createFolder();
    await (await start(folder.path)).close();
    writeFileSync(join(folder.path, 'postgres/PG_VERSION'), '15\n');
    await expect(startEmbeddedPostgres({ dataFolder: folder.path })).rejects.toThrow(
      'was written by PostgreSQL 15',
    );
  });

  it('closes twice without harm', async () => {
    await using folder = await createFolder();
    await using server = await start(folder.path);
    await Promise.all([server.close(), server.close()]);
  });

  it.runIf(root)(
    'started by root, keeps its files elsewhere when "nobody" cannot reach the data folder',
    async () => {
      await using folder = await createFolder();
      chmodSync(folder.path, 0o700);
      const dataFolder = join(folder.path, 'data');
      {
        await using server = await start(dataFolder);
        await query(server.url, 'create table kept as select 7 as n');
      }
      const home = readlinkSync(join(dataFolder, 'postgres-home'));
      try {
        await using server = await start(dataFolder);
        expect(await query(server.url, 'select n from kept')).toEqual([{ n: 7 }]);
      } finally {
        await rm(home, { recursive: true, force: true });
      }
    },
  );

  it.runIf(root && canEnter(root, import.meta.dirname))(
    'is started by an ordinary user as well',
    async () => {
      await using folder = await createFolder();
      if (root) chownSync(folder.path, root.uid, root.gid);
      await using owner = await startOwner(folder.path, root);
      expect(await query(owner.url, 'select 1 as n')).toEqual([{ n: 1 }]);
      await owner.end('SIGTERM');
      expect(existsSync(join(folder.path, 'postgres/postmaster.pid'))).toBe(false);
    },
  );
});

it('lets the roles log in with the derived password only, though several databases of a new cluster migrate at once', async () => {
  await using folder = await createFolder();
  chmodSync(folder.path, 0o711);
  const server = await startPostgresServer({
    folder: join(folder.path, 'postgres'),
    binaries: await findPostgresBinaries(root, folder.path),
    user: root,
    superuser: 'postgres',
    password: 'secret',
  });
  try {
    const base = `postgresql://postgres:secret@127.0.0.1:${server.port}`;
    const names = ['one', 'two', 'three', 'four'];
    for (const name of names) await query(`${base}/postgres`, `create database ${name}`);
    const rolePassword = deriveRolePassword('a secret');
    const runs = names.flatMap((name) => [1, 2].map(() => migrate({ url: `${base}/${name}`, rolePassword })));
    await Promise.all(runs);
    for (const name of names) {
      await using records = createRecordDatabase({ url: `${base}/${name}`, rolePassword });
      expect(await records.platform({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
    }
    await using stranger = createRecordDatabase({
      url: `${base}/one`,
      rolePassword: deriveRolePassword('another'),
    });
    await expect(stranger.platform({ text: 'select 1' })).rejects.toMatchObject({ code: '28P01' });
  } finally {
    await server.close();
  }
});
