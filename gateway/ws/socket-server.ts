import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleProtocols, makeServer } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { maxBodyBytes } from '#gateway/http/app.ts';
import type { Logger } from '#gateway/logger.ts';
import { createOperationHooks, type OperationHooksOptions, type SocketExtra } from './operation-hooks.ts';
import { attachSocket } from './socket.ts';

export interface SocketServerOptions extends OperationHooksOptions {
  readonly server: Server;
  readonly logger: Logger;
  /** The network address behind a proxy that is trusted. */
  readonly clientAddress: (request: IncomingMessage) => string | null;
  /** Open at once; further ones are refused with 503. Default 20,000. */
  readonly maxSockets?: number;
}

export interface SocketServer {
  readonly size: number;
  /** Takes no new socket and closes the open ones with 1001; resolves when they are gone, by force after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A peer that does not answer a ping before the next one is gone. */
const pingIntervalMs = 15_000;
const path = '/graphql';

/** graphql-transport-ws at `/graphql` of the HTTP server. */
export function createSocketServer(options: SocketServerOptions): SocketServer {
  const { server, logger, clientAddress, maxSockets = 20_000 } = options;
  const webSockets = new WebSocketServer({
    noServer: true,
    handleProtocols,
    maxPayload: maxBodyBytes,
    perMessageDeflate: false,
  });
  const graphql = makeServer<Record<string, unknown>, SocketExtra>(createOperationHooks(options));
  const alive = new WeakSet<WebSocket>();
  let closing = false;

  function onUpgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => stream.destroy());
    const [pathname] = (request.url ?? '').split('?');
    if (pathname !== path) return refuse(stream, '404 Not Found');
    if (closing || webSockets.clients.size >= maxSockets) return refuse(stream, '503 Service Unavailable');
    webSockets.handleUpgrade(request, stream, head, (socket) => {
      alive.add(socket);
      socket.on('pong', () => alive.add(socket));
      socket.on('error', (error) => logger.debug({ err: error }, 'a WebSocket failed'));
      attachSocket({ socket, stream, request, graphql, logger, clientAddress: clientAddress(request) });
    });
  }

  const pings = setInterval(() => {
    for (const socket of webSockets.clients) {
      if (!alive.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }, pingIntervalMs);
  pings.unref();
  server.on('upgrade', onUpgrade);

  return {
    get size() {
      return webSockets.clients.size;
    },
    async close(graceMs) {
      closing = true;
      clearInterval(pings);
      const gone = [...webSockets.clients].map(
        (socket) => new Promise<void>((resolve) => socket.once('close', () => resolve())),
      );
      for (const socket of webSockets.clients) socket.close(1001, 'The server is going away');
      const force = setTimeout(() => {
        for (const socket of webSockets.clients) socket.terminate();
      }, graceMs);
      await Promise.all(gone);
      clearTimeout(force);
      server.off('upgrade', onUpgrade);
      webSockets.close();
    },
  };
}

function refuse(stream: Duplex, status: string): void {
  stream.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
