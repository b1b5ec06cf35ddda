/**
 * `npm run test:soak [-- --minutes 10]`: graphs are loaded, used, swapped and dropped without end, operations run on live
 * and on dropped graphs, some callers give up. Exits with 1 where memory grows. Needs --expose-gc.
 */
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { composeServices } from '@apollo/composition';
import { LRUCache } from 'lru-cache';
import { parse } from 'graphql';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { LoadedGraph, PreparedOperation } from '#gateway/execution/executor.ts';
import { createOperationCache } from '#gateway/execution/operation-cache.ts';
import { createInProcessSubgraphs } from './shapes/shape.ts';
import { listShape } from './shapes/list.ts';
import { anonymousRequest } from './servers/compiled-in-process.ts';

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' } } });
const endsAt = performance.now() + Number(values.minutes) * 60_000;

const engine = createCompiledEngine({ subgraphs: createInProcessSubgraphs(listShape) });
const graphs = new LRUCache<string, LoadedGraph>({ max: 5 });
const operations = createOperationCache({ heapBudgetBytes: 2 * 2 ** 20 });
const counts = { loads: 0, runs: 0, givenUp: 0, failures: 0 };

/** The list shape with a type of this tenant's own, so that no two graphs are equal. */
function composeNumber(number: number): string {
  const composed = composeServices(
    listShape.subgraphs.map(({ name, sdl }, index) => ({
      name,
      url: `http://${name}`,
      typeDefs: parse(
        index === 0
          ? `${sdl} extend type Query { own${number}(first: Int): Own${number} } type Own${number} { id: ID }`
          : sdl,
      ),
    })),
  );
  if (composed.errors) throw composed.errors[0];
  return composed.supergraphSdl;
}

async function swapIn(number: number): Promise<void> {
  const graph = await engine.load(composeNumber(number));
  counts.loads++;
  graphs.set(String(number), graph);
  for (const query of [
    listShape.query,
    `{ own${number} { id } __schema { types { name } } }`,
    'query ($n: String!) { __type(name: $n) { name } }',
  ]) {
    const prepared = graph.prepare({
      query,
      document: parse(query),
      kind: 'query',
      operationName: null,
      rootFields: [],
    });
    if ('errors' in prepared) throw prepared.errors[0];
    operations.set(String(number), { query, operationName: null }, prepared);
  }
}

async function runSome(number: number): Promise<void> {
  const known = [number, number - 3, number - 20].flatMap((of): PreparedOperation[] => {
    const operation = operations.find(String(of), { query: listShape.query, operationName: null });
    return operation ? [operation] : [];
  });
  for (let round = 0; round < 20; round++) {
    for (const operation of known) {
      const controller = new AbortController();
      const pending = operation.execute({ ...anonymousRequest, signal: controller.signal });
      if (round % 5 === 0) {
        controller.abort();
        counts.givenUp++;
      }
      const { errors } = await pending;
      if (errors && round % 5 !== 0) counts.failures++;
      counts.runs++;
    }
  }
}

async function heapMb(): Promise<number> {
  for (let pass = 0; pass < 3; pass++) {
    await setImmediate();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed / 2 ** 20;
}

/** What a flat line may still rise by in the second half: 2 %, or a megabyte. */
const toleratedShare = 0.02;
const toleratedMb = 1;

interface Sample {
  readonly minute: number;
  readonly heapMb: number;
}

const startedAt = performance.now();
const samples: Sample[] = [];
let nextSampleAt = startedAt;
for (let number = 0; performance.now() < endsAt; number++) {
  await swapIn(number);
  await runSome(number);
  if (performance.now() < nextSampleAt || number < 50) continue;
  nextSampleAt = performance.now() + (Number(values.minutes) * 60_000) / 60;
  const sample = { minute: (performance.now() - startedAt) / 60_000, heapMb: await heapMb() };
  samples.push(sample);
  process.stdout.write(
    `${sample.minute.toFixed(1)} min: ${sample.heapMb.toFixed(1)} MB after ${counts.loads} loads, ${counts.runs} runs (${counts.givenUp} given up), ${counts.failures} failures\n`,
  );
}

/** The least-squares line through the samples: MB a minute, and its value in their middle. */
function lineThrough(points: readonly Sample[]): { slope: number; level: number } {
  const mean = (pick: (sample: Sample) => number) =>
    points.reduce((sum, sample) => sum + pick(sample), 0) / Math.max(points.length, 1);
  const [middle, level] = [mean(({ minute }) => minute), mean((sample) => sample.heapMb)];
  const spread = mean(({ minute }) => (minute - middle) ** 2);
  const slope = mean(({ minute, heapMb: heap }) => (minute - middle) * (heap - level)) / (spread || 1);
  return { slope, level };
}

// The first half fills the caches.
const half = samples.slice(Math.floor(samples.length / 2));
const { slope, level } = lineThrough(half);
const minutes = (half.at(-1)?.minute ?? 0) - (half[0]?.minute ?? 0);
const rise = slope * minutes;
const grew = rise > Math.max(toleratedMb, level * toleratedShare);
process.stdout.write(
  `second half: ${level.toFixed(1)} MB, ${slope.toFixed(3)} MB a minute, ${rise.toFixed(2)} MB in ${minutes.toFixed(1)} minutes of ${half.length} samples: ${grew ? 'it grows' : 'flat'}\n`,
);
if (half.length < 5) process.stdout.write('too few samples to tell\n');
if (grew || half.length < 5 || counts.failures > 0) process.exitCode = 1;
