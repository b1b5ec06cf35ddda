import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { ExecutionRequest, LiveSubscription, PreparedOperation } from '../executor.ts';

/** Completes one event of the upstream into the client's answer. */
export type EventMapper = (event: ExecutionResult) => Promise<ExecutionResult>;

/** What a live subscription needs of an operation to go on with it. */
export interface StockSubscription {
  /** Equal for two operations whose upstream subscription is the same; the errors where variables do not coerce. */
  upstreamKey(
    request: ExecutionRequest,
  ): { readonly errors: readonly GraphQLError[] } | { readonly key: string };
  mapper(request: ExecutionRequest): EventMapper;
}

export function isResultStream(
  value: AsyncIterableIterator<ExecutionResult> | ExecutionResult,
): value is AsyncIterableIterator<ExecutionResult> {
  return Symbol.asyncIterator in value;
}

/**
 * Maps an upstream's events one after the other. `upstreamKey` names what was subscribed to; an operation with another
 * one cannot be gone on with.
 */
export function createLiveSubscription(
  upstream: AsyncIterableIterator<ExecutionResult>,
  upstreamKey: string,
  mapper: EventMapper,
  findSubscription: (operation: PreparedOperation) => StockSubscription | undefined,
): LiveSubscription {
  const end = { value: undefined, done: true } as const;
  const ended = Promise.withResolvers<typeof end>();
  let map = mapper;
  let closed = false;

  const close = (): void => {
    closed = true;
    ended.resolve(end);
  };

  return {
    async next() {
      if (closed) return end;
      const step = await Promise.race([upstream.next(), ended.promise]);
      if (step.done || closed) {
        close();
        return end;
      }
      const value = await Promise.race([map(step.value), ended.promise]);
      return closed || 'done' in value ? end : { value, done: false };
    },
    async return() {
      if (!closed) {
        close();
        // Not awaited where it waits for its own pending step; a failure to end is the upstream's own business.
        void upstream.return?.().catch(() => undefined);
      }
      return end;
    },
    async throw(error: unknown) {
      await this.return();
      throw error;
    },
    continueWith(operation, request) {
      const next = findSubscription(operation);
      const key = next?.upstreamKey(request);
      if (key && 'errors' in key) return key.errors;
      if (!next || !key || key.key !== upstreamKey) {
        const message = 'The graph changed so that this subscription has to be made again.';
        return [new GraphQLError(message, { extensions: { code: 'CONFLICT' } })];
      }
      map = next.mapper(request);
      return null;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
