/** A subgraph over HTTP and WebSocket, for the distributed way to run. Paths and headers: schema/subgraph-protocol.ts. */
import type { AddressInfo } from 'node:net';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Claims, signedClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { IdentityService, SubgraphService } from '#schema/subgraph-protocol.ts';
import { failedResult } from './error-format.ts';
import { parseIdentityRequest, parseOperation, parseSdlRequest, requestIdOf } from './http-request.ts';
import type { Logger } from './logger.ts';
import { createClaimsVerifier } from './signed-claims.ts';
import { serveSubscriptions } from './subscription-server.ts';

export interface SubgraphServerOptions {
  service: SubgraphService;
  /** The tenants subgraph's alone. */
  identity?: IdentityService;
  /** What only this subgraph serves. `claimsOf` throws UNAUTHENTICATED for a request that is not signed. */
  addRoutes?: (app: FastifyInstance, claimsOf: (request: FastifyRequest) => Promise<Claims>) => void;
  /** SUBGRAPH_SECRET: callers sign their claims with it. */
  secret: string;
  /** 0: any free one. */
  port: number;
  host: string;
  logger: Logger;
}

/** Largest request body. A batch of 1,000 records fits; the gateway holds clients to less. */
const bodyLimitBytes = 32 * 1024 * 1024;

const statusByCode: Record<string, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  BAD_USER_INPUT: 400,
  TENANT_REQUIRED: 400,
  NOT_FOUND: 404,
  CONFLICT: 409,
  TENANT_NOT_FOUND: 404,
};

/** Listens once it resolves. `close()` drains requests, ends sockets and subscriptions, and may be called twice. */
export async function serveSubgraph(
  options: SubgraphServerOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { service, identity, logger } = options;
  const verifier = createClaimsVerifier(options.secret);
  const app = Fastify({
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: 'idle',
  });

  function claimsOf(request: FastifyRequest): Promise<Claims> {
    const header = request.headers[signedClaims.header];
    return verifier.verify(typeof header === 'string' ? header : null);
  }

  async function requireGateway(request: FastifyRequest): Promise<void> {
    const claims = await claimsOf(request);
    if (claims.actorKind !== 'GATEWAY') throw new DomainError('FORBIDDEN', 'Only the gateway may ask this');
  }

  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply: FastifyReply) => {
    if (error instanceof DomainError) {
      const result = failedResult(error, logger, request.id);
      return reply.status(statusByCode[error.code] ?? 500).send(result);
    }
    // Fastify's own refusals: too large, not JSON, wrong media type.
    if (error.statusCode && error.statusCode < 500) {
      const refused = new DomainError('BAD_USER_INPUT', error.message);
      return reply.status(error.statusCode).send(failedResult(refused, logger, request.id));
    }
    return reply.status(500).send(failedResult(error, logger, requestIdOf(request.headers)));
  });

  app.get('/healthz', async () => ({ status: 'ok' }));

  app.post('/graphql', async (request) => {
    const claims = await claimsOf(request);
    return service.execute(parseOperation(request.body, request.headers, claims));
  });

  app.get('/internal/sdl', { preHandler: requireGateway }, async (request) =>
    service.getSdl(parseSdlRequest(request.query)),
  );

  options.addRoutes?.(app, claimsOf);

  if (identity) {
    app.get('/internal/versions', { preHandler: requireGateway }, async (request) => {
      const { since } = request.query as { since?: string };
      return identity.getVersions(since || null);
    });
    app.get('/internal/jwks', { preHandler: requireGateway }, async () => identity.getJwks());
    app.post('/internal/identity', { preHandler: requireGateway }, async (request) =>
      identity.identify(parseIdentityRequest(request.body)),
    );
  }

  const subscriptions = serveSubscriptions({
    server: app.server,
    service,
    verifier,
    logger,
  });
  await app.listen({ port: options.port, host: options.host });
  const { address, port } = app.server.address() as AddressInfo;
  const host = address.includes(':') ? `[${address}]` : address;

  let closing: Promise<void> | null = null;
  return {
    url: `http://${host}:${port}`,
    close() {
      closing ??= (async () => {
        await subscriptions.close();
        await app.close();
      })();
      return closing;
    },
  };
}
