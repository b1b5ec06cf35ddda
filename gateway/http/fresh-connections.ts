import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Connections that have not sent a request yet (browsers and proxies open them ahead). Node neither counts them as idle
 * nor closes them with the server, which would wait for them. Answers how to close them.
 */
export function watchFreshConnections(server: Server): () => void {
  const fresh = new Set<Socket>();
  const forget = ({ socket }: IncomingMessage): void => {
    fresh.delete(socket);
  };
  server.on('connection', (socket: Socket) => {
    fresh.add(socket);
    socket.once('close', () => fresh.delete(socket));
  });
  server.on('request', forget);
  server.on('upgrade', forget);
  return () => {
    for (const socket of fresh) socket.destroy();
  };
}
