import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, MessageType, stringifyMessage, type Server } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Logger } from '#gateway/logger.ts';
import { createEventSinks } from './event-sinks.ts';
import type { SocketExtra } from './operation-hooks.ts';

/** Unsent bytes beyond which a client counts as one that does not read. */
const maxBufferedBytes = 8 * 2 ** 20;

export interface SocketOptions {
  readonly socket: WebSocket;
  /** What the socket stands on. */
  readonly stream: Duplex;
  readonly request: IncomingMessage;
  readonly graphql: Server<SocketExtra>;
  readonly logger: Logger;
  readonly clientAddress: string | null;
}

/** graphql-ws throws on a message that only servers send, as on a fault of its own; by the protocol it is a bad one. */
function isServersMessage(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Unexpected message of type ');
}

/** Joins one WebSocket to the protocol. Sending waits until the network took the message. */
export function attachSocket({
  socket,
  stream,
  request,
  graphql,
  logger,
  clientAddress,
}: SocketOptions): void {
  const gone = new AbortController();
  const extra: SocketExtra = {
    request,
    clientAddress,
    gone: gone.signal,
    opening: new Set(),
    sinks: createEventSinks(socket, stream),
    caller: undefined,
    close: (code, reason) => socket.close(code, reason.slice(0, 120)),
  };

  function send(message: string): Promise<void> {
    if (socket.readyState !== socket.OPEN) return Promise.resolve();
    if (socket.bufferedAmount > maxBufferedBytes) {
      logger.warn(
        { clientAddress, bufferedBytes: socket.bufferedAmount },
        'closing a WebSocket that does not read',
      );
      socket.terminate();
      return Promise.resolve();
    }
    // An error means that the socket is closing, which ends what waits here anyhow.
    return new Promise((resolve) => socket.send(message, () => resolve()));
  }

  const closed = graphql.opened(
    {
      protocol: socket.protocol,
      send,
      close: (code, reason) => socket.close(code, reason),
      onMessage(receive) {
        socket.on('message', (data) => {
          receive((data as Buffer).toString()).catch((error: unknown) => {
            if (isServersMessage(error))
              return socket.close(CloseCode.BadRequest, 'Invalid message received');
            logger.error({ err: error, clientAddress }, 'a WebSocket message failed');
            socket.close(CloseCode.InternalServerError, 'Internal error');
          });
        });
      },
      /** A Pong says that every Subscribe before the Ping has taken its place in the event log. */
      async onPing(payload) {
        await Promise.allSettled(extra.opening);
        await send(
          stringifyMessage(payload ? { type: MessageType.Pong, payload } : { type: MessageType.Pong }),
        );
      },
    },
    extra,
  );
  socket.once('close', (code, reason) => {
    gone.abort();
    closed(code, String(reason)).catch((error: unknown) =>
      logger.error({ err: error }, 'a WebSocket did not end well'),
    );
  });
}
