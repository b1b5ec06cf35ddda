/** Asks one address the same thing over and over, in a process of its own. Reports by IPC when told to. */
import { Pool } from 'undici';

interface Assignment {
  readonly url: string;
  readonly body: string;
  readonly connections: number;
  readonly headers?: Record<string, string>;
}

const assignment = JSON.parse(process.argv[2] ?? '{}') as Assignment;
const { origin, pathname } = new URL(assignment.url);
const pool = new Pool(origin, { connections: assignment.connections, pipelining: 1 });
const headers = { 'content-type': 'application/json', accept: 'application/json', ...assignment.headers };

let latenciesMs: number[] = [];
let failures = 0;
let isRunning = true;

async function ask(): Promise<void> {
  while (isRunning) {
    const started = performance.now();
    try {
      const { statusCode, body } = await pool.request({
        path: pathname,
        method: 'POST',
        headers,
        body: assignment.body,
      });
      await body.dump();
      if (statusCode !== 200) failures++;
    } catch {
      failures++;
    }
    latenciesMs.push(performance.now() - started);
  }
}

process.on('message', (message) => {
  if (message === 'reset') {
    latenciesMs = [];
    failures = 0;
    process.send?.('reset');
  } else if (message === 'report') {
    const sorted = latenciesMs.toSorted((left, right) => left - right);
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
    process.send?.({ requests: sorted.length, failures, p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) });
  } else if (message === 'stop') {
    isRunning = false;
  }
});

await Promise.all(Array.from({ length: assignment.connections }, ask));
await pool.close();
process.disconnect();
