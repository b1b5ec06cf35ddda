import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Logger } from '#gateway/logger.ts';
import type { SharedCache } from '#gateway/shared-cache/shared-cache.ts';
import { subgraphNames, type SubgraphService } from '#schema/subgraph-protocol.ts';
import type { ServiceSdl } from '../compose-strictly.ts';
import { scopeKey, type GraphScope } from '../scope.ts';
import { type GraphSources, withServices } from '../subgraph-sdl.ts';
import { createThread } from '../thread.ts';
import { createExtraSdls, type ExtraStatus } from './extra-sdls.ts';
import type { Refusal, Verdict, VettingRequest } from './vetting.ts';

export interface ExtrasOptions {
  readonly subgraphs: readonly SubgraphService[];
  readonly logger: Logger;
  /** Trials that other gateways made. Default: none. */
  readonly shared?: SharedCache | undefined;
  readonly pollIntervalMs?: number;
  /** One attempt to compose with them. Default 20,000. */
  readonly timeoutMs?: number;
}

/** For those who look after the platform. */
export interface ExtraReport {
  readonly name: string;
  readonly status: ExtraStatus;
  /** Whether there is an SDL of it to compose with. */
  readonly hasSchema: boolean;
  /** Tenants whose graph was last made without it, because it does not fit. */
  readonly leftOut: number;
}

/** Other teams' subgraphs. Whatever becomes of them, a tenant has its graph. */
export interface Extras extends AsyncDisposable {
  /** The same sources with the extra subgraphs that fit. Never rejects. Only tenants' graphs have any. */
  plugIn(scope: GraphScope, sources: GraphSources): Promise<GraphSources>;
  report(): readonly ExtraReport[];
  readonly firstLook: Promise<void>;
  /** Called when graphs may come out otherwise. */
  subscribe(listener: () => void): () => void;
}

interface Trial {
  readonly verdict: Verdict;
  /** Broke off, so that it may come out otherwise another time. */
  readonly isFinal: boolean;
}

/** A trial that broke off is made again after this. */
const retryMs = 60_000;
const maxHeapMb = 1_024;

export function createExtras(options: ExtrasOptions): Extras {
  const { logger, shared, timeoutMs = 20_000 } = options;
  const thread = createThread<VettingRequest, unknown>({
    module: new URL('./vetting-worker.ts', import.meta.url),
    name: 'vet extra subgraphs',
    ...{ timeoutMs, maxHeapMb },
  });
  const sdls = createExtraSdls({
    ...options,
    check: (service) =>
      thread.call({ kind: 'check', service, ours: subgraphNames }) as Promise<readonly string[]>,
  });
  // A tenant's definitions and the extras' SDL decide together, so 1,000 equal tenants cost one trial.
  const trials = new LRUCache<string, Trial>({ max: 5_000 });
  const flights = new Map<string, Promise<Trial>>();
  const leftOut = new Map<string, readonly string[]>();

  async function attempt(key: string, sources: GraphSources, extras: readonly ServiceSdl[]): Promise<Trial> {
    const made = await shared?.get('extras', key);
    if (made) return { verdict: JSON.parse(made) as Verdict, isFinal: true };
    try {
      const verdict = (await thread.call({ kind: 'vet', base: sources.services, extras })) as Verdict;
      shared?.set('extras', key, JSON.stringify({ ...verdict, supergraphSdl: null } satisfies Verdict));
      return { verdict, isFinal: true };
    } catch (error) {
      const problems = [error instanceof Error ? error.message : String(error)];
      const refused = extras.map(({ name }) => ({ name, problems }));
      return { verdict: { accepted: [], refused, supergraphSdl: null }, isFinal: false };
    }
  }

  function tryOnce(key: string, sources: GraphSources, extras: readonly ServiceSdl[]): Promise<Trial> {
    const known = trials.get(key);
    if (known) return Promise.resolve(known);
    let flight = flights.get(key);
    if (!flight) {
      flight = attempt(key, sources, extras).then((trial) => {
        flights.delete(key);
        const { verdict, isFinal } = trial;
        // The supergraph is kept by the graph store, gzipped.
        const kept = { verdict: { ...verdict, supergraphSdl: null }, isFinal };
        trials.set(key, kept, isFinal ? {} : { ttl: retryMs });
        return trial;
      });
      flights.set(key, flight);
    }
    return flight;
  }

  function tell(scope: GraphScope, refused: readonly Refusal[]): void {
    const key = scopeKey(scope);
    const names = refused.map(({ name }) => name);
    const before = leftOut.get(key) ?? [];
    if (names.length > 0) leftOut.set(key, names);
    else leftOut.delete(key);
    for (const { name, problems } of refused) {
      if (before.includes(name)) continue;
      logger.error({ ...scope, subgraph: name, problems }, 'a graph is made without an extra subgraph');
    }
  }

  return {
    async plugIn(scope, sources) {
      const extras = sdls.states.flatMap(({ service }) => service ?? []);
      if (scope.audience !== 'TENANT' || extras.length === 0) return sources;
      const key = createHash('sha256')
        .update(JSON.stringify([sources.hash, extras]))
        .digest('base64url');
      const { verdict } = await tryOnce(key, sources, extras);
      const { accepted, refused, supergraphSdl } = verdict;
      tell(scope, refused);
      if (accepted.length === 0) return sources;
      const fitting = extras.filter(({ name }) => accepted.includes(name));
      return { ...withServices(sources, fitting), supergraphSdl, plain: sources };
    },
    report: () =>
      sdls.states.map(({ name, status, service }) => ({
        ...{ name, status, hasSchema: service !== null },
        leftOut: [...leftOut.values()].filter((names) => names.includes(name)).length,
      })),
    firstLook: sdls.firstLook,
    subscribe: (listener) => sdls.subscribe(listener),
    async [Symbol.asyncDispose]() {
      await sdls[Symbol.asyncDispose]();
      await thread[Symbol.asyncDispose]();
    },
  };
}
