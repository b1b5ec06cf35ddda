/**
 * Asks one address over and over, in a process of its own. Told what by IPC; reports when asked to. It writes requests made
 * ahead to plain sockets and looks only for an answer's end, so that it takes a fraction of what any server takes.
 */
import { connectAsking } from './load/connection.ts';
import type { Answered } from './load/connection.ts';
import { createRequestSource } from './load/request-source.ts';
import type { LoadAssignment } from './load/request-source.ts';

let latenciesMs: number[] = [];
let failures = 0;
let firstFailure: string | null = null;
let isRunning = true;

function answered({ ms, failure }: Answered): void {
  latenciesMs.push(ms);
  if (failure === null) return;
  failures++;
  firstFailure ??= failure;
}

async function run(assignment: LoadAssignment): Promise<void> {
  const { hostname, port } = new URL(assignment.url);
  const source = createRequestSource(assignment);
  const ask = async (): Promise<void> => {
    // A connection that a server ends is opened again.
    while (isRunning) {
      await connectAsking({ host: hostname, port: Number(port) }, source.next, answered, () => isRunning);
    }
  };
  await Promise.all(Array.from({ length: assignment.connections }, ask));
  process.disconnect();
}

// Until it is told what to ask, nothing else keeps it alive.
process.channel?.ref();
process.on('message', (message) => {
  if (typeof message === 'object' && message !== null) {
    void run(message as LoadAssignment);
  } else if (message === 'reset') {
    latenciesMs = [];
    failures = 0;
    firstFailure = null;
    process.send?.('reset');
  } else if (message === 'report') {
    const sorted = Float64Array.from(latenciesMs).toSorted();
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0;
    process.send?.({
      requests: sorted.length,
      failures,
      firstFailure,
      p50Ms: at(0.5),
      p95Ms: at(0.95),
      p99Ms: at(0.99),
    });
  } else if (message === 'stop') {
    isRunning = false;
  }
});
