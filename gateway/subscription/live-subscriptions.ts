import type { ExecutionResult } from 'graphql';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import type { Caller } from '#gateway/auth/caller.ts';
import type { KnownOperation, OperationCall, OperationRunner } from '#gateway/execution/operation-runner.ts';
import type { OperationText } from '#gateway/execution/operation-cache.ts';
import { publishErrors } from '#gateway/execution/outgoing-errors.ts';
import { toGraphQLError } from '#gateway/execution/subgraph-call.ts';
import type { GraphRegistry } from '#gateway/graph/registry.ts';
import { scopeKey } from '#gateway/graph/scope.ts';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { Logger } from '#gateway/logger.ts';
import { encodeLogCursor } from '#schema/events.ts';
import { type Shape, shapeOf } from './shape.ts';
import { SharedStream } from './shared-stream.ts';
import { Subscriber } from './subscriber.ts';
import { isSameGraph, Upstream } from './upstream.ts';

export interface LiveSubscriptionsOptions {
  readonly runner: Pick<OperationRunner, 'prepare' | 'subscribe'>;
  readonly registry: Pick<GraphRegistry, 'subscribe' | 'getActive'>;
  readonly tenants: Pick<TenantTable, 'subscribe'>;
  readonly authenticator: Pick<Authenticator, 'recheck'>;
  readonly logger: Logger;
  /** Between two looks at every subscriber's rights, for credentials that end without a change. Default 30,000. */
  readonly recheckMs?: number;
  readonly limits?: Partial<SubscriptionLimits>;
  /** Whether upstreams without places are shared, from when each subscriber joined (`joined`). Default true. */
  readonly sharesUnplaced?: boolean;
}

export interface SubscriptionLimits {
  /** Messages that may wait for one client that shares its stream. */
  readonly queuedMessages: number;
  /** Their size. */
  readonly queuedBytes: number;
  /** What waits for all clients together; messages are shared, and counted once. */
  readonly heldBytes: number;
}

const defaultLimits: SubscriptionLimits = {
  queuedMessages: 10_000,
  queuedBytes: 8 * 2 ** 20,
  heldBytes: 256 * 2 ** 20,
};

/** What a transport has in its hand of one subscription. */
export type ClientSubscription = Pick<Subscriber, 'attach' | 'close'>;

/** Every open subscription: shared with its equals, kept on its tenant's graph and within its subscriber's rights. */
export interface LiveSubscriptions extends AsyncDisposable {
  /** Subscriptions that clients have open. */
  readonly size: number;
  /** Opens one; resolves once its place in the upstream is taken, or with the errors that refuse it. */
  open(
    known: KnownOperation,
    text: OperationText,
    call: OperationCall,
  ): Promise<ClientSubscription | ExecutionResult>;
}

interface Entry {
  known: KnownOperation;
  shape: Shape;
  readonly text: OperationText;
  readonly call: OperationCall;
  readonly subscriber: Subscriber;
  /** One change at a time, in the order they came. */
  turn: Promise<void>;
}

type Prepared = ReturnType<OperationRunner['prepare']>;
type Prepare = (entry: Entry, caller: Caller) => Prepared;

export function createLiveSubscriptions(options: LiveSubscriptionsOptions): LiveSubscriptions {
  const { runner, registry, tenants, authenticator, logger } = options;
  const { recheckMs = 30_000, sharesUnplaced = true } = options;
  const { queuedMessages, queuedBytes, heldBytes } = { ...defaultLimits, ...options.limits };
  const limits = { count: queuedMessages, bytes: queuedBytes, held: { held: 0, limit: heldBytes } };
  const byScope = new Map<string, Set<Entry>>();
  const streams = new Map<string, SharedStream>();
  /** Of streams without places, whose second subscriber waits for the first one's upstream. */
  const openings = new Map<string, Promise<unknown>>();

  /** Runs `step` after the subscriber's earlier steps; an error ends the subscription with it. */
  function enqueue(entry: Entry, step: () => Promise<void>): void {
    entry.turn = entry.turn.then(step).catch((error: unknown) => {
      entry.subscriber.endWith(publishErrors([toGraphQLError(error)], logger, entry.call.requestId));
    });
  }

  function createEntry(known: KnownOperation, text: OperationText, call: OperationCall): Entry {
    const key = scopeKey(known.caller.scope);
    const subscriber = new Subscriber({
      limits,
      onLive: (upstream) => share(entry, upstream),
      onEnd() {
        const entries = byScope.get(key);
        entries?.delete(entry);
        if (entries?.size === 0) byScope.delete(key);
      },
    });
    const shape = shapeOf(known, text, call);
    const entry: Entry = { known, shape, text, call, subscriber, turn: Promise.resolve() };
    return entry;
  }

  /** From here on changes of graphs and rights reach it. */
  function keep(entry: Entry): void {
    if (!entry.subscriber.isOpen) return;
    const key = scopeKey(entry.known.caller.scope);
    const entries = byScope.get(key);
    if (entries) entries.add(entry);
    else byScope.set(key, new Set([entry]));
    // They may have changed while the upstream was being opened.
    checkGraph(entry);
    recheck(entry);
  }

  /** Joins the subscriber to its equals, or makes its upstream the one that later equals join. */
  function share({ shape, subscriber, known }: Entry, upstream: Upstream): void {
    if (shape.sharing === 'alone' || (shape.sharing === 'joined' && !sharesUnplaced)) return;
    const existing = streams.get(shape.key);
    // One that cannot go on with the newer graph is left to its subscribers, who will leave it.
    if (existing && !existing.follow(known)) return subscriber.join(existing);
    const stream: SharedStream = new SharedStream(upstream, () => {
      if (streams.get(shape.key) === stream) streams.delete(shape.key);
    });
    streams.set(shape.key, stream);
    subscriber.giveUpstreamTo(stream);
    void stream.run();
  }

  async function openUpstream(
    { known, shape, call }: Pick<Entry, 'known' | 'shape' | 'call'>,
    taken: number | null,
  ): Promise<Upstream | ExecutionResult> {
    const after = taken === null || !shape.identity.tellsPlace ? undefined : encodeLogCursor(taken);
    return Upstream.open({ runner, known, shape, call, after, logger });
  }

  /** Prepares the operation again for the graph and the rights of now, and goes on with that. */
  async function renew(entry: Entry, caller: Caller, prepare: Prepare = prepareAlone): Promise<void> {
    const { text, call, subscriber } = entry;
    const prepared = await prepare(entry, caller);
    if (!subscriber.isOpen) return;
    if ('errors' in prepared) return subscriber.endWith(prepared.errors);
    const known = { ...prepared, caller };
    const shape = shapeOf(known, text, call);
    const isSameShape = shape.key === entry.shape.key;
    // What waits for it was made under other permissions, perhaps wider ones.
    const isOutdated = shape.sharing === 'placed' && subscriber.isBehind;
    entry.known = known;
    entry.shape = shape;
    if (!isSameShape || isOutdated) return reopen(entry);
    const errors = subscriber.sources.map((source) => source.follow(known)).find((refused) => refused);
    if (!errors) return;
    // What it asks of its upstream has changed: where there are places, it goes on from its own.
    if (shape.sharing === 'placed') return reopen(entry);
    subscriber.endWith(publishErrors(errors, logger, call.requestId));
  }

  /** Goes on from where its client is, under what it may ask for now. The upstream may refuse that. */
  async function reopen(entry: Entry): Promise<void> {
    const { subscriber } = entry;
    const isPlaced = entry.shape.sharing === 'placed';
    // Nothing more under the old rights. Where there are no places, what comes until the new upstream is open would be lost.
    if (isPlaced) subscriber.detach();
    const upstream = await openUpstream(entry, subscriber.taken);
    if (!(upstream instanceof Upstream)) return subscriber.endWith(upstream.errors ?? []);
    if (!subscriber.isOpen) return upstream.close();
    if (!isPlaced) subscriber.detach();
    subscriber.begin(upstream);
  }

  function recheck(entry: Entry): void {
    enqueue(entry, async () => {
      const { caller } = entry.known;
      const current = await authenticator.recheck(caller);
      if (current !== caller) await renew(entry, current);
    });
  }

  function checkGraph(entry: Entry, prepare?: Prepare): void {
    enqueue(entry, async () => {
      const { caller, active } = entry.known;
      if (!isSameGraph(await registry.getActive(caller.scope), active)) await renew(entry, caller, prepare);
    });
  }

  function prepareAlone({ text, call }: Entry, caller: Caller): Prepared {
    return runner.prepare(caller, text, call.requestId);
  }

  /** For subscribers of one scope and one swap: what one operation comes to on the new graph is worked out once. */
  function prepareTogether(): Prepare {
    const known = new Map<string, Prepared>();
    return (entry, caller) => {
      const key = JSON.stringify([entry.text.operationName, entry.text.query]);
      const prepared = known.get(key) ?? prepareAlone(entry, caller);
      known.set(key, prepared);
      return prepared;
    };
  }

  /** Where upstreams have no places, the second of equal subscribers joins the first one's from now on. */
  async function openJoined(entry: Entry): Promise<ExecutionResult | null> {
    const { key } = entry.shape;
    while (openings.has(key)) await openings.get(key);
    const stream = streams.get(key);
    if (stream) {
      entry.subscriber.join(stream);
      return null;
    }
    const opening = openUpstream(entry, null);
    openings.set(key, opening);
    try {
      const upstream = await opening;
      if (!(upstream instanceof Upstream)) return upstream;
      share(entry, upstream);
      return null;
    } finally {
      if (openings.get(key) === opening) openings.delete(key);
    }
  }

  async function openOwn(entry: Entry): Promise<ExecutionResult | null> {
    const upstream = await openUpstream(entry, null);
    if (!(upstream instanceof Upstream)) return upstream;
    entry.subscriber.begin(upstream);
    return null;
  }

  const unsubscribe = [
    registry.subscribe((scope) => {
      const prepare = prepareTogether();
      for (const entry of byScope.get(scopeKey(scope)) ?? []) checkGraph(entry, prepare);
    }),
    tenants.subscribe((now, before) => {
      if (before && before.authVersion === now.authVersion && before.status === now.status) return;
      for (const entry of byScope.get(now.tenantId) ?? []) recheck(entry);
    }),
  ];
  const timer = setInterval(() => {
    for (const entries of byScope.values()) for (const entry of entries) recheck(entry);
  }, recheckMs);
  timer.unref();

  return {
    get size() {
      return [...byScope.values()].reduce((sum, entries) => sum + entries.size, 0);
    },
    async open(known, text, call) {
      const entry = createEntry(known, text, call);
      const isJoined = entry.shape.sharing === 'joined' && sharesUnplaced;
      const refusal = await (isJoined ? openJoined(entry) : openOwn(entry));
      if (refusal) return refusal;
      keep(entry);
      return entry.subscriber;
    },
    async [Symbol.asyncDispose]() {
      for (const stop of unsubscribe) stop();
      clearInterval(timer);
      for (const entries of [...byScope.values()])
        for (const { subscriber } of [...entries]) subscriber.close();
    },
  };
}
