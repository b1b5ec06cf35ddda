/** Who sends byte by byte, or nothing at all, does not hold a connection for ever. */
import type { FastifyInstance } from 'fastify';

export interface SlowRequestLimits {
  /** For a request to arrive whole. Default 60,000. */
  readonly wholeMs?: number;
  /** Of a file: how long nothing may arrive. The whole of it may take as long as the server's own limit allows. Default 60,000. */
  readonly silenceMs?: number;
}

/** The `config` of a route whose body is a file. */
export const takesFiles = { takesFiles: true } as const;

/** The time for headers is node's own (60 seconds). */
export function endSlowRequests(app: FastifyInstance, limits: SlowRequestLimits = {}): void {
  const { wholeMs = 60_000, silenceMs = 60_000 } = limits;
  app.addHook('onRequest', async (request) => {
    const { raw, routeOptions } = request;
    // What has no body has arrived.
    if (raw.complete || raw.readableEnded) return;
    const isFile = (routeOptions.config as { takesFiles?: boolean }).takesFiles === true;
    const giveUp = (): void => {
      raw.destroy(new Error('The request took too long to arrive'));
    };
    if (isFile) {
      raw.socket.setTimeout(silenceMs, giveUp);
      raw.once('close', () => {
        raw.socket.setTimeout(0);
        raw.socket.off('timeout', giveUp);
      });
      return;
    }
    const timer = setTimeout(giveUp, wholeMs);
    raw.once('end', () => clearTimeout(timer));
    raw.once('close', () => clearTimeout(timer));
  });
}
