import type { ExecutionResult } from 'graphql';
import { subgraphHeaders, type SubgraphRequest, type SubgraphService } from '#schema/subgraph-protocol.ts';

interface Flight {
  readonly result: Promise<ExecutionResult>;
  readonly controller: AbortController;
  waiting: number;
  isShared: boolean;
}

/**
 * Lets equal reads that are under way at the same time share one call. Equal: the same claims, client address, forwarded
 * headers (but the request's id), definitions, operation and variables; so nobody gets what was answered to somebody
 * else. Only queries. The call is given up when everybody who waits for it is gone.
 */
export function shareReads(execute: SubgraphService['execute']): SubgraphService['execute'] {
  const flights = new Map<string, Flight>();

  function take(key: string, request: SubgraphRequest): Flight {
    const controller = new AbortController();
    const result = execute({ ...request, signal: controller.signal }).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight: Flight = { result, controller, waiting: 0, isShared: false };
    flights.set(key, flight);
    return flight;
  }

  return async (request) => {
    if (!/^\s*(query\b|\{)/.test(request.query)) return execute(request);
    const key = keyOf(request);
    const known = flights.get(key);
    const flight = known ?? take(key, request);
    flight.waiting++;
    if (known) flight.isShared = true;
    const { signal } = request;
    const gone = Promise.withResolvers<never>();
    const leave = (): void => {
      flight.waiting--;
      if (flight.waiting === 0) {
        // Who comes now must not share a call that is being given up.
        if (flights.get(key) === flight) flights.delete(key);
        flight.controller.abort(signal?.reason);
      }
      gone.reject(signal?.reason);
    };
    if (signal?.aborted) leave();
    else signal?.addEventListener('abort', leave, { once: true });
    try {
      const result = await Promise.race([flight.result, gone.promise]);
      // An answer belongs to the run that got it, which merges into it.
      return flight.isShared ? structuredClone(result) : result;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  };
}

function keyOf(request: SubgraphRequest): string {
  const {
    query,
    operationName,
    variables,
    claims,
    clientAddress,
    definitionsVersion,
    headers = {},
  } = request;
  const forwarded = Object.entries(headers).filter(([name]) => name !== subgraphHeaders.requestId);
  return JSON.stringify([
    query,
    operationName,
    variables,
    claims,
    clientAddress,
    definitionsVersion,
    forwarded.toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}
