import type { ExecutionResult } from 'graphql';
import { subgraphHeaders, type SubgraphRequest, type SubgraphService } from '#schema/subgraph-protocol.ts';

interface Flight<Answer> {
  readonly answer: Promise<Answer>;
  readonly controller: AbortController;
  waiting: number;
}

/**
 * Lets equal reads that are under way at the same time share one call. Equal: the same claims, client address, forwarded
 * headers (but the request's id), definitions, operation, variables and, where one is completed, event; so nobody gets what was answered to somebody
 * else. Only queries, and none that were under way when a mutation was answered: who reads what it wrote must not get what
 * was there before. The call is given up when everybody who waits for it is gone.
 *
 * `call` answers what nobody changes, for instance text; `read` makes of it a result for each, as whoever gets one merges
 * into it.
 */
export function shareReads<Answer>(
  call: (request: SubgraphRequest) => Promise<Answer>,
  read: (answer: Answer) => ExecutionResult,
): SubgraphService['execute'] {
  const flights = new Map<string, Flight<Answer>>();

  function take(key: string, request: SubgraphRequest): Flight<Answer> {
    const controller = new AbortController();
    const answer = call({ ...request, signal: controller.signal }).finally(() => {
      if (flights.get(key) === flight) flights.delete(key);
    });
    const flight: Flight<Answer> = { answer, controller, waiting: 0 };
    flights.set(key, flight);
    return flight;
  }

  return async (request) => {
    if (!/^\s*(query\b|\{)/.test(request.query)) {
      try {
        return read(await call(request));
      } finally {
        flights.clear();
      }
    }
    const key = keyOf(request);
    const flight = flights.get(key) ?? take(key, request);
    flight.waiting++;
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
      return read(await Promise.race([flight.answer, gone.promise]));
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
    event,
  } = request;
  const forwarded = Object.entries(headers).filter(([name]) => name !== subgraphHeaders.requestId);
  return JSON.stringify([
    query,
    operationName,
    variables,
    claims,
    clientAddress,
    definitionsVersion,
    event,
    forwarded.toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}
