/** Lets a stream of results say where in its log it is, for consumers that share it or go on elsewhere. */
import type { ExecutionResult } from 'graphql';
import type { StreamPlace } from '#schema/subgraph-protocol.ts';

/** A stream of a log's events that knows where it is. */
export interface PlacedStream {
  whereabouts(): {
    /** The place of the event that was delivered last, or where it began. */
    readonly cursor: string;
    /** As `cursor`, but past what was none of its events. */
    readonly reached: string;
    readonly isLive: boolean;
  };
  /** The listener, one for a stream, is called when there is a place to tell and no event to tell it with. */
  onMoved(listener: () => void): void;
}

/** `results` are those of `stream`, read one after the other. See `SubgraphRequest.tellsPlace`. */
export function tellPlaces(
  results: AsyncIterableIterator<ExecutionResult>,
  stream: PlacedStream,
): AsyncIterableIterator<ExecutionResult> {
  let hasMoved = true;
  let pending: Promise<IteratorResult<ExecutionResult>> | null = null;
  let answer: ((step: IteratorResult<ExecutionResult>) => void) | null = null;

  function placeMark(): IteratorResult<ExecutionResult> {
    hasMoved = false;
    const { reached, isLive } = stream.whereabouts();
    const place: StreamPlace = { cursor: reached, isLive };
    return { value: { extensions: { place } }, done: false };
  }

  function withPlace(step: IteratorResult<ExecutionResult>): IteratorResult<ExecutionResult> {
    if (step.done) return step;
    const { cursor, isLive } = stream.whereabouts();
    const place: StreamPlace = { cursor, isLive };
    return { value: { ...step.value, extensions: { ...step.value.extensions, place } }, done: false };
  }

  stream.onMoved(() => {
    const tell = answer;
    answer = null;
    if (tell) tell(placeMark());
    else hasMoved = true;
  });

  return {
    next() {
      if (hasMoved) return Promise.resolve(placeMark());
      pending ??= results.next();
      return new Promise((resolve, reject) => {
        answer = resolve;
        pending?.then((step) => {
          // A place was told instead: this is the answer to the next call.
          if (answer !== resolve) return;
          answer = null;
          pending = null;
          resolve(withPlace(step));
        }, reject);
      });
    },
    async return() {
      await results.return?.();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
