/**
 * Swaps and loads without end keep nothing. LEAK_SWAPS=1000 LEAK_LOADS=10000 ask for the whole of it (some minutes); the
 * usual run is long enough for a graph that is kept each time to show.
 */
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Schema } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { GraphQLSchema } from 'graphql';
import { expect, it } from 'vitest';
import { anonymousCaller } from '#gateway/auth/caller.ts';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import { createOperationCache } from '#gateway/execution/operation-cache.ts';
import { createOperationRunner } from '#gateway/execution/operation-runner.ts';
import { createComposer } from '#gateway/graph/composer.ts';
import { createGraphStore } from '#gateway/graph/graph-store.ts';
import { createGraphRegistry } from '#gateway/graph/registry.ts';
import { tenantScope } from '#gateway/graph/scope.ts';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';

const swaps = Number(process.env['LEAK_SWAPS'] ?? 24);
const loads = Number(process.env['LEAK_LOADS'] ?? 100);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes in use once garbage is gone, and how many of what a loaded graph is made of are left. */
async function look() {
  for (let pass = 0; pass < 3; pass++) {
    await new Promise(setImmediate);
    collect();
  }
  const count = (type: unknown): number => Number(queryObjects(type as () => void));
  return {
    heap: process.memoryUsage().heapUsed,
    objects: { schemas: count(Schema), clients: count(GraphQLSchema), planners: count(QueryPlanner) },
  };
}

const tenants: TenantTable = {
  ready: true,
  findById: () => undefined,
  findBySlug: () => undefined,
  refresh: async () => {},
  hint: () => {},
  subscribe: () => () => {},
  async [Symbol.asyncDispose]() {},
};
const logger = { debug() {}, info() {}, warn() {}, error() {} };

/** A gateway without its transports; each version of the one tenant's definitions has a field more. */
function start() {
  const stack = new AsyncDisposableStack();
  const entities: SubgraphService = {
    name: 'entities',
    async getSdl({ version }) {
      const own = `field${version ?? 0}: String`;
      const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
        type Query { movies(filter: Filter): [Movie!]! } input Filter { title: String and: [Filter!] }
        type Movie @key(fields: "id") { id: ID! title: String ${own} }`;
      return { sdl, version };
    },
    execute: async () => ({ data: { movies: [{ __typename: 'Movie', id: '1', title: 'Cléo' }] } }),
    subscribe: async () => ({ errors: [] }),
  };
  const subgraphs = new Map([[entities.name, entities]]);
  const engine = createCompiledEngine({ subgraphs });
  // One graph at a time, and a few hundred operations.
  const store = createGraphStore({ engine, composer: stack.use(createComposer()), heapBudgetBytes: 1 });
  const operations = createOperationCache({ heapBudgetBytes: 2 ** 20 });
  const registry = stack.use(
    createGraphRegistry({
      ...{ subgraphs, store, tenants, logger },
      warmUp: (from, to, load) => operations.warmUp(from.hash, to.hash, load),
    }),
  );
  const runner = createOperationRunner({ ...{ registry, tenants, operations, logger }, hidesSchema: false });
  const scope = tenantScope('acme');
  const ask = async (query: string) => {
    const known = await runner.prepare({ ...anonymousCaller, scope }, { query, operationName: null }, 'r');
    if ('errors' in known) return known.errors;
    const call = { variables: {}, requestId: 'r', clientAddress: null, headers: {}, signal: undefined };
    return (await runner.execute(known, call)).errors ?? null;
  };
  return { registry, store, scope, ask, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it(`${swaps} swaps and ${loads} loads keep nothing of the graphs that went`, {
  timeout: 60_000 + (swaps + loads) * 500,
}, async () => {
  await using gateway = start();
  const { registry, scope, store } = gateway;
  const hashes: string[] = [];
  const swap = async (version: number): Promise<void> => {
    expect(await registry.update(scope, version)).toBeNull();
    const active = await registry.getActive(scope);
    expect(active.definitionsVersion).toBe(version);
    hashes.push(active.hash);
    expect(await gateway.ask('query ($f: Filter) { movies(filter: $f) { title } }')).toBeNull();
    expect(await gateway.ask(`{ movies { field${version} } __schema { types { name } } }`)).toBeNull();
    expect(await gateway.ask(`{ movies { field${version - 1} } }`)).not.toBeNull();
  };
  const load = async (number: number): Promise<void> => {
    expect(await store.find(hashes[number % 2] ?? '')).toBeDefined();
  };

  for (let version = 1; version <= swaps / 2; version++) await swap(version);
  const middle = await look();
  for (let version = swaps / 2 + 1; version <= swaps; version++) await swap(version);
  const swapped = await look();
  // Of the loaded graph: its own, its subgraphs', those of its API. Whatever they are, they do not become more.
  expect(swapped.objects).toEqual(middle.objects);
  expect(swapped.objects.planners).toBe(1);

  for (let number = 0; number < loads / 2; number++) await load(number);
  const half = await look();
  for (let number = 0; number < loads / 2; number++) await load(number);
  const loaded = await look();
  expect(loaded.objects).toEqual(half.objects);
  expect(loaded.objects.planners).toBe(1);
  // A loaded graph of this size takes half a megabyte.
  expect((swapped.heap - middle.heap) / 2 ** 20).toBeLessThan(6);
  expect((loaded.heap - half.heap) / 2 ** 20).toBeLessThan(4);
});
