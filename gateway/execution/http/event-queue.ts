import type { ExecutionResult } from 'graphql';

export interface EventQueueOptions {
  /** Results held for a consumer that does not keep up. */
  readonly limit: number;
  /** What is delivered last when the limit was passed. Called once. */
  readonly overflow: (last: ExecutionResult | undefined) => ExecutionResult;
  /** Called once when the consumer ends it, or when it overflowed: nothing more is wanted from the source. */
  readonly onStop: () => void;
}

/** Results pushed by a socket, pulled by one consumer. */
export interface EventQueue extends AsyncIterableIterator<ExecutionResult> {
  push(result: ExecutionResult): void;
  /** No more will be pushed; what is held is still delivered. */
  end(): void;
}

export function createEventQueue({ limit, overflow, onStop }: EventQueueOptions): EventQueue {
  const doneResult = { value: undefined, done: true } as const;
  let held: ExecutionResult[] = [];
  let waiting: PromiseWithResolvers<IteratorResult<ExecutionResult>>[] = [];
  let ended = false;

  function end(): void {
    if (ended) return;
    ended = true;
    for (const { resolve } of waiting) resolve(doneResult);
    waiting = [];
  }

  return {
    push(result) {
      if (ended) return;
      const next = waiting.shift();
      if (next) return next.resolve({ value: result, done: false });
      if (held.length < limit) {
        held.push(result);
        return;
      }
      held.push(overflow(held.at(-1)));
      end();
      onStop();
    },
    end,
    next() {
      const result = held.shift();
      if (result) return Promise.resolve({ value: result, done: false });
      if (ended) return Promise.resolve(doneResult);
      const next = Promise.withResolvers<IteratorResult<ExecutionResult>>();
      waiting.push(next);
      return next.promise;
    },
    async return() {
      held = [];
      if (!ended) {
        end();
        onStop();
      }
      return doneResult;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
