import { createHash } from 'node:crypto';
import type { Logger } from '#gateway/logger.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import type { ServiceSdl } from '../compose-strictly.ts';

/** UP: its SDL was read and is good. DOWN: it does not answer. BROKEN: what it answers is no good. */
export type ExtraStatus = 'UNKNOWN' | 'UP' | 'DOWN' | 'BROKEN';

export interface ExtraState {
  readonly name: string;
  readonly status: ExtraStatus;
  /** What it last gave that was good; kept while it is down or broken. */
  readonly service: ServiceSdl | null;
}

export interface ExtraSdlsOptions {
  readonly subgraphs: readonly SubgraphService[];
  /** What is wrong with an SDL by itself; none: it may be tried. Rejects when it cannot be told now. */
  readonly check: (service: ServiceSdl) => Promise<readonly string[]>;
  readonly logger: Logger;
  /** Between two looks at one subgraph. Default 2,000. */
  readonly pollIntervalMs?: number;
}

/** The SDL of every extra subgraph, kept current by polling. */
export interface ExtraSdls extends AsyncDisposable {
  /** In the order of the configuration. */
  readonly states: readonly ExtraState[];
  /** Resolves when each was looked at once, whatever came of it. */
  readonly firstLook: Promise<void>;
  /** Called after the SDL of one changed to another good one. */
  subscribe(listener: () => void): () => void;
}

/** Twice what a large subgraph has; loading a graph of it blocks for some hundred milliseconds. */
const maxSdlChars = 250_000;

export function createExtraSdls(options: ExtraSdlsOptions): ExtraSdls {
  const { subgraphs, check, logger, pollIntervalMs = 2_000 } = options;
  const listeners = new Set<() => void>();
  const timers = new Set<NodeJS.Timeout>();
  const states: ExtraState[] = subgraphs.map(({ name }) => ({ name, status: 'UNKNOWN', service: null }));
  let closed = false;

  /** Tells once of each change for the worse and back. */
  function setState(index: number, next: ExtraState, details: Record<string, unknown> = {}): void {
    const before = states[index];
    states[index] = next;
    if (before?.status === next.status && next.status !== 'BROKEN') return;
    const context = { subgraph: next.name, hasSchema: next.service !== null, ...details };
    if (next.status === 'UP') logger.info(context, 'an extra subgraph gives its schema');
    else if (next.status === 'DOWN')
      logger.error(context, 'an extra subgraph does not answer for its schema');
    else logger.error(context, 'the schema of an extra subgraph is no good');
  }

  async function look(index: number, subgraph: SubgraphService, seen: Map<number, string>): Promise<void> {
    const { name } = subgraph;
    const service = states[index]?.service ?? null;
    let sdl: string;
    try {
      sdl = (await subgraph.getSdl({ audience: 'TENANT', tenantId: null, version: null })).sdl ?? '';
    } catch (err) {
      if (!closed) setState(index, { name, status: 'DOWN', service }, { err });
      return;
    }
    const hash = createHash('sha256').update(sdl).digest('base64url');
    if (seen.get(index) === hash && states[index]?.status !== 'DOWN') return;
    const candidate = { name, sdl };
    const isKnown = service?.sdl === sdl;
    const problems = isKnown
      ? []
      : sdl.length > maxSdlChars
        ? [`It has more than ${maxSdlChars} characters.`]
        : await check(candidate);
    if (closed) return;
    seen.set(index, hash);
    if (problems.length > 0) return setState(index, { name, status: 'BROKEN', service }, { problems });
    setState(index, { name, status: 'UP', service: candidate });
    if (!isKnown) for (const listener of listeners) listener();
  }

  /** The hash of what each gave last, good or not. */
  const seen = new Map<number, string>();
  async function keepLooking(index: number, subgraph: SubgraphService): Promise<void> {
    await look(index, subgraph, seen).catch((err: unknown) => {
      if (!closed) logger.error({ subgraph: subgraph.name, err }, 'an extra subgraph cannot be checked now');
    });
    if (closed) return;
    const timer = setTimeout(() => {
      timers.delete(timer);
      void keepLooking(index, subgraph);
    }, pollIntervalMs);
    timer.unref();
    timers.add(timer);
  }

  const firstLook = Promise.all(subgraphs.map((subgraph, index) => keepLooking(index, subgraph)));
  return {
    states,
    firstLook: firstLook.then(() => undefined),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      listeners.clear();
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
