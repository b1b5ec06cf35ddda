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

const samples: number[] = [];
let nextSampleAt = performance.now();
for (let number = 0; performance.now() < endsAt; number++) {
  await swapIn(number);
  await runSome(number);
  if (performance.now() < nextSampleAt || number < 50) continue;
  nextSampleAt = performance.now() + (Number(values.minutes) * 60_000) / 30;
  const heap = await heapMb();
  samples.push(heap);
  process.stdout.write(
    `${heap.toFixed(1)} MB after ${counts.loads} loads, ${counts.runs} runs, ${counts.failures} failures\n`,
  );
}

const mean = (list: readonly number[]) =>
  list.reduce((sum, value) => sum + value, 0) / Math.max(list.length, 1);
const third = Math.ceil(samples.length / 3);
const [early, late] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(2 * third))];
const grew = late > early * 1.05 + 1;
process.stdout.write(
  `${early.toFixed(1)} MB in the middle, ${late.toFixed(1)} MB at the end: ${grew ? 'it grows' : 'flat'}\n`,
);
if (grew || counts.failures > 0) process.exitCode = 1;
