import { gunzipSync, gzipSync } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { GraphEngine, LoadedGraph, ParsedOperation } from '#gateway/execution/executor.ts';
import { asksSchemaAlone } from '#gateway/execution/parse-operation.ts';
import type { SharedCache } from '#gateway/shared-cache/shared-cache.ts';
import { CompositionError, type Composer } from './composer.ts';
import type { GraphSources } from './subgraph-sdl.ts';

export interface GraphStoreOptions {
  readonly engine: GraphEngine;
  readonly composer: Composer;
  /** What loaded graphs may hold together; the least recently used go first. */
  readonly heapBudgetBytes: number;
  /** Supergraphs that other gateways composed. Default: none. */
  readonly shared?: SharedCache | undefined;
}

/** Graphs by the hash of what they were composed from. Tenants with equal definitions share one. */
export interface GraphStore {
  /**
   * Sees to it that there is such a graph: composes and loads it, once however many wait. One that another gateway
   * composed is not loaded before it is needed. Rejects with CompositionError.
   */
  ensure(sources: GraphSources): Promise<void>;
  /** The graph, composed and loaded where needed. Rejects with CompositionError. */
  load(sources: GraphSources): Promise<LoadedGraph>;
  /** A graph composed before, loaded again if it was dropped; undefined when its supergraph is gone as well. */
  find(hash: string): Promise<LoadedGraph> | undefined;
  /** Prepares what asks for nothing but the schema of a graph that is not loaded; undefined where that does not do. */
  introspect(hash: string, parsed: ParsedOperation): Promise<ReturnType<LoadedGraph['prepare']> | undefined>;
  /** What clients see of a graph, as bytes; undefined when it was dropped. */
  findApiSdl(hash: string): Promise<string | undefined>;
}

/** Supergraphs are kept gzipped: 3 to 13 KB each, against megabytes for a loaded one. */
const supergraphBudgetBytes = 64 * 2 ** 20;

export function createGraphStore({
  engine,
  composer,
  heapBudgetBytes,
  shared,
}: GraphStoreOptions): GraphStore {
  const loaded = new LRUCache<string, LoadedGraph>({
    maxSize: heapBudgetBytes,
    // One graph over the whole budget must still be kept, or it would be loaded for each request.
    sizeCalculation: (graph) => Math.max(1, Math.min(graph.heapBytes, heapBudgetBytes)),
  });
  const compressed = (): LRUCache<string, Buffer> =>
    new LRUCache({ maxSize: supergraphBudgetBytes, sizeCalculation: (bytes) => bytes.length });
  const supergraphs = compressed();
  const apiSdls = compressed();
  // The same SDL fails again, and composing it costs as much as if it did not.
  const failures = new LRUCache<string, CompositionError>({ max: 1_000 });
  const flights = new Map<string, Promise<LoadedGraph>>();
  let lastLoad: Promise<unknown> = Promise.resolve();

  /** Loads block the event loop, so they run one at a time with a turn for I/O in between. */
  function load(hash: string, supergraphSdl: string): Promise<LoadedGraph> {
    const result = lastLoad.then(async () => {
      await new Promise(setImmediate);
      const graph = await engine.load(supergraphSdl);
      loaded.set(hash, graph);
      if (!apiSdls.has(hash)) apiSdls.set(hash, gzipSync(graph.apiSdl));
      return graph;
    });
    lastLoad = result.catch(() => undefined);
    return result;
  }

  function fly(hash: string, work: () => Promise<LoadedGraph>): Promise<LoadedGraph> {
    const known = flights.get(hash);
    if (known) return known;
    const flight = work().finally(() => flights.delete(hash));
    flights.set(hash, flight);
    return flight;
  }

  function find(hash: string): Promise<LoadedGraph> | undefined {
    const graph = loaded.get(hash);
    if (graph) return Promise.resolve(graph);
    const flight = flights.get(hash);
    if (flight) return flight;
    const supergraph = supergraphs.get(hash);
    return supergraph && fly(hash, () => load(hash, gunzipSync(supergraph).toString()));
  }

  async function compose({ hash, services }: GraphSources): Promise<string> {
    const known = failures.get(hash);
    if (known) throw known;
    try {
      return await composer.compose(services);
    } catch (error) {
      if (error instanceof CompositionError) failures.set(hash, error);
      throw error;
    }
  }

  async function make(sources: GraphSources): Promise<LoadedGraph> {
    const { hash } = sources;
    const supergraphSdl = sources.supergraphSdl ?? (await compose(sources));
    const graph = await load(hash, supergraphSdl);
    supergraphs.set(hash, gzipSync(supergraphSdl));
    // Others take it for one that can be loaded, so it was.
    shared?.set('supergraph', shareId(hash), supergraphSdl);
    shared?.set('api-sdl', shareId(hash), graph.apiSdl);
    return graph;
  }

  /** Whether another gateway composed it; then `find` has it. */
  async function take(hash: string): Promise<boolean> {
    const supergraphSdl = await shared?.get('supergraph', shareId(hash));
    if (supergraphSdl) supergraphs.set(hash, gzipSync(supergraphSdl));
    return Boolean(supergraphSdl);
  }

  const shareId = (hash: string): string => `${engine.version ?? ''}:${hash}`;
  const isHere = (hash: string): boolean => loaded.has(hash) || supergraphs.has(hash);

  async function findApiSdl(hash: string): Promise<string | undefined> {
    const bytes = apiSdls.get(hash);
    if (bytes) return gunzipSync(bytes).toString();
    const sdl = await shared?.get('api-sdl', shareId(hash));
    if (sdl) apiSdls.set(hash, gzipSync(sdl));
    return sdl ?? undefined;
  }

  return {
    find,
    findApiSdl,
    async introspect(hash, parsed) {
      if (!engine.introspect || !asksSchemaAlone(parsed) || loaded.has(hash) || flights.has(hash))
        return undefined;
      const sdl = await findApiSdl(hash);
      return sdl === undefined ? undefined : engine.introspect(sdl, parsed);
    },
    async ensure(sources) {
      const { hash } = sources;
      if (isHere(hash) && !flights.has(hash)) return;
      if (!flights.has(hash) && !sources.supergraphSdl && (await take(hash))) return;
      await (find(hash) ?? fly(hash, () => make(sources)));
    },
    async load(sources) {
      const { hash } = sources;
      if (!isHere(hash) && !flights.has(hash)) await take(hash);
      return find(hash) ?? fly(hash, () => make(sources));
    },
  };
}
