/** A subscription as its client sees it: the upstream's events, each completed by the operation of the moment. */
import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { StreamPlace } from '#schema/subgraph-protocol.ts';
import type { ExecutionRequest, LiveSubscription, PreparedOperation } from '../../executor.ts';

/** What a live subscription needs of the operation that it runs on. */
export interface SubscribedOperation {
  /** The key names what is asked of the upstream. */
  upstream(
    request: ExecutionRequest,
  ): { readonly key: string } | { readonly errors: readonly GraphQLError[] };
  completeEvent(event: ExecutionResult, request: ExecutionRequest): Promise<ExecutionResult>;
}

const end = { value: undefined, done: true } as const;

let lastId = 0;

/**
 * Events are completed one after the other, pulled only when the client asks. `upstreamKey` says what was subscribed
 * to: an operation that asks something else of its upstream cannot go on with it. Aborting the request's signal ends it.
 * `asSubscribed` recognises the operations of this engine.
 */
export function createLiveSubscription(
  upstream: AsyncIterableIterator<ExecutionResult>,
  upstreamKey: string,
  operation: SubscribedOperation,
  request: ExecutionRequest,
  asSubscribed: (operation: PreparedOperation) => SubscribedOperation | null,
): LiveSubscription {
  /** Who waits for a result. Not a race with one promise of the end, which would remember every result there was. */
  const waiting = new Set<(step: typeof end) => void>();
  let current = { operation, request };
  let isEnded = false;
  let place: StreamPlace | null = null;
  /** Names events where their upstream does not. */
  const ownId = (lastId += 1);
  let received = 0;

  const close = (): void => {
    if (isEnded) return;
    isEnded = true;
    for (const tell of waiting) tell(end);
    waiting.clear();
    request.signal?.removeEventListener('abort', close);
    // Not awaited: a generator that waits for its own pending step would never answer.
    void Promise.resolve(upstream.return?.()).catch(() => undefined);
  };
  if (request.signal?.aborted) close();
  else request.signal?.addEventListener('abort', close, { once: true });

  const pull = async (): Promise<IteratorResult<ExecutionResult>> => {
    const step = await upstream.next();
    if (step.done) {
      close();
      return end;
    }
    const { operation: by, request: asked } = current;
    if (asked.tellsPlace) {
      const { extensions, data, errors } = step.value;
      place = (extensions?.place as StreamPlace | undefined) ?? place;
      if (data === undefined && !errors) return { value: {}, done: false };
    }
    const event = place?.cursor ?? `${ownId} ${(received += 1)}`;
    return { value: await by.completeEvent(step.value, { ...asked, event }), done: false };
  };

  return {
    get place() {
      return place;
    },
    next() {
      if (isEnded) return Promise.resolve(end);
      return new Promise((resolve, reject) => {
        waiting.add(resolve);
        pull().then(
          (step) => {
            waiting.delete(resolve);
            resolve(step);
          },
          (error: Error) => {
            waiting.delete(resolve);
            close();
            reject(error);
          },
        );
      });
    },
    return() {
      close();
      return Promise.resolve(end);
    },
    throw(error: unknown) {
      close();
      return Promise.reject(error);
    },
    continueWith(nextOperation, nextRequest) {
      const next = asSubscribed(nextOperation);
      const asked = next?.upstream(nextRequest);
      if (asked && 'errors' in asked) return asked.errors;
      if (!next || asked?.key !== upstreamKey) {
        const message = 'The graph changed so that this subscription has to be made again';
        return [new GraphQLError(message, { extensions: { code: 'CONFLICT' } })];
      }
      current = { operation: next, request: nextRequest };
      return null;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
