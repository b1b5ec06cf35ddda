/**
 * `node tests/bench/memory.ts [--tenants 40 --entities 20 --fields 15]`: what a tenant's graph costs loaded, and what its
 * operations hold once the graph is dropped. Run by `npm run bench -- --memory`. Needs --expose-gc.
 */
import { setImmediate } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { parse } from 'graphql';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { LoadedGraph, PreparedOperation } from '#gateway/execution/executor.ts';
import { composeTenant } from './shapes/tenant.ts';

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: '40' },
    entities: { type: 'string', default: '20' },
    fields: { type: 'string', default: '15' },
  },
});
const tenantCount = Number(values.tenants);

/** Bytes in use once garbage is gone. Turns in between let finished steps go, and finalizers free what they hold. */
async function heapBytes(): Promise<number> {
  for (let pass = 0; pass < 3; pass++) {
    await setImmediate();
    globalThis.gc?.();
  }
  return process.memoryUsage().heapUsed;
}

function prepareAll(graph: LoadedGraph, queries: readonly string[]): PreparedOperation[] {
  return queries.map((query) => {
    const kind = query.slice(0, query.indexOf(' ')) as 'query';
    const prepared = graph.prepare({
      query,
      document: parse(query),
      kind,
      operationName: null,
      rootFields: [],
    });
    if ('errors' in prepared) throw prepared.errors[0];
    return prepared;
  });
}

const engine = createCompiledEngine({ subgraphs: new Map() });
const load = async (number: number) => {
  const { supergraphSdl, operations } = composeTenant(number, Number(values.entities), Number(values.fields));
  return { supergraphSdl, operations, graph: await engine.load(supergraphSdl) };
};

const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(2);

/** Loads one graph and lets go of it. */
async function measureLoaded(): Promise<{
  loaded: number;
  estimate: number;
  sdlKb: number;
  compileMs: number;
}> {
  const { supergraphSdl, operations } = composeTenant(1, Number(values.entities), Number(values.fields));
  const before = await heapBytes();
  const graph = await engine.load(supergraphSdl);
  const loaded = (await heapBytes()) - before;
  const started = performance.now();
  prepareAll(graph, operations);
  const compileMs = (performance.now() - started) / operations.length;
  return { loaded, estimate: graph.heapBytes, sdlKb: Math.round(supergraphSdl.length / 1024), compileMs };
}

// Twice, as much is loaded lazily.
await measureLoaded();
const { loaded, estimate, sdlKb, compileMs } = await measureLoaded();

/** In a function of its own, so that nothing of the graph is in reach afterwards. */
async function warmUp(number: number): Promise<PreparedOperation[]> {
  const { graph, operations } = await load(number);
  return prepareAll(graph, operations);
}

// The second half counts: what the first one makes the process hold for good is not a tenant's.
const kept: PreparedOperation[][] = [];
const half = Math.ceil(tenantCount / 2);
for (let number = 2; number < 2 + half; number++) kept.push(await warmUp(number));
const before = await heapBytes();
const started = performance.now();
for (let number = 2 + half; number < 2 + 2 * half; number++) kept.push(await warmUp(number));
const tenantMs = (performance.now() - started) / half;
const warm = ((await heapBytes()) - before) / half;
const estimated = kept.flat().reduce((sum, { heapBytes: bytes }) => sum + bytes, 0) / (2 * half);

process.stdout.write(
  [
    `tenants with ${values.entities} entities of ${values.fields} fields, supergraph ${sdlKb} KB`,
    `loaded graph: ${mb(loaded)} MB (estimated ${mb(estimate)} MB)`,
    `composing, loading and compiling: ${tenantMs.toFixed(0)} ms a tenant; compiling an operation: ${compileMs.toFixed(1)} ms`,
    `graph dropped, ${values.entities} operations warm: ${mb(warm)} MB for each tenant (estimated ${mb(estimated)} MB)`,
    `1,000 such tenants: ${((warm * 1_000) / 2 ** 30).toFixed(2)} GB`,
    '',
  ].join('\n'),
);
