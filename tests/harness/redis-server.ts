/** A redis-server from the PATH, where there is one. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { freePort } from '#prisma/free-port.ts';
import { spawnGuarded } from '#prisma/guarded-process.ts';

export interface RedisServer extends AsyncDisposable {
  readonly url: string;
}

/** Starts one on a free loopback port, or on this one, in memory only. Null where the PATH has none. */
export async function startRedis(atPort?: number): Promise<RedisServer | null> {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status !== 0) return null;
  const port = atPort ?? (await freePort());
  const child = spawnGuarded({
    command: 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    env: { PATH: process.env['PATH'] ?? '' },
    output: 'ignore',
  });
  const ended = once(child, 'exit');
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => 20 });
  client.on('error', () => {});
  // Queued until the server accepts connections.
  const answer = client.ping();
  const outcome = await Promise.race([answer.then(() => 'ready'), ended.then(() => 'ended')]);
  client.disconnect();
  if (outcome === 'ended') throw new Error(`redis-server did not start on port ${port}`);
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
