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
  /** Resolves once it waits for what is new. */
  readonly whenLive: Promise<void>;
}

/** `results` are those of `stream`, read one after the other. See `SubgraphRequest.tellsPlace`. */
export function tellPlaces(
  results: AsyncIterableIterator<ExecutionResult>,
  stream: PlacedStream,
): AsyncIterableIterator<ExecutionResult> {
  let isBegun = false;
  let isToldLive = false;
  let pending: Promise<IteratorResult<ExecutionResult>> | null = null;

  function placeMark(): IteratorResult<ExecutionResult> {
    const { reached, isLive } = stream.whereabouts();
    isToldLive = isLive;
    const place: StreamPlace = { cursor: reached, isLive };
    return { value: { extensions: { place } }, done: false };
  }

  return {
    async next() {
      if (!isBegun) {
        isBegun = true;
        return placeMark();
      }
      pending ??= results.next();
      if (!isToldLive) {
        const first = await Promise.race([pending, stream.whenLive]);
        if (first === undefined) return placeMark();
      }
      const step = await pending;
      pending = null;
      if (step.done) return step;
      const { cursor, isLive } = stream.whereabouts();
      const place: StreamPlace = { cursor, isLive };
      return { value: { ...step.value, extensions: { ...step.value.extensions, place } }, done: false };
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
