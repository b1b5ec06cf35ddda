/** One variant under load: requests per second, latencies, and what the server's process used for each request. */
import { setTimeout as delay } from 'node:timers/promises';
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

interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** Starts the variant (and the subgraphs it asks), checks its answer, loads it. Everything is ended afterwards. */
export async function measureVariant(
  shape: Shape,
  variant: Variant,
  expected: string,
  options: MeasureOptions,
): Promise<Run[]> {
  await using running = new AsyncDisposableStack();
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
  // Awaited here: what is used in this scope ends with it.
  return await measureUnderLoad(server, { url, body: JSON.stringify({ query: shape.query }) }, options);
}

export interface Target {
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Loads a server that is there already, from a process of its own that ends afterwards. */
export async function measureUnderLoad(
  server: Child,
  target: Target,
  options: MeasureOptions,
): Promise<Run[]> {
  const assignment = JSON.stringify({ ...target, connections: options.connections });
  await using load = startProcess('load-generator.ts', [assignment]);
  await delay(options.warmUpSeconds * 1_000);
  const runs: Run[] = [];
  for (let run = 0; run < options.runs; run++)
    runs.push(await measureOnce(server, load, options.secondsPerRun));
  return runs;
}

async function measureOnce(server: Child, load: Child, seconds: number): Promise<Run> {
  await load.ask('reset');
  const before = await server.ask<Usage>('usage');
  const started = performance.now();
  await delay(seconds * 1_000);
  const report = await load.ask<Pick<Run, 'p50Ms' | 'p95Ms' | 'p99Ms' | 'failures'> & { requests: number }>(
    'report',
  );
  const after = await server.ask<Usage>('usage');
  const { requests, failures, p50Ms, p95Ms, p99Ms } = report;
  return {
    requestsPerSecond: requests / ((performance.now() - started) / 1_000),
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
