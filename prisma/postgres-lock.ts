/** Who has a cluster's folder: PostgreSQL's own lock file, read from outside. */
import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

/** A server whose owner was killed has noticed long before; one that still stands has an owner. */
const orphanLimitMs = 5_000;
const shutdownLimitMs = 30_000;

/** postmaster.pid, line by line: 0 the process, 7 its state. Null where there is none. */
export function readLockFile(folder: string): { pid: number; state: string } | null {
  try {
    const lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), state: (lines[7] ?? '').trim() };
  } catch {
    return null;
  }
}

/** Whether `pid` is a PostgreSQL server, and (where the machine tells) the one of this folder. */
async function isServerOf(pid: number, folder: string): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    if (process.platform === 'linux') {
      if (!readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')) return false;
      try {
        return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
      } catch {
        return true;
      }
    }
    const { stdout } = await promisify(execFile)('ps', ['-p', String(pid), '-o', 'comm=']);
    return stdout.includes('postgres');
  } catch {
    return false;
  }
}

/**
 * Returns once no server has the folder. One left by a killed process is waited for; a lock file without a server is
 * removed. Throws where another process keeps using the folder.
 */
export async function waitForPredecessor(folder: string): Promise<void> {
  const started = Date.now();
  for (;;) {
    const lock = readLockFile(folder);
    if (lock === null) return;
    if (!(await isServerOf(lock.pid, folder))) {
      // Left by a machine that went down, or by a container whose process ids start again.
      rmSync(join(folder, 'postmaster.pid'), { force: true });
      return;
    }
    const limitMs = lock.state === 'stopping' ? shutdownLimitMs : orphanLimitMs;
    if (Date.now() - started > limitMs) {
      throw new Error(
        `Another process runs a PostgreSQL (process ${lock.pid}) on ${folder}. Stop the other instance of the product, ` +
          'or give this one its own folder with TENANTRY_DATA.',
      );
    }
    await wait(50);
  }
}
