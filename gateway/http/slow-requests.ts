/** Who sends byte by byte, or nothing at all, or does not read, does not hold a connection for ever. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

export interface SlowRequestLimits {
  /** For a request to arrive whole. Default 60,000. */
  readonly wholeMs?: number;
  /** Of a file: how long nothing may arrive. The whole of it may take as long as the server's own limit allows. Default 60,000. */
  readonly silenceMs?: number;
}

/** More than this does not go into the buffers between us and a client that does not read. */
const watchedBytes = 64 * 2 ** 10;

/** Ends connections over which nothing of a large answer went out for `silenceMs` (default 60,000). */
export function endSlowReaders(app: FastifyInstance, { silenceMs = 60_000 } = {}): void {
  app.addHook('onSend', (_request, { raw }, payload, done) => {
    const isWhole = typeof payload === 'string' || Buffer.isBuffer(payload);
    const isStream = !isWhole && typeof payload === 'object' && payload !== null;
    // A socket whose time is up is destroyed by the server; the next request's, and an idle one's, is set anew.
    if (isStream || (isWhole && payload.length > watchedBytes)) raw.socket?.setTimeout(silenceMs);
    done(null, payload);
  });
}

/** The `config` of a route whose body is a file. */
export const takesFiles = { takesFiles: true } as const;

/** The time for headers is node's own (60 seconds). */
export function endSlowRequests(app: FastifyInstance, limits: SlowRequestLimits = {}): void {
  const { wholeMs = 60_000, silenceMs = 60_000 } = limits;
  app.addHook('onRequest', (request, _reply, done) => {
    watch(request);
    done();
  });

  function watch(request: FastifyRequest): void {
    const { raw, routeOptions } = request;
    // What has no body has arrived.
    if (raw.complete || raw.readableEnded) return;
    const isFile = (routeOptions.config as { takesFiles?: boolean }).takesFiles === true;
    const giveUp = (): void => {
      // Also of a request whose body nobody read, because there is none: the answer may take its time.
      if (raw.complete) return;
      raw.destroy(new Error('The request took too long to arrive'));
    };
    if (isFile) {
      // A request that was destroyed has no socket any more.
      const { socket } = raw;
      socket.setTimeout(silenceMs, giveUp);
      raw.once('close', () => {
        socket.setTimeout(0);
        socket.off('timeout', giveUp);
      });
      return;
    }
    const timer = setTimeout(giveUp, wholeMs);
    raw.once('end', () => clearTimeout(timer));
    raw.once('close', () => clearTimeout(timer));
  }
}
