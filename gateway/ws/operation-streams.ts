/** Operations as graphql-ws runs them: as streams, so that the client's Complete and the socket's end reach them. */
import type { ExecutionResult } from 'graphql';
import type { ClientSubscription } from '#gateway/subscription/live-subscriptions.ts';
import type { EventSinks } from './event-sinks.ts';

type ResultStream = AsyncIterableIterator<ExecutionResult>;

const end = { value: undefined, done: true } as const;

/** The one result of a query or mutation. When the client wants it no more, `signal` aborts. */
export function createSingleResult(run: (signal: AbortSignal) => Promise<ExecutionResult>): ResultStream {
  const controller = new AbortController();
  const given = Promise.withResolvers<typeof end>();
  let isAsked = false;
  const stop = async (): Promise<typeof end> => {
    controller.abort();
    given.resolve(end);
    return end;
  };
  return {
    next() {
      if (isAsked) return Promise.resolve(end);
      isAsked = true;
      const result = run(controller.signal).then((value) => ({ value, done: false }) as const);
      return Promise.race([result, given.promise]);
    },
    return: stop,
    throw: stop,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** A subscription whose events take the short way of `sinks`: of this stream the server sees the end alone. */
export function createEventStream(
  subscription: ClientSubscription,
  id: string,
  sinks: EventSinks,
): ResultStream {
  const ended = Promise.withResolvers<typeof end>();
  let isAttached = false;
  const close = async (): Promise<typeof end> => {
    subscription.close();
    ended.resolve(end);
    return end;
  };
  return {
    next() {
      // Asked for when the server knows the operation as running: no event may come before.
      if (!isAttached) subscription.attach(sinks(id, () => ended.resolve(end)));
      isAttached = true;
      return ended.promise;
    },
    return: close,
    throw: close,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
