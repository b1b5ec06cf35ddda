/** Starts the product the way README does (`npm start`), on a free port and with a data folder of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, type Client, type Credentials } from './client.ts';

export interface Product extends AsyncDisposable {
  /** "http://127.0.0.1:34567" */
  readonly url: string;
  readonly dataFolder: string;
  /** Everything printed so far. */
  readonly output: () => string;
  readonly pid: number;
  client(credentials?: Credentials): Client;
  /** Sends the signal to `npm start` and resolves with the exit code once every process of it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export const operator = { email: 'operator@platform.example', password: 'operator-password-1' };

export interface ProductOptions {
  /** Environment beside the harness's own (PORT 0, no demo, no Redis, an operator). */
  env?: Record<string, string | undefined>;
  /** Kept after disposal, to start again on the same data. */
  dataFolder?: string;
  /** npm script or command, instead of `npm start`. */
  command?: readonly [string, ...string[]];
}

/** Resolves when the product says that it is ready; rejects with its output when it ends first. */
export async function startProduct(options: ProductOptions = {}): Promise<Product> {
  const dataFolder = options.dataFolder ?? (await mkdtemp(join(tmpdir(), 'tenantry-e2e-')));
  const [command, ...args] = options.command ?? ['npm', 'start', '--silent'];
  const child = spawn(command, args, {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that nothing of it outlives a test run that was cut off.
    detached: true,
    env: {
      ...process.env,
      NODE_ENV: undefined,
      VITEST: undefined,
      DATABASE_URL: undefined,
      REDIS_URL: undefined,
      PORT: '0',
      HOST: '127.0.0.1',
      DEMO: 'false',
      LOG_LEVEL: 'warn',
      RATE_LIMIT_PER_MINUTE: '1000000',
      TENANTRY_DATA: dataFolder,
      OPERATOR_EMAIL: operator.email,
      OPERATOR_PASSWORD: operator.password,
      ...options.env,
    },
  });
  const killGroup = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGTERM');
  };
  process.once('exit', killGroup);
  let output = '';
  const ready = Promise.withResolvers<string>();
  const onOutput = (chunk: Buffer): void => {
    output += chunk.toString();
    const match = /ready at (http:\/\/[^\s"]+)/.exec(output);
    if (match?.[1]) ready.resolve(match[1]);
  };
  child.stdout.on('data', onOutput);
  child.stderr.on('data', onOutput);
  const exited = once(child, 'close').then(([code]) => {
    process.off('exit', killGroup);
    return code as number | null;
  });
  void exited.then((code) => ready.reject(new Error(`the product ended with code ${code}:\n${output}`)));
  const url = await ready.promise;

  const clients: Client[] = [];
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    await Promise.all(clients.splice(0).map((client) => client[Symbol.asyncDispose]()));
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    return exited;
  };
  return {
    url,
    dataFolder,
    output: () => output,
    pid: child.pid ?? 0,
    client(credentials = {}) {
      const client = createClient(url, credentials);
      clients.push(client);
      return client;
    },
    stop,
    async [Symbol.asyncDispose]() {
      await stop();
      if (!options.dataFolder) await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
