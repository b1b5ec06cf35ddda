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
  /** Who waits for a result. Not a race with one promise of the end, which would remember every result there was. */
  const waiting = new Set<(step: typeof end) => void>();
  let done = false;

  function finish(): Promise<unknown> {
    if (done) return Promise.resolve();
    done = true;
    signal?.removeEventListener('abort', onAbort);
    const isPending = waiting.size > 0;
    for (const tell of waiting) tell(end);
    waiting.clear();
    const closed = Promise.resolve(iterator.return?.()).catch(() => undefined);
    // A source that is a generator closes only after its pending step: nobody waits for that.
    return isPending ? Promise.resolve() : closed;
  }
  async function pull(): Promise<IteratorResult<ExecutionResult>> {
    const step = await iterator.next();
    if (done) return end;
    if (step.done) {
      done = true;
      signal?.removeEventListener('abort', onAbort);
      return end;
    }
    return { value: map(step.value), done: false };
  }
  function onAbort(): void {
    void finish();
  }
  if (signal?.aborted) void finish();
  else signal?.addEventListener('abort', onAbort, { once: true });

  return {
    next() {
      if (done) return Promise.resolve(end);
      return new Promise((resolve, reject) => {
        waiting.add(resolve);
        pull().then(
          (step) => {
            waiting.delete(resolve);
            resolve(step);
          },
          (error: Error) => {
            waiting.delete(resolve);
            reject(error);
          },
        );
      });
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
