import { GraphQLError, type ExecutionResult, type GraphQLFormattedError } from 'graphql';
import { MessageType } from 'graphql-ws';
import { signedClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { createEventQueue, type EventQueue } from './event-queue.ts';
import { toHeaders } from './request-headers.ts';
import {
  openConnection,
  type Connection,
  type ConnectionOptions,
  type SocketMessage,
} from './socket-connection.ts';

export interface SubgraphSocketOptions extends ConnectionOptions {
  /** Events held for a subscriber that does not keep up: as many as in process, several whole batches. Default 10,000. */
  readonly maxHeldEvents?: number;
}

/** The subscriptions of one subgraph over HTTP: all on one connection, each with its own claims. */
export interface SubgraphSocket extends AsyncDisposable {
  subscribe(request: SubgraphRequest): ReturnType<SubgraphService['subscribe']>;
}

interface Subscription {
  readonly queue: EventQueue;
  /** Resolves when the subgraph has taken the subscription's place, or refused it. */
  readonly opened: PromiseWithResolvers<ExecutionResult | null>;
  isOpen: boolean;
}

/** Connects at the first subscription and again after the connection was lost. */
export function createSubgraphSocket(options: SubgraphSocketOptions): SubgraphSocket {
  const { name, signer, maxHeldEvents = 10_000 } = options;
  let current: { connection: Promise<Connection>; subscriptions: Map<string, Subscription> } | undefined;
  let lastId = 0;

  function connect(): NonNullable<typeof current> {
    const subscriptions = new Map<string, Subscription>();
    const connection = openConnection(options, {
      onMessage: (message) => receive(subscriptions, message),
      onLost() {
        if (current?.subscriptions === subscriptions) current = undefined;
        for (const subscription of subscriptions.values()) {
          const lost = failure('SUBGRAPH_UNAVAILABLE', `The connection to the subgraph "${name}" was lost.`);
          if (!subscription.isOpen) subscription.opened.resolve(lost);
          else subscription.queue.push(lost);
          subscription.queue.end();
        }
        subscriptions.clear();
      },
    });
    const made = { connection, subscriptions };
    connection.catch(() => {
      if (current === made) current = undefined;
    });
    return made;
  }

  async function subscribe(request: SubgraphRequest): Promise<EventQueue | ExecutionResult> {
    const used = (current ??= connect());
    const [connection, token] = await Promise.all([used.connection, signer?.sign(request.claims)]);
    if (current !== used) {
      throw new DomainError('SUBGRAPH_UNAVAILABLE', `The connection to the subgraph "${name}" was lost.`);
    }
    const id = String(++lastId);
    const stop = (): void => {
      request.signal?.removeEventListener('abort', onAbort);
      if (used.subscriptions.delete(id)) connection.send({ type: MessageType.Complete, id });
    };
    const queue = createEventQueue({ limit: maxHeldEvents, overflow: tooSlow, onStop: stop });
    const subscription: Subscription = { queue, opened: Promise.withResolvers(), isOpen: false };
    const onAbort = (): void => {
      void queue.return?.();
      subscription.opened.resolve({ errors: [new GraphQLError('The client has gone.')] });
    };
    used.subscriptions.set(id, subscription);
    if (request.signal?.aborted) onAbort();
    else request.signal?.addEventListener('abort', onAbort, { once: true });

    const { query, operationName, variables } = request;
    const extensions = token && { ...toHeaders(request), [signedClaims.header]: token };
    connection.send({
      type: MessageType.Subscribe,
      id,
      payload: { query, operationName, variables, extensions },
    });
    // Its Pong says that the place of the subscription before it is taken.
    connection.send({ type: MessageType.Ping, payload: { id } });
    const refusal = await subscription.opened.promise;
    subscription.isOpen = true;
    if (!refusal) return queue;
    stop();
    return refusal;
  }

  return {
    subscribe,
    async [Symbol.asyncDispose]() {
      const connection = await current?.connection.catch(() => undefined);
      connection?.close();
    },
  };
}

function receive(subscriptions: Map<string, Subscription>, { type, id, payload }: SocketMessage): void {
  if (type === MessageType.Pong) {
    const opened = subscriptions.get((payload as { id?: string } | undefined)?.id ?? '');
    opened?.opened.resolve(null);
    return;
  }
  const subscription = subscriptions.get(id ?? '');
  if (!subscription) return;
  const { queue, opened } = subscription;
  if (type === MessageType.Next) {
    const result = toResult(payload);
    // Errors before there was any event: the subscription was refused.
    if (result.data === undefined && result.errors) opened.resolve(result);
    opened.resolve(null);
    queue.push(result);
  } else if (type === MessageType.Error) {
    const result = { errors: toErrors(payload) };
    opened.resolve(result);
    queue.push(result);
    queue.end();
    subscriptions.delete(id ?? '');
  } else if (type === MessageType.Complete) {
    opened.resolve(null);
    queue.end();
    subscriptions.delete(id ?? '');
  }
}

function toResult(payload: unknown): ExecutionResult {
  const { data, errors, extensions } = payload as { data?: Record<string, unknown> | null } & ExecutionResult;
  return {
    ...(data === undefined ? {} : { data }),
    ...(errors ? { errors: toErrors(errors) } : {}),
    ...(extensions ? { extensions } : {}),
  };
}

function toErrors(payload: unknown): GraphQLError[] {
  return (payload as GraphQLFormattedError[]).map(
    ({ message, path, extensions }) => new GraphQLError(message, { path, extensions }),
  );
}

function failure(code: string, message: string, details: Record<string, unknown> = {}): ExecutionResult {
  return { errors: [new GraphQLError(message, { extensions: { code, ...details } })] };
}

/** The last cursor that was held is what the client resumes with, where its operation asked for it. */
function tooSlow(last: ExecutionResult | undefined): ExecutionResult {
  const [event] = Object.values(last?.data ?? {}) as ({ cursor?: unknown } | null)[];
  const cursor = typeof event?.cursor === 'string' ? { cursor: event.cursor } : {};
  return failure(
    'SUBSCRIBER_TOO_SLOW',
    'Events came faster than they were read; resume after the last one.',
    cursor,
  );
}
