import type { ExecutionResult } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { shareReads } from './http/shared-reads.ts';

export interface LocalSubgraphOptions {
  /** From a call to its answer. */
  readonly timeoutMs: number;
}

/**
 * A subgraph in this process, with what one over HTTP has: calls end in time, and reads for one and the same event of
 * several subscriptions are made once. Throws GATEWAY_TIMEOUT; what a read was doing is told by its `signal`.
 */
export function limitLocalSubgraph(
  service: SubgraphService,
  { timeoutMs }: LocalSubgraphOptions,
): SubgraphService {
  const limit = createTimeLimit(service.name, timeoutMs);
  const execute = (request: SubgraphRequest): Promise<ExecutionResult> =>
    limit(request, (limited) => service.execute(limited));
  // Whoever gets an answer merges into its data; errors are only read.
  const shared = shareReads(execute, ({ data, ...others }) => ({ ...others, data: structuredClone(data) }));
  return {
    name: service.name,
    getSdl: (request) => service.getSdl(request),
    execute: (request) => (request.event === undefined ? execute(request) : shared(request)),
    subscribe: (request) => service.subscribe(request),
  };
}

interface PendingCall {
  readonly endsAt: number;
  giveUp(): void;
}

/**
 * Thousands of calls a second end long before their time is up, so none has a timer of its own: they stand in a row in the
 * order of their ends, which one timer looks at now and then.
 */
function createTimeLimit(name: string, timeoutMs: number) {
  const pending = new Set<PendingCall>();
  const lookMs = Math.max(10, timeoutMs / 20);
  let timer: NodeJS.Timeout | null = null;

  function look(): void {
    const now = performance.now();
    for (const call of pending) {
      if (call.endsAt > now) return;
      pending.delete(call);
      call.giveUp();
    }
    if (pending.size > 0 || !timer) return;
    clearInterval(timer);
    timer = null;
  }

  return (
    request: SubgraphRequest,
    run: (request: SubgraphRequest) => Promise<ExecutionResult>,
  ): Promise<ExecutionResult> =>
    new Promise((resolve, reject) => {
      const limited = new LimitedRequest(request);
      const call: PendingCall = {
        endsAt: performance.now() + timeoutMs,
        giveUp() {
          const error = new DomainError('GATEWAY_TIMEOUT', `The subgraph "${name}" did not answer in time.`);
          limited.abort(error);
          reject(error);
        },
      };
      pending.add(call);
      timer ??= setInterval(look, lookMs).unref();
      run(limited).then(
        (result) => {
          pending.delete(call);
          resolve(result);
        },
        (error: Error) => {
          pending.delete(call);
          reject(error);
        },
      );
    });
}

/** A request whose signal also aborts when time is up. The signal is made when somebody looks at it, which few do. */
class LimitedRequest implements SubgraphRequest {
  readonly query: SubgraphRequest['query'];
  readonly operationName: SubgraphRequest['operationName'];
  readonly variables: SubgraphRequest['variables'];
  readonly claims: SubgraphRequest['claims'];
  readonly definitionsVersion: SubgraphRequest['definitionsVersion'];
  readonly requestId: SubgraphRequest['requestId'];
  readonly clientAddress: SubgraphRequest['clientAddress'];
  readonly headers: SubgraphRequest['headers'];
  readonly #given: AbortSignal | undefined;
  #controller: AbortController | null = null;

  constructor(request: SubgraphRequest) {
    this.query = request.query;
    this.operationName = request.operationName;
    this.variables = request.variables;
    this.claims = request.claims;
    this.definitionsVersion = request.definitionsVersion;
    this.requestId = request.requestId;
    this.clientAddress = request.clientAddress;
    this.headers = request.headers;
    this.#given = request.signal;
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController();
      const given = this.#given;
      if (given?.aborted) controller.abort(given.reason);
      else given?.addEventListener('abort', () => controller.abort(given.reason), { once: true });
      this.#controller = controller;
    }
    return this.#controller.signal;
  }

  /** A mutation is not stopped halfway: only its answer is not waited for any more. */
  abort(reason: Error): void {
    if (!/^\s*mutation\b/.test(this.query)) this.#controller?.abort(reason);
  }
}
