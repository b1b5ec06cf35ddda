import type { ExecutionResult, GraphQLError } from 'graphql';
import type { LiveSubscription } from '#gateway/execution/executor.ts';

/** What a transport reads for one subscriber: the live subscription's results until it is ended, from either side. */
export interface ClientStream extends AsyncIterableIterator<ExecutionResult> {
  /** Lets go of the upstream and makes these errors the last result, also for a `next()` that is pending. */
  endWith(errors: readonly GraphQLError[]): void;
}

export interface ClientStreamOptions {
  readonly live: LiveSubscription;
  /** Makes a result ready to leave. */
  readonly publish: (result: ExecutionResult) => ExecutionResult;
  /** Called once, however the stream ends. */
  readonly onEnd: () => void;
}

export function createClientStream({ live, publish, onEnd }: ClientStreamOptions): ClientStream {
  const end = { value: undefined, done: true } as const;
  const farewell = Promise.withResolvers<null>();
  let lastErrors: readonly GraphQLError[] | undefined;
  let ended = false;

  const finish = (): void => {
    if (ended) return;
    ended = true;
    onEnd();
    void live.return().catch(() => undefined);
    farewell.resolve(null);
  };

  return {
    async next() {
      if (!ended) {
        const step = await Promise.race([live.next(), farewell.promise]);
        if (step && !ended) {
          if (!step.done) return { value: publish(step.value), done: false };
          finish();
        }
      }
      if (!lastErrors) return end;
      const value = { errors: lastErrors };
      lastErrors = undefined;
      return { value, done: false };
    },
    async return() {
      lastErrors = undefined;
      finish();
      return end;
    },
    async throw(error: unknown) {
      finish();
      throw error;
    },
    endWith(errors) {
      if (ended) return;
      lastErrors = errors;
      finish();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
