/** Servers that this process starts and that must not outlive it, not even when it is killed. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface GuardedOptions {
  command: string;
  args: string[];
  uid?: number;
  gid?: number;
  env: Record<string, string>;
  /** Where its output goes: a file handle, or nowhere. */
  output: number | 'ignore';
}

/**
 * The shell becomes the server (so its process id is the child's), after it left a watcher behind that reads a pipe
 * whose other end only this process holds. A line means that all is well; the end of the file, that this process is
 * gone without a word: the watcher then interrupts the server. It is forked twice, so as not to be the server's child.
 */
const guardedStart = `
  ( ( read -r word <&3 || kill -INT $$ ) >/dev/null 2>&1 </dev/null & )
  exec 3<&-
  exec "$@" </dev/null`;

/**
 * Starts a server in a process group of its own: Ctrl-C in a terminal is this process's to handle, which then stops
 * the server. (On Windows it is a plain child.)
 */
export function spawnGuarded({ command, args, uid, gid, env, output }: GuardedOptions): ChildProcess {
  if (process.platform === 'win32') return spawn(command, args, { stdio: ['ignore', output, output], env });
  const child = spawn('/bin/sh', ['-c', guardedStart, 'sh', command, ...args], {
    uid,
    gid,
    env,
    detached: true,
    stdio: ['ignore', output, output, 'pipe'],
    cwd: '/',
  });
  const pipe = child.stdio[3] as NodeJS.WritableStream;
  pipe.on('error', () => {});
  // The watcher must not signal a process id that is no longer the server's.
  child.once('exit', () => pipe.end('ended\n'));
  return child;
}
