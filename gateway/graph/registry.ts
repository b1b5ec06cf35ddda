import type { LoadedGraph, SubgraphMap } from '#gateway/execution/executor.ts';
import type { Logger } from '#gateway/logger.ts';
import { DomainError } from '#schema/errors.ts';
import { CompositionError } from './composer.ts';
import type { GraphStore } from './graph-store.ts';
import { type GraphScope, scopeKey } from './scope.ts';
import { collectSources, type GraphSources, type SharingRules } from './subgraph-sdl.ts';
import type { TenantTable } from './tenant-table.ts';

/** The graph that a scope's next request runs on. A new object for every swap. */
export interface ActiveGraph {
  readonly hash: string;
  /** Null without a tenant. */
  readonly definitionsVersion: number | null;
  /** The tenant's own: tenants with equal graphs may have different permissions. Null: nothing is known of its subgraphs. */
  readonly sharing: SharingRules | null;
  /** The one that it took the place of. */
  readonly before?: Pick<ActiveGraph, 'hash' | 'definitionsVersion'> | undefined;
}

export interface GraphRegistryOptions {
  readonly subgraphs: SubgraphMap;
  readonly store: GraphStore;
  readonly tenants: TenantTable;
  readonly logger: Logger;
  /** Adds to what a scope's graph is composed from. Default: nothing. */
  readonly plugIn?: (scope: GraphScope, sources: GraphSources) => Promise<GraphSources>;
  /** Called before a changed graph is swapped in, which waits for it. */
  readonly warmUp?: (from: ActiveGraph, to: ActiveGraph, load: () => Promise<LoadedGraph>) => Promise<void>;
  /** How long a tenant counts as busy after a request: its graph is swapped at once, others' at their next request. */
  readonly busyMs?: number;
  /** How often a busy scope's SDL is compared although its version did not change (a subgraph was deployed anew). */
  readonly recheckMs?: number;
}

/** Graphs that are looked at again at once: each asks all subgraphs, and a thousand may be due. */
const maxRechecks = 4;

export type SwapListener = (scope: GraphScope, active: ActiveGraph) => void;

/** Which graph serves whom. Swaps are atomic: a request that has begun keeps what it got from `getActive`. */
export interface GraphRegistry extends AsyncDisposable {
  /** At once where a graph is known, else after the one composition that all wait for. Throws a DomainError. */
  getActive(scope: GraphScope): ActiveGraph | Promise<ActiveGraph>;
  /** The loaded graph itself, loaded or composed again where it was dropped; then `active` may be a newer one. */
  load(
    scope: GraphScope,
    active: ActiveGraph,
  ): Promise<{ readonly graph: LoadedGraph; readonly active: ActiveGraph }>;
  /** Brings the scope to `version` or later. Resolves with why it could not, the last good graph staying; else null. */
  update(scope: GraphScope, version: number): Promise<Error | null>;
  /** Resolves when a newer graph than `active` is there that was on its way already; false when there is none. */
  whenNewer(scope: GraphScope, active: ActiveGraph): Promise<boolean>;
  subscribe(listener: SwapListener): () => void;
  /** Looks again at what all tenants' graphs are composed from: busy ones now, others before their next request. */
  recheckAll(): Promise<void>;
}

interface Entry {
  readonly scope: GraphScope;
  active: ActiveGraph | undefined;
  /** The newest version heard of. */
  wanted: number | null;
  /** Behind, and to be brought up to date before the next request. */
  stale: boolean;
  flight: Promise<Error | null> | undefined;
  failure: { version: number | null; error: Error } | undefined;
  usedAt: number;
  checkedAt: number;
}

export function createGraphRegistry(options: GraphRegistryOptions): GraphRegistry {
  const { subgraphs, store, tenants, logger, plugIn, warmUp } = options;
  const { busyMs = 10 * 60_000, recheckMs = 60_000 } = options;
  const entries = new Map<string, Entry>();
  const listeners = new Set<SwapListener>();
  const retries = new Set<NodeJS.Timeout>();
  let closed = false;
  /** Counts the times that something beside the definitions changed. */
  let generation = 0;

  async function collect(scope: GraphScope, version: number | null): Promise<GraphSources> {
    const sources = await collectSources(subgraphs, scope, version);
    return plugIn ? plugIn(scope, sources) : sources;
  }

  /** The sources that there is a graph of: without what is not ours, where that cannot be loaded. */
  async function ensure(sources: GraphSources): Promise<GraphSources> {
    try {
      await store.ensure(sources);
      return sources;
    } catch (error) {
      if (!sources.plain) throw error;
      logger.error({ hash: sources.hash, err: error }, 'a graph cannot be loaded with what is not ours');
      await store.ensure(sources.plain);
      return sources.plain;
    }
  }

  function getEntry(scope: GraphScope): Entry {
    const key = scopeKey(scope);
    let entry = entries.get(key);
    if (!entry) {
      const wanted =
        scope.tenantId === null ? null : (tenants.findById(scope.tenantId)?.definitionsVersion ?? null);
      entry = {
        scope,
        active: undefined,
        wanted,
        stale: true,
        flight: undefined,
        failure: undefined,
        usedAt: 0,
        checkedAt: 0,
      };
      entries.set(key, entry);
    }
    return entry;
  }

  const isBehind = (entry: Entry): boolean =>
    !entry.active || (entry.wanted !== null && (entry.active.definitionsVersion ?? 0) < entry.wanted);

  /** Composes what is wanted and swaps it in. What is wanted may rise meanwhile: then once more. */
  async function bringUpToDate(entry: Entry): Promise<Error | null> {
    for (;;) {
      const { wanted } = entry;
      const begun = generation;
      try {
        const sources = await collect(entry.scope, wanted);
        const { version: definitionsVersion, sharing } = sources;
        let next = { hash: sources.hash, definitionsVersion, sharing };
        if (entry.active?.hash !== next.hash) {
          const ensured = await ensure(sources);
          next = { ...next, hash: ensured.hash };
          if (entry.active) await warmUp?.(entry.active, next, () => store.load(ensured));
        }
        if (closed) return null;
        entry.checkedAt = Date.now();
        entry.failure = undefined;
        entry.stale = false;
        swap(entry, next);
        if (entry.wanted === wanted && isBehind(entry)) {
          throw new DomainError('SUBGRAPH_UNAVAILABLE', 'The subgraphs are behind the definitions.');
        }
      } catch (error) {
        const failure = error as Error;
        const isNews = entry.failure?.error !== failure;
        entry.failure = { version: wanted, error: failure };
        entry.stale = false;
        if (isNews) report(entry, failure);
        if (generation === begun && entry.wanted === wanted) return failure;
      }
      if (generation === begun && (entry.wanted === wanted || !isBehind(entry))) return null;
    }
  }

  function swap(entry: Entry, active: ActiveGraph): void {
    const before = entry.active;
    if (before && before.hash === active.hash && before.definitionsVersion === active.definitionsVersion)
      return;
    // What a change left as it was came from the same change as what is there.
    const last = before && (before.hash === active.hash ? before.before : before);
    const origin = last && { hash: last.hash, definitionsVersion: last.definitionsVersion };
    entry.active = { ...active, before: origin };
    if (before) {
      const { hash, definitionsVersion } = active;
      logger.info({ ...entry.scope, hash, definitionsVersion }, 'swapped a graph');
    }
    for (const listener of listeners) listener(entry.scope, entry.active);
  }

  function report(entry: Entry, error: Error): void {
    if (closed) return;
    const context = {
      ...entry.scope,
      version: entry.wanted,
      lastGood: entry.active?.hash ?? null,
      err: error,
    };
    if (error instanceof CompositionError) logger.error(context, 'a graph does not compose');
    else {
      logger.error(context, 'a graph cannot be made now');
      const timer = setTimeout(() => {
        retries.delete(timer);
        if (isBehind(entry) && isBusy(entry)) void refresh(entry);
      }, 1_000);
      timer.unref();
      retries.add(timer);
    }
  }

  const isBusy = (entry: Entry): boolean => Date.now() - entry.usedAt < busyMs;

  function refresh(entry: Entry): Promise<Error | null> {
    entry.flight ??= bringUpToDate(entry).finally(() => {
      entry.flight = undefined;
    });
    return entry.flight;
  }

  async function waitFor(entry: Entry): Promise<ActiveGraph> {
    // A composition that failed fails again until the definitions change; anything else may have passed.
    const known = entry.failure;
    const hopeless = known?.error instanceof CompositionError && known.version === entry.wanted;
    const error = hopeless ? known.error : await refresh(entry);
    if (entry.active) return entry.active;
    if (error instanceof DomainError) throw error;
    throw new DomainError('INTERNAL_SERVER_ERROR', 'The graph cannot be composed.', { cause: error });
  }

  const unsubscribe = tenants.subscribe((tenant) => {
    const entry = entries.get(tenant.tenantId);
    if (!entry || (entry.wanted !== null && entry.wanted >= tenant.definitionsVersion)) return;
    entry.wanted = tenant.definitionsVersion;
    if (!isBehind(entry)) return;
    if (isBusy(entry)) void refresh(entry);
    else entry.stale = true;
  });

  return {
    getActive(scope) {
      const entry = getEntry(scope);
      const now = Date.now();
      entry.usedAt = now;
      if (!entry.active || entry.stale) return waitFor(entry);
      if (now - entry.checkedAt > recheckMs) {
        entry.checkedAt = now;
        void refresh(entry);
      }
      return entry.active;
    },
    async load(scope, active) {
      const known = store.find(active.hash);
      if (known) return { graph: await known, active };
      const sources = await ensure(await collect(scope, active.definitionsVersion));
      const graph = await store.load(sources);
      const { hash, version: definitionsVersion, sharing } = sources;
      const current = { hash, definitionsVersion, sharing };
      const entry = getEntry(scope);
      if (entry.active === active) swap(entry, current);
      return { graph, active: entry.active?.hash === current.hash ? entry.active : current };
    },
    update(scope, version) {
      const entry = getEntry(scope);
      entry.wanted = Math.max(entry.wanted ?? 0, version);
      if (!isBehind(entry)) return Promise.resolve(null);
      return refresh(entry);
    },
    async whenNewer(scope, active) {
      const entry = getEntry(scope);
      if (entry.active === active) await entry.flight;
      return entry.active !== undefined && entry.active.hash !== active.hash;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async recheckAll() {
      generation += 1;
      const concerned = [...entries.values()].filter((entry) => entry.scope.audience === 'TENANT');
      for (const entry of concerned) if (!isBusy(entry)) entry.stale = true;
      const busy = concerned.filter(isBusy);
      const next = async (): Promise<void> => {
        for (let entry = busy.shift(); entry && !closed; entry = busy.shift()) await refresh(entry);
      };
      await Promise.all(Array.from({ length: maxRechecks }, next));
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      unsubscribe();
      for (const timer of retries) clearTimeout(timer);
      await Promise.all([...entries.values()].map(async (entry) => entry.flight));
    },
  };
}
