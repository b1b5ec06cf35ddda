/** Servers under load: requests per second, latencies, and what a server's process used for each request. */
import { setTimeout as delay } from 'node:timers/promises';
import type { LoadAssignment } from './load/request-source.ts';
import { findFreePort, startProcess } from './processes.ts';
import type { Child } from './processes.ts';
import type { Shape } from './shapes/shape.ts';
import type { Variant } from './variants.ts';

export interface Run {
  readonly requestsPerSecond: number;
  readonly cpuMicrosPerRequest: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly failures: number;
  readonly rssMb: number;
}

export interface MeasureOptions {
  readonly runs: number;
  readonly secondsPerRun: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
}

export interface LoadReport extends Pick<Run, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'failures'> {
  readonly requests: number;
  readonly firstFailure: string | null;
}

export interface Usage {
  readonly cpuMicros: number;
  readonly heapBytes: number;
  readonly rssBytes: number;
}

export type Target = Omit<LoadAssignment, 'connections'>;

/** A server that is there, and what it is asked. */
export interface Subject {
  readonly server: Child;
  readonly target: Target;
}

/** Starts the variant (and the subgraphs it asks) and checks its answer. Ended with `running`. */
export async function startVariant(
  running: AsyncDisposableStack,
  shape: Shape,
  variant: Variant,
  expected: string,
  distinctAuthorization: boolean,
): Promise<Subject> {
  const urls: Record<string, string> = {};
  if (variant.needsSubgraphs) {
    const subgraphPort = await findFreePort();
    running.use(startProcess('servers/subgraphs.ts', [shape.name, String(subgraphPort)]));
    for (const { name } of shape.subgraphs) urls[name] = `http://127.0.0.1:${subgraphPort}/${name}/graphql`;
    await waitForAnswer(Object.values(urls)[0] ?? '', '{ __typename }', () => true);
  }
  const port = await findFreePort();
  const server = running.use(await variant.start({ shape, port, urls }));
  const url = `http://127.0.0.1:${port}/graphql`;
  await waitForAnswer(url, shape.query, (answer) => answer === expected);
  const requests = [{ body: JSON.stringify({ query: shape.query }) }];
  return { server, target: { url, requests, distinctAuthorization } };
}

/** Asks a server how much it uses once garbage is gone. */
export const usageWithoutGarbage = (server: Child): Promise<Usage> => server.ask('usage without garbage');

/**
 * Loads servers one after the other, and again, so that what else the machine does meets all of them alike. Each load comes
 * from a process of its own that ends with its turn.
 */
export async function measureInTurns(
  subjects: readonly Subject[],
  options: MeasureOptions,
): Promise<Run[][]> {
  const runs: Run[][] = subjects.map(() => []);
  for (let round = 0; round < options.runs; round++) {
    for (const [index, subject] of subjects.entries())
      runs[index]?.push(await measureUnderLoad(subject, round === 0, options));
  }
  return runs;
}

/** What is warm already needs only the load itself to start. */
const rewarmSeconds = 0.7;

async function measureUnderLoad(
  { server, target }: Subject,
  isFirst: boolean,
  options: MeasureOptions,
): Promise<Run> {
  await using load = startProcess('load-generator.ts', []);
  load.send({ ...target, connections: options.connections });
  await delay((isFirst ? options.warmUpSeconds : rewarmSeconds) * 1_000);
  return await measureOnce(server, load, options.secondsPerRun);
}

async function measureOnce(server: Child, load: Child, seconds: number): Promise<Run> {
  await load.ask('reset');
  const before = await server.ask<Usage>('usage');
  const started = performance.now();
  await delay(seconds * 1_000);
  const report = await load.ask<LoadReport>('report');
  const elapsedMs = performance.now() - started;
  const after = await server.ask<Usage>('usage');
  if (report.firstFailure !== null) process.stdout.write(`  a failure: ${report.firstFailure}\n`);
  const { requests, failures, p50Ms, p95Ms, p99Ms } = report;
  return {
    requestsPerSecond: requests / (elapsedMs / 1_000),
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / Math.max(requests, 1),
    p50Ms,
    p95Ms,
    p99Ms,
    failures,
    rssMb: after.rssBytes / 2 ** 20,
  };
}

/** A server that answers something else than the others is not measured. */
async function waitForAnswer(
  url: string,
  query: string,
  isRight: (answer: string) => boolean,
): Promise<void> {
  const deadline = performance.now() + 60_000;
  let last = 'nothing';
  while (performance.now() < deadline) {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ query }),
      });
      last = await response.text();
      if (response.ok && isRight(last.trim())) return;
    } catch (error) {
      last = String(error);
    }
    await delay(100);
  }
  throw new Error(`${url} does not give the expected answer; it gave ${last.slice(0, 500)}`);
}
