import type { AddressInfo } from 'node:net';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import { createPlainSubgraph } from '#gateway/execution/http/plain-subgraph.ts';
import { createOperationCache } from '#gateway/execution/operation-cache.ts';
import { createOperationRunner } from '#gateway/execution/operation-runner.ts';
import { createApolloHost } from '#gateway/http/apollo-host.ts';
import { createApp } from '#gateway/http/app.ts';
import { watchFreshConnections } from '#gateway/http/fresh-connections.ts';
import { addGraphQLRoute } from '#gateway/http/graphql-route.ts';
import type { Logger } from '#gateway/logger.ts';
import { clientAddressOf, urlOf, type Gateway } from '#gateway/server.ts';
import { createLiveSubscriptions } from '#gateway/subscription/live-subscriptions.ts';
import { createSocketServer } from '#gateway/ws/socket-server.ts';
import { createBearerAuthenticator } from './bearer-authenticator.ts';
import type { SupergraphConfig } from './config.ts';
import { createFixedRegistry, noTenants } from './fixed-graph.ts';
import { readSubgraphAddresses } from './subgraph-addresses.ts';

export interface SupergraphGatewayOptions {
  readonly config: Omit<SupergraphConfig, 'file' | 'logLevel'>;
  readonly supergraphSdl: string;
  readonly logger: Logger;
}

const operationBudgetBytes = 128 * 2 ** 20;
/** For requests and sockets that do not end by themselves when the gateway closes. */
const closeGraceMs = 10_000;

/**
 * Serves any supergraph, with nothing of tenants: the same transports and engine, one graph, plain GraphQL servers as
 * subgraphs. Throws where the SDL is no supergraph, asks for what the engine does not know, or a subgraph has no address.
 */
export async function createSupergraphGateway(options: SupergraphGatewayOptions): Promise<Gateway> {
  const { config, supergraphSdl, logger } = options;
  await using starting = new AsyncDisposableStack();
  const addresses = readSubgraphAddresses(supergraphSdl, config.subgraphUrls);
  const subgraphs = new Map(
    addresses.map(({ name, url }) => [
      name,
      starting.use(
        createPlainSubgraph({
          ...{ name, url, timeoutMs: config.subgraphTimeoutMs },
          shareReads: config.shareInFlight,
        }),
      ),
    ]),
  );
  const engine = createCompiledEngine({
    subgraphs,
    introspection: config.introspection,
    validateSupergraph: true,
    authorization: config.unauthorized,
  });
  const graph = await engine.load(supergraphSdl);
  const registry = createFixedRegistry(graph);
  const operations = createOperationCache({ heapBudgetBytes: operationBudgetBytes });
  const authenticator = createBearerAuthenticator(config.authentication);
  const runner = createOperationRunner({
    ...{ registry, tenants: noTenants, operations, logger },
    hidesSchema: false,
  });
  const live = starting.use(
    createLiveSubscriptions({
      ...{ runner, registry, tenants: noTenants, authenticator, logger },
      sharesUnplaced: config.shareSubscriptions,
    }),
  );
  const host = starting.use(await createApolloHost({ runner, logger }));

  let closing = false;
  const app = await createApp({
    logger,
    allowedOrigins: [],
    trustProxy: config.trustProxy,
    isClosing: () => closing,
  });
  const closeFresh = watchFreshConnections(app.server);
  const common = {
    authenticator,
    credentialRules: { baseDomain: 'localhost', allowedOrigins: [] },
    forwardHeaders: config.forwardHeaders,
  };
  addGraphQLRoute(app, { ...common, host, page: null });
  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async () => ({ status: 'ready' }));
  if (config.introspection) {
    app.get('/schema.graphql', async (_request, reply) =>
      reply.type('text/plain; charset=utf-8').send(graph.apiSdl),
    );
  }
  const sockets = createSocketServer({
    ...common,
    server: app.server,
    runner,
    live,
    logger,
    clientAddress: (request) => clientAddressOf(request, config.trustProxy),
  });
  starting.defer(async () => {
    const force = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
    closeFresh();
    await Promise.all([sockets.close(closeGraceMs / 2), app.close()]);
    clearTimeout(force);
  });
  await app.listen({ port: config.port, host: config.host });

  const running = starting.move();
  let closed: Promise<void> | undefined;
  return {
    url: urlOf(app.server.address() as AddressInfo),
    close() {
      closing = true;
      closed ??= running.disposeAsync();
      return closed;
    },
  };
}
