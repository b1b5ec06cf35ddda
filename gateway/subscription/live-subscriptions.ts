import type { ExecutionResult } from 'graphql';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import type { Caller } from '#gateway/auth/caller.ts';
import type { ExecutionRequest, LiveSubscription } from '#gateway/execution/executor.ts';
import type { KnownOperation, OperationCall, OperationRunner } from '#gateway/execution/operation-runner.ts';
import type { OperationText } from '#gateway/execution/operation-cache.ts';
import { publishErrors, publishResult } from '#gateway/execution/outgoing-errors.ts';
import { toGraphQLError } from '#gateway/execution/subgraph-call.ts';
import type { ActiveGraph, GraphRegistry } from '#gateway/graph/registry.ts';
import { scopeKey } from '#gateway/graph/scope.ts';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { Logger } from '#gateway/logger.ts';
import { createClientStream, type ClientStream } from './client-stream.ts';

export interface LiveSubscriptionsOptions {
  readonly runner: OperationRunner;
  readonly registry: Pick<GraphRegistry, 'subscribe' | 'getActive'>;
  readonly tenants: Pick<TenantTable, 'subscribe'>;
  readonly authenticator: Pick<Authenticator, 'recheck'>;
  readonly logger: Logger;
  /** Between two looks at every subscriber's rights, for credentials that end without a change. Default 30,000. */
  readonly recheckMs?: number;
}

/** Every open subscription: kept on its tenant's current graph and within its subscriber's current rights. */
export interface LiveSubscriptions extends AsyncDisposable {
  /** Opens one; resolves once its place in the upstream is taken, or with the errors that refuse it. */
  open(
    known: KnownOperation,
    text: OperationText,
    call: OperationCall,
  ): Promise<ClientStream | ExecutionResult>;
}

interface Subscriber {
  known: KnownOperation;
  readonly text: OperationText;
  readonly call: OperationCall;
  readonly live: LiveSubscription;
  readonly stream: ClientStream;
  /** One change at a time, in the order they came. */
  turn: Promise<void>;
}

export function createLiveSubscriptions(options: LiveSubscriptionsOptions): LiveSubscriptions {
  const { runner, registry, tenants, authenticator, logger, recheckMs = 30_000 } = options;
  const byScope = new Map<string, Set<Subscriber>>();

  function getSubscribers(key: string): Set<Subscriber> {
    let subscribers = byScope.get(key);
    if (!subscribers) byScope.set(key, (subscribers = new Set()));
    return subscribers;
  }

  /** Runs `step` after the subscriber's earlier steps; an error ends the subscription with it. */
  function enqueue(subscriber: Subscriber, step: () => Promise<void>): void {
    subscriber.turn = subscriber.turn.then(step).catch((error: unknown) => {
      subscriber.stream.endWith(publishErrors([toGraphQLError(error)], logger, subscriber.call.requestId));
    });
  }

  function toRequest({ call }: Subscriber, { caller, active }: KnownOperation): ExecutionRequest {
    const { claims, grants } = caller;
    return { ...call, claims, grants, definitionsVersion: active.definitionsVersion };
  }

  /** Prepares the subscriber's operation again, for the graph and the rights of now, and goes on with that. */
  async function renew(subscriber: Subscriber, caller: Caller): Promise<void> {
    const known = await runner.prepare(caller, subscriber.text, subscriber.call.requestId);
    const errors =
      'errors' in known
        ? known.errors
        : subscriber.live.continueWith(known.operation, toRequest(subscriber, known));
    if (errors) subscriber.stream.endWith(publishErrors(errors, logger, subscriber.call.requestId));
    else if (!('errors' in known)) subscriber.known = known;
  }

  function onSwap(subscriber: Subscriber, active: ActiveGraph): void {
    enqueue(subscriber, async () => {
      if (!isSameGraph(active, subscriber.known.active)) await renew(subscriber, subscriber.known.caller);
    });
  }

  function recheck(subscriber: Subscriber): void {
    enqueue(subscriber, async () => {
      const { caller } = subscriber.known;
      const current = await authenticator.recheck(caller);
      if (current === caller) return;
      if (current.claims.role !== caller.claims.role && !(await mayStillSubscribe(subscriber, current)))
        return;
      await renew(subscriber, current);
    });
  }

  /** Only the upstream knows what a role may subscribe to, so it is asked by subscribing once more. */
  async function mayStillSubscribe(subscriber: Subscriber, caller: Caller): Promise<boolean> {
    const answer = await runner.subscribe({ ...subscriber.known, caller }, subscriber.call);
    if (Symbol.asyncIterator in answer) {
      await answer.return();
      return true;
    }
    subscriber.stream.endWith(answer.errors ?? []);
    return false;
  }

  const unsubscribe = [
    registry.subscribe((scope, active) => {
      for (const subscriber of byScope.get(scopeKey(scope)) ?? []) onSwap(subscriber, active);
    }),
    tenants.subscribe((now, before) => {
      if (before && before.authVersion === now.authVersion && before.status === now.status) return;
      for (const subscriber of byScope.get(now.tenantId) ?? []) recheck(subscriber);
    }),
  ];
  const timer = setInterval(() => {
    for (const subscribers of byScope.values()) for (const subscriber of subscribers) recheck(subscriber);
  }, recheckMs);
  timer.unref();

  return {
    async open(known, text, call) {
      const live = await runner.subscribe(known, call);
      if (!(Symbol.asyncIterator in live)) return live;
      const key = scopeKey(known.caller.scope);
      const subscriber: Subscriber = {
        known,
        text,
        call,
        live,
        turn: Promise.resolve(),
        stream: createClientStream({
          live,
          publish: (result) => publishResult(result, logger, call.requestId),
          onEnd() {
            const subscribers = byScope.get(key);
            subscribers?.delete(subscriber);
            if (subscribers?.size === 0) byScope.delete(key);
          },
        }),
      };
      getSubscribers(key).add(subscriber);
      // The graph or the rights may have changed while the upstream was being opened.
      enqueue(subscriber, async () => {
        const active = await registry.getActive(known.caller.scope);
        if (!isSameGraph(active, subscriber.known.active)) await renew(subscriber, subscriber.known.caller);
      });
      recheck(subscriber);
      return subscriber.stream;
    },
    async [Symbol.asyncDispose]() {
      for (const stop of unsubscribe) stop();
      clearInterval(timer);
      const all = [...byScope.values()].flatMap((subscribers) => [...subscribers]);
      await Promise.all(all.map(async (subscriber) => subscriber.stream.return?.()));
    },
  };
}

function isSameGraph(one: ActiveGraph, other: ActiveGraph): boolean {
  return one.hash === other.hash && one.definitionsVersion === other.definitionsVersion;
}
