import type { ExecutionResult } from 'graphql';
import { subgraphHeaders, type SubgraphRequest, type SubgraphService } from '#schema/subgraph-protocol.ts';
import type { SubgraphSocket } from './subgraph-socket.ts';

interface Used {
  readonly socket: SubgraphSocket;
  subscriptions: number;
}

/**
 * The sockets to a subgraph whose connections are each somebody's: subscriptions of the same claims and headers (but the
 * request's id) are on one. It is closed when the last of them has ended; one that was lost is opened again by the next.
 */
export function createIdentitySockets(
  createSocket: (request: SubgraphRequest) => SubgraphSocket,
): SubgraphSocket {
  const sockets = new Map<string, Used>();

  function take(request: SubgraphRequest): { socket: SubgraphSocket; release: () => void } {
    const key = identityOf(request);
    const used = sockets.get(key) ?? { socket: createSocket(request), subscriptions: 0 };
    sockets.set(key, used);
    used.subscriptions += 1;
    let isReleased = false;
    return {
      socket: used.socket,
      release() {
        if (isReleased) return;
        isReleased = true;
        used.subscriptions -= 1;
        if (used.subscriptions > 0) return;
        sockets.delete(key);
        void used.socket[Symbol.asyncDispose]();
      },
    };
  }

  return {
    async subscribe(request): ReturnType<SubgraphService['subscribe']> {
      const { socket, release } = take(request);
      try {
        const events = await socket.subscribe(request);
        if (Symbol.asyncIterator in events) return releasing(events, release);
        release();
        return events;
      } catch (error) {
        release();
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...sockets.values()].map(({ socket }) => socket[Symbol.asyncDispose]()));
    },
  };
}

function identityOf({ claims, headers = {} }: SubgraphRequest): string {
  const others = Object.entries(headers).filter(([name]) => name !== subgraphHeaders.requestId);
  return JSON.stringify([claims, others.toSorted(([one], [other]) => (one < other ? -1 : 1))]);
}

/** The same events; `release` is called when they end, from either side. */
function releasing(
  events: AsyncIterableIterator<ExecutionResult>,
  release: () => void,
): AsyncIterableIterator<ExecutionResult> {
  return {
    async next() {
      const step = await events.next();
      if (step.done) release();
      return step;
    },
    async return() {
      await events.return?.();
      release();
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
