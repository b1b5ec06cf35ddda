import { GRAPHQL_TRANSPORT_WS_PROTOCOL, MessageType } from 'graphql-ws';
import { WebSocket } from 'ws';
import { gatewayClaims, signedClaims, type Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { ClaimsSigner } from './claims-signer.ts';

export interface ConnectionOptions {
  /** The subgraph's name, for messages. */
  readonly name: string;
  /** Its HTTP address. */
  readonly url: string;
  /** Null: the subgraph is not ours and gets no claims. */
  readonly signer: ClaimsSigner | null;
  /** Whose connection it is. Default: the gateway's own, with subscriptions of many identities. */
  readonly claims?: Claims;
  /** The path below `url`. Default "/graphql". */
  readonly path?: string;
  /** Sent with `connection_init` beside the claims. */
  readonly connectionParams?: Readonly<Record<string, string>>;
  /** Until the connection is acknowledged. Default 15,000. */
  readonly timeoutMs?: number;
}

export interface Connection {
  send(message: object): void;
  close(): void;
}

/** A message of graphql-transport-ws, as a peer that keeps to it would send; one that does not loses its connection. */
export interface SocketMessage {
  readonly type: MessageType;
  readonly id?: string;
  readonly payload?: unknown;
}

export interface ConnectionEvents {
  onMessage(message: SocketMessage): void;
  /** Called once after the connection was acknowledged and then ended, from either side. */
  onLost(): void;
}

/** A peer that does not answer a ping before the next one is gone. */
const pingIntervalMs = 15_000;

/** As much as an answer over HTTP may hold. */
const maxMessageBytes = 32 * 2 ** 20;

/** Opens a graphql-transport-ws connection under the gateway's own claims. Throws SUBGRAPH_UNAVAILABLE, GATEWAY_TIMEOUT. */
export async function openConnection(
  options: ConnectionOptions,
  events: ConnectionEvents,
): Promise<Connection> {
  const { name, signer, timeoutMs = 15_000, path = '/graphql', connectionParams } = options;
  const url = new URL(`${options.url.replace(/\/$/, '')}${path}`);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const claims = signer ? { [signedClaims.header]: await signer.sign(options.claims ?? gatewayClaims) } : {};
  const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL, {
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  const acknowledged = Promise.withResolvers<void>();
  let isAcknowledged = false;
  let isAlive = true;

  const send = (message: object): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  const timer = setTimeout(() => {
    acknowledged.reject(new DomainError('GATEWAY_TIMEOUT', `The subgraph "${name}" did not answer in time.`));
    socket.terminate();
  }, timeoutMs);
  const pings = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    if (socket.readyState === socket.OPEN) socket.ping();
  }, pingIntervalMs);
  pings.unref();

  socket.on('pong', () => {
    isAlive = true;
  });
  socket.on('open', () =>
    send({ type: MessageType.ConnectionInit, payload: { ...connectionParams, ...claims } }),
  );
  socket.on('message', (data) => {
    isAlive = true;
    try {
      receive(JSON.parse((data as Buffer).toString()) as SocketMessage);
    } catch {
      // Thrown on, it would end the process: this runs in a socket's event.
      socket.terminate();
    }
  });
  const receive = (message: SocketMessage): void => {
    if (message.type === MessageType.ConnectionAck) {
      isAcknowledged = true;
      acknowledged.resolve();
    } else if (message.type === MessageType.Ping) send({ type: MessageType.Pong });
    else events.onMessage(message);
  };
  const unavailable = (cause: unknown): DomainError =>
    new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" takes no subscriptions now.`, { cause });
  socket.on('error', (error) => acknowledged.reject(unavailable(error)));
  socket.on('close', (code, reason) => {
    clearTimeout(timer);
    clearInterval(pings);
    acknowledged.reject(unavailable(new Error(`closed with ${code} ${reason.toString()}`)));
    if (isAcknowledged) events.onLost();
  });

  await acknowledged.promise.finally(() => clearTimeout(timer));
  return { send, close: () => socket.close(1000) };
}
