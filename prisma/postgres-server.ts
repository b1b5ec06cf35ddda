/** One PostgreSQL server as a child of this process: created, started, guarded and stopped. */
import { type ChildProcess, execFile } from 'node:child_process';
import { chmodSync, chownSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { spawnGuarded } from './guarded-process.ts';
import { readLockFile, waitForPredecessor } from './postgres-lock.ts';
import type { PostgresBinaries, RunAs } from './postgres-binaries.ts';

export interface ServerOptions {
  /** The cluster's folder; created where absent. */
  folder: string;
  binaries: PostgresBinaries;
  /** Null: as this process's own user. */
  user: RunAs | null;
  superuser: string;
  /** Null: whoever reaches the port is let in (tests). */
  password: string | null;
  /** Settings of postgresql.conf. */
  settings?: Record<string, string>;
}

export interface PostgresServer {
  /** On 127.0.0.1, which is all it listens on. */
  readonly port: number;
  readonly pid: number;
  /** Whether the cluster was created by this start. */
  readonly isNew: boolean;
  /** Resolves with the server's last words once it has ended, asked for or not. */
  readonly ended: Promise<string>;
  /** Waits for what is running, at most ten seconds. Safe to call twice. */
  close(): Promise<void>;
}

/** Environment of the programs: messages in English (they are read below), nothing of ours (secrets least of all). */
const environment: Record<string, string> = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
};

const startLimitMs = 60_000;

/**
 * Creates the cluster where there is none, and starts it on a free port. A server left by a killed process is waited
 * for; a lock file that it left behind is removed. Throws where another process uses the folder.
 */
export async function startPostgresServer(options: ServerOptions): Promise<PostgresServer> {
  const isNew = !existsSync(join(options.folder, 'PG_VERSION'));
  if (isNew) await createCluster(options);
  await checkVersion(options);
  await waitForPredecessor(options.folder);

  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const started = await launch(options, port);
    if (typeof started !== 'string') return { ...started, port, isNew };
    // Somebody took the port between our look and PostgreSQL's.
    if (attempt >= 5 || !/Address (already )?in use/.test(started)) {
      throw new Error(`PostgreSQL did not start in ${options.folder}:\n${started}`);
    }
  }
}

/** Made beside the folder and renamed, so that an interrupted start leaves no half cluster. */
async function createCluster(options: ServerOptions): Promise<void> {
  const unfinished = `${options.folder}.new`;
  const passwordFile = `${options.folder}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true, mode: 0o700 });
  await writeFile(passwordFile, `${options.password ?? 'unused'}\n`, { mode: 0o600 });
  if (options.user) {
    chownSync(unfinished, options.user.uid, options.user.gid);
    chownSync(passwordFile, options.user.uid, options.user.gid);
  }
  const flags = [
    `--pgdata=${unfinished}`,
    `--username=${options.superuser}`,
    `--pwfile=${passwordFile}`,
    `--auth=${options.password === null ? 'trust' : 'scram-sha-256'}`,
    '--encoding=UTF8',
    // The same everywhere, whatever locales the machine has.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(options.password === null ? ['--no-sync'] : []),
  ];
  try {
    await promisify(execFile)(options.binaries.initdb, flags, {
      ...options.user,
      env: environment,
      cwd: '/',
    });
    await rename(unfinished, options.folder);
  } catch (error) {
    throw new Error(`PostgreSQL could not create its files in ${options.folder}: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return stderr?.trim() || message;
}

async function checkVersion(options: ServerOptions): Promise<void> {
  const files = (await readFile(join(options.folder, 'PG_VERSION'), 'utf8')).trim();
  const { stdout } = await promisify(execFile)(options.binaries.postgres, ['--version'], {
    env: environment,
    cwd: '/',
    ...options.user,
  });
  const program = /(\d+)[.\w]*/.exec(stdout)?.[1];
  if (files !== program) {
    throw new Error(
      `${options.folder} was written by PostgreSQL ${files}, and the embedded one is ${program}. Dump it with the ` +
        'version of the product that wrote it, or move the folder away to start anew.',
    );
  }
}

type Started = Pick<PostgresServer, 'pid' | 'ended' | 'close'>;

/** The running server, or what it said before it gave up. */
async function launch(options: ServerOptions, port: number): Promise<Started | string> {
  const logFile = `${options.folder}.log`;
  const settings = {
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const args = ['-D', options.folder, ...flags];
  const log = openSync(logFile, 'w', 0o600);
  const child = spawnGuarded({
    ...options.user,
    command: options.binaries.postgres,
    args,
    env: environment,
    output: log,
  });
  closeSync(log);
  chmodSync(logFile, 0o600);

  const ended = watchEnd(child, logFile);
  const isEnded = ended.then(() => true as const);
  const startedAt = Date.now();
  for (;;) {
    const lock = readLockFile(options.folder);
    if (lock?.pid === child.pid && lock?.state === 'ready') break;
    if (Date.now() - startedAt > startLimitMs) child.kill('SIGQUIT');
    if (await Promise.race([isEnded, wait(10)])) return ended;
  }

  const pid = child.pid as number;
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= stop(child, ended));
  return { pid, ended, close };
}

function watchEnd(child: ChildProcess, logFile: string): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', () => {
      resolve(readFileSync(logFile, 'utf8').trim().split('\n').slice(-20).join('\n'));
    });
  });
}

/** Fast shutdown: open transactions are rolled back, the files are left clean. */
async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGINT');
  const giveUp = new AbortController();
  const limit = wait(10_000, 'late', { signal: giveUp.signal }).catch(() => 'ended');
  if ((await Promise.race([ended, limit])) === 'late') child.kill('SIGQUIT');
  giveUp.abort();
  await ended;
}
