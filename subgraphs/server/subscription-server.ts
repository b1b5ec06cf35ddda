/** The WebSocket side of a served subgraph: graphql-transport-ws at /graphql. */
import type { Server } from 'node:http';
import { GraphQLError, parse } from 'graphql';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { type Claims, signedClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { failedResult } from './error-format.ts';
import { parseOperation, type RequestFacts, requestIdOf } from './http-request.ts';
import type { Logger } from './logger.ts';
import type { ClaimsVerifier } from './signed-claims.ts';

/** Largest message from the gateway. */
const messageLimitBytes = 4 * 1024 * 1024;
const keepAliveMs = 12_000;

interface SocketExtra extends Record<PropertyKey, unknown> {
  claims?: Claims;
  /** Subscribes that were not answered by their service yet, by id. */
  opening?: Map<string, PromiseWithResolvers<void>>;
}

function opened(extra: SocketExtra, id: string): void {
  extra.opening?.get(id)?.resolve();
  extra.opening?.delete(id);
}

function claimsToken(facts: RequestFacts | null | undefined): string | null {
  const token = facts?.[signedClaims.header];
  return typeof token === 'string' ? token : null;
}

/**
 * Claims come in `connection_init` and are good for the connection; a subscribe message's `extensions` may carry others (and the
 * request's headers, by the same names), so that one connection can serve several identities. A connection without good claims
 * is closed with 4403. A Ping is answered once every Subscribe before it has taken its place in the event log.
 */
export function serveSubscriptions(options: {
  server: Server;
  service: SubgraphService;
  verifier: ClaimsVerifier;
  logger: Logger;
}): { close(): Promise<void> } {
  const { service, verifier, logger } = options;
  const sockets = new WebSocketServer({
    server: options.server,
    path: '/graphql',
    maxPayload: messageLimitBytes,
    handleProtocols: (offered) =>
      offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false,
  });
  sockets.on('error', (error) => logger.warn({ err: error }, 'the WebSocket server reported an error'));

  const served = useServer<Record<string, unknown>, SocketExtra>(
    {
      async onConnect(context) {
        try {
          context.extra.claims = await verifier.verify(claimsToken(context.connectionParams));
          return true;
        } catch (error) {
          if (error instanceof DomainError) return false;
          throw error;
        }
      },

      async onSubscribe(context, id, payload) {
        (context.extra.opening ??= new Map()).set(id, Promise.withResolvers());
        const facts: RequestFacts = {
          ...context.connectionParams,
          ...payload.extensions,
        };
        try {
          const ownToken = claimsToken(payload.extensions);
          const claims = ownToken ? await verifier.verify(ownToken) : context.extra.claims;
          if (!claims) throw new DomainError('UNAUTHENTICATED', 'This connection has no claims');
          const request = parseOperation(payload, facts, claims);
          // graphql-ws reads the kind of operation off the document; the schema is the service's own business.
          const document = parse(request.query, { noLocation: true });
          return {
            schema: null as never,
            document,
            operationName: request.operationName,
            contextValue: request,
          };
        } catch (error) {
          opened(context.extra, id);
          if (error instanceof GraphQLError) {
            return [
              new GraphQLError(error.message, {
                extensions: { code: 'GRAPHQL_PARSE_FAILED' },
              }),
            ];
          }
          return failedResult(error, logger, requestIdOf(facts)).errors ?? [];
        }
      },

      onOperation: ({ extra }, id) => opened(extra, id),

      async onPing({ extra }) {
        const before = [...(extra.opening?.values() ?? [])].map(({ promise }) => promise);
        if (before.length === 0) return;
        await Promise.all(before);
        // A refusal is sent in this turn: before the Pong, so that nobody takes the subscription for open.
        await new Promise(setImmediate);
      },

      execute: (args) => service.execute(args.contextValue as SubgraphRequest),
      // biome-ignore lint/suspicious/noExplicitAny: the service's streams are iterators, graphql-ws types them as generators
      subscribe: (args) => service.subscribe(args.contextValue as SubgraphRequest) as any,
    },
    sockets,
    keepAliveMs,
  );

  return {
    async close() {
      for (const socket of sockets.clients) socket.close(1001, 'Going away');
      await served.dispose();
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}
