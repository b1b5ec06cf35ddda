/** Child processes of a benchmark: started with a way to ask them, ended for certain. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export interface Child extends AsyncDisposable {
  /** Sends a message and waits for the next one that comes back. */
  ask<Answer>(message: string): Promise<Answer>;
  send(message: string | object): void;
}

export interface ProcessOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly isQuiet?: boolean;
  /** Addresses of modules that are loaded before the script. */
  readonly preloads?: readonly string[];
}

/** `script` is relative to this folder unless it is absolute. Its standard error is ours. */
export function startProcess(script: string, args: readonly string[], options: ProcessOptions = {}): Child {
  const reporter = new URL('servers/usage-reporter.mjs', import.meta.url).href;
  const file = script.startsWith('/') ? script : fileURLToPath(new URL(script, import.meta.url));
  const preloads = [reporter, ...(options.preloads ?? [])].flatMap((module) => ['--import', module]);
  const child: ChildProcess = spawn(process.execPath, ['--expose-gc', ...preloads, file, ...args], {
    stdio: ['ignore', 'ignore', options.isQuiet ? 'ignore' : 'inherit', 'ipc'],
    cwd: options.cwd,
    env: { ...process.env, APOLLO_TELEMETRY_DISABLED: 'true', NODE_ENV: 'production', ...options.env },
  });
  const exited = once(child, 'exit');
  return {
    async ask<Answer>(message: string) {
      const answered = once(child, 'message');
      const ended = exited.then(() => {
        throw new Error(`${script} ended while it was measured`);
      });
      child.send(message);
      const [answer] = (await Promise.race([answered, ended])) as [Answer];
      return answer;
    },
    send(message) {
      child.send(message);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    },
  };
}

export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
