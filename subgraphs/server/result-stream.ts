/** The stream of a subscription's results, which ends when its consumer says so, even in the middle of a wait. */
import type { ExecutionResult } from 'graphql';

/**
 * Maps `source`. `return()` ends the stream at once and answers a pending `next()` with the end; an async generator cannot
 * (its `return()` waits for the pending `next()`). The source's own `return()` is called as well, so that it lets go of what it holds.
 * `signal` aborting does the same.
 */
export function createResultStream(
  source: AsyncIterable<ExecutionResult>,
  map: (result: ExecutionResult) => ExecutionResult,
  signal?: AbortSignal,
): AsyncIterableIterator<ExecutionResult> {
  const iterator = source[Symbol.asyncIterator]();
  const end = { value: undefined, done: true } as const;
  const { promise: ended, resolve: endNow } = Promise.withResolvers<typeof end>();
  let done = false;
  let waiting = 0;

  function finish(): Promise<unknown> {
    if (done) return Promise.resolve();
    done = true;
    signal?.removeEventListener('abort', onAbort);
    endNow(end);
    const closed = Promise.resolve(iterator.return?.()).catch(() => undefined);
    // A source that is a generator closes only after its pending step: nobody waits for that.
    return waiting > 0 ? Promise.resolve() : closed;
  }
  function onAbort(): void {
    void finish();
  }
  if (signal?.aborted) void finish();
  else signal?.addEventListener('abort', onAbort, { once: true });

  return {
    async next() {
      if (done) return end;
      waiting += 1;
      try {
        const step = await Promise.race([iterator.next(), ended]);
        if (done) return end;
        if (step.done) {
          done = true;
          signal?.removeEventListener('abort', onAbort);
          return end;
        }
        return { value: map(step.value), done: false };
      } finally {
        waiting -= 1;
      }
    },
    async return() {
      await finish();
      return end;
    },
    async throw(error) {
      await finish();
      throw error;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
