/** The state of one execution. */
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { ExecutionRequest } from '../../executor.ts';
import type { CallMerger } from './call-merger.ts';

/** JSON objects as subgraphs answer them. */
export type ResponseObject = Record<string, unknown>;

export interface OperationRun {
  readonly request: ExecutionRequest;
  /** Coerced. */
  readonly variables: Readonly<Record<string, unknown>>;
  /** What the subgraphs answered so far, merged; shaped at the end. Objects in it belong to this run. */
  readonly data: ResponseObject;
  /** Of subgraphs and of calls that failed. */
  readonly errors: GraphQLError[];
  /** Objects for whose fields a subgraph had errors alone: they account for each of its fields that is missing. */
  readonly unanswered: (readonly (string | number)[])[];
  /** The mergers of this run's calls, by subgraph; made where they are needed. */
  mergers: Map<string, CallMerger> | null;
  /** True once the caller gave up: late answers are dropped and no further call is made. */
  stopped: boolean;
}

/** Part of a plan: resolves when its answers are merged; undefined when it had nothing to wait for. Never rejects. */
export type Step = (run: OperationRun) => Promise<void> | undefined;

export function createRun(
  request: ExecutionRequest,
  variables: Readonly<Record<string, unknown>>,
): OperationRun {
  return { request, variables, data: {}, errors: [], unanswered: [], mergers: null, stopped: false };
}

/** Waits for a step, but not longer than the caller does; what arrives later is dropped. */
export function settled(run: OperationRun, pending: Promise<void>): Promise<void> {
  const { signal } = run.request;
  if (!signal) return pending;
  return new Promise((resolve) => {
    const stop = () => {
      run.stopped = true;
      resolve();
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop, { once: true });
    void pending.then(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    });
  });
}

export type Answer = ExecutionResult;
