import type { IncomingMessage } from 'node:http';
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import { fastify, type FastifyError, type FastifyInstance } from 'fastify';
import type { Logger } from '#gateway/logger.ts';
import { drainRequest } from './drain-request.ts';
import { errorBody } from './error-status.ts';
import { addSecurityHeaders } from './security-headers.ts';
import { endSlowReaders, endSlowRequests } from './slow-requests.ts';

export interface AppOptions {
  readonly logger: Logger;
  /** Origins whose pages may send cookies; every origin may send tokens. */
  readonly allowedOrigins: readonly string[];
  /** Whether `X-Forwarded-*` of the proxy before us tells the client's address. */
  readonly trustProxy: boolean;
  /** Whether connections end with the answer that is under way. */
  readonly isClosing: () => boolean;
}

/** A request's body; enough for a batch of a thousand records of 4 kB. */
export const maxBodyBytes = 4 * 2 ** 20;
/** How much of a refused body is still taken in, so that its sender gets to read the answer. */
const maxDiscardedBytes = 64 * 2 ** 20;

/** For a request to arrive whole; files have longer (slow-requests.ts). */
const requestTimeoutMs = 60 * 60_000;

const requestIdPattern = /^[\w.-]{1,64}$/;

/** A fastify server with what every answer has: security headers, CORS, a request id, errors without insides. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { logger, allowedOrigins, trustProxy, isClosing } = options;
  const app = fastify({
    bodyLimit: maxBodyBytes,
    trustProxy,
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    requestTimeout: requestTimeoutMs,
    genReqId({ headers }) {
      const given = headers['x-request-id'];
      return typeof given === 'string' && requestIdPattern.test(given) ? given : crypto.randomUUID();
    },
  });
  endSlowRequests(app);
  endSlowReaders(app);
  app.removeContentTypeParser('text/plain');
  await app.register(cookie);
  await app.register(cors, {
    delegator: (request, callback) => {
      const { origin } = request.headers;
      const trusted = origin !== undefined && allowedOrigins.includes(origin);
      callback(null, {
        origin: trusted ? origin : '*',
        credentials: trusted,
        methods: ['GET', 'HEAD', 'POST', 'PUT'],
        exposedHeaders: ['x-request-id', 'content-disposition', 'content-range', 'accept-ranges', 'etag'],
        maxAge: 86_400,
      });
    },
  });
  await addSecurityHeaders(app);
  // With callbacks: a promise for each hook of each request is a tenth of what a small query costs here.
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isClosing()) reply.header('connection', 'close');
    done(null, payload);
  });
  app.setNotFoundHandler(async (_request, reply) =>
    reply.code(404).type('application/json').send(errorBody('There is nothing at this path.', 'NOT_FOUND')),
  );
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status === 413) await drainRequest(request.raw);
    if (status === 413) {
      // Closing at once would reset the connection under a client that is still sending.
      reply.removeHeader('connection');
      discardBody(request.raw);
    }
    if (status >= 500) logger.error({ err: error, requestId: request.id }, 'an HTTP request failed');
    const [message, code] =
      status >= 500
        ? [`Internal error (request ${request.id})`, 'INTERNAL_SERVER_ERROR']
        : [messageOf(status, error), 'BAD_REQUEST'];
    return reply.code(status).type('application/json').send(errorBody(message, code));
  });
  return app;
}

function discardBody(request: IncomingMessage): void {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxDiscardedBytes) request.destroy();
  });
  request.on('error', () => {});
}

function messageOf(status: number, error: FastifyError): string {
  if (status === 413) return `The request's body is larger than ${maxBodyBytes} bytes.`;
  if (status === 415) return 'The content type must be application/json.';
  // The parser refuses names that could reach a prototype, in the same words as what is no JSON.
  if (error.code === 'FST_ERR_CTP_INVALID_JSON_BODY')
    return 'The request\'s body is not JSON, or has a member named "__proto__" or "constructor".';
  return error.message;
}
