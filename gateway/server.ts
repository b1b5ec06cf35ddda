import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import type { SubgraphService, IdentityService } from '#schema/subgraph-protocol.ts';
import type { FileContent } from '#schema/file-content.ts';
import type { TransferContent } from '#schema/transfer-content.ts';
import { createAccessTokens } from './auth/access-tokens.ts';
import { createAuthenticator } from './auth/authenticator.ts';
import { createFileLinkVerifier } from './auth/file-links.ts';
import { createRights } from './auth/rights.ts';
import type { GatewayConfig } from './config.ts';
import type { GraphEngine, SubgraphMap } from './execution/executor.ts';
import { limitLocalSubgraph } from './execution/local-subgraph.ts';
import { createOperationCache } from './execution/operation-cache.ts';
import { createSharedOperations } from './execution/shared-operations.ts';
import { createOperationRunner } from './execution/operation-runner.ts';
import { createCompiledEngine } from './execution/compiled/engine.ts';
import { createComposer } from './graph/composer.ts';
import { createExtras } from './graph/extras/extras.ts';
import { createGraphStore } from './graph/graph-store.ts';
import { createGraphRegistry } from './graph/registry.ts';
import { publicScope } from './graph/scope.ts';
import { createTenantTable } from './graph/tenant-table.ts';
import { createApolloHost } from './http/apollo-host.ts';
import { createApp } from './http/app.ts';
import { addFileRoutes } from './http/files.ts';
import { watchFreshConnections } from './http/fresh-connections.ts';
import { addGraphQLRoute } from './http/graphql-route.ts';
import { addPages } from './http/pages.ts';
import { addTransferRoutes } from './http/transfer.ts';
import type { Logger } from './logger.ts';
import { createRedisCache } from './shared-cache/redis-cache.ts';
import { createLiveSubscriptions } from './subscription/live-subscriptions.ts';
import { createSocketServer } from './ws/socket-server.ts';

export interface GatewayOptions {
  readonly config: GatewayConfig;
  /** In-process objects, or clients made by execution/http. Closed by who made them, after the gateway. */
  readonly subgraphs: readonly SubgraphService[];
  /** Other teams' subgraphs, made by execution/http/extra-subgraph.ts. Default: none. */
  readonly extraSubgraphs?: readonly SubgraphService[];
  readonly identity: IdentityService;
  /** Tells of tenants that may have changed before the next poll would. */
  readonly hints?: ((listener: (tenantId: string) => void) => () => void) | undefined;
  readonly logger: Logger;
  /** Runs operations on `subgraphs`. Default: our own executor. */
  readonly createEngine?: (options: {
    subgraphs: SubgraphMap;
    introspection: boolean;
    portable: boolean;
  }) => GraphEngine;
  /** The built IDE; null: none is served. */
  readonly graphiqlFolder?: string | null;
  /** Where the files of imports and exports go; null: they are not served. */
  readonly transfers?: TransferContent | null;
  /** Where the content of FILE fields goes; null: it is not served. */
  readonly files?: FileContent | null;
}

export interface Gateway {
  /** "http://127.0.0.1:4000" */
  readonly url: string;
  /** Takes nothing new, lets requests finish, closes sockets with 1001. May be called twice. */
  close(): Promise<void>;
}

/** Prepared operations may hold this share of what loaded graphs may. */
const operationShare = 0.5;
/** For requests and sockets that do not end by themselves when the gateway closes. */
const closeGraceMs = 10_000;
/** How long the start waits for the subgraphs; without them the gateway listens and is not ready. */
const warmUpMs = 10_000;
/** How long it waits for the shared cache. */
const sharedWaitMs = 2_000;
/** How long it waits for extra subgraphs. */
const extrasWaitMs = 2_000;

/** Wires the public server and listens. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const { config, identity, logger } = options;
  const { introspection } = config;
  const extraSubgraphs = options.extraSubgraphs ?? [];
  const timeoutMs = config.subgraphTimeoutMs;
  const subgraphs: SubgraphMap = new Map(
    options.subgraphs.map((subgraph) => [
      subgraph.name,
      subgraph.isRemote ? subgraph : limitLocalSubgraph(subgraph, { timeoutMs }),
    ]),
  );
  const heapBudgetBytes = config.graphHeapMb * 2 ** 20;
  const credentialRules = { baseDomain: config.baseDomain, allowedOrigins: config.allowedOrigins };

  await using starting = new AsyncDisposableStack();
  const tenants = starting.use(createTenantTable({ identity, logger }));
  const stopHints = options.hints?.(() => tenants.hint());
  if (stopHints) starting.defer(stopHints);
  const composer = starting.use(createComposer());
  const shared =
    config.redisUrl === null
      ? undefined
      : starting.use(createRedisCache({ url: config.redisUrl, secret: config.subgraphSecret, logger }));
  const extras =
    extraSubgraphs.length > 0
      ? starting.use(createExtras({ subgraphs: extraSubgraphs, shared, logger }))
      : null;
  const callable: SubgraphMap = new Map([
    ...subgraphs,
    ...extraSubgraphs.map((subgraph) => [subgraph.name, subgraph] as const),
  ]);
  const engine = (options.createEngine ?? createCompiledEngine)({
    subgraphs: callable,
    introspection,
    portable: shared !== undefined,
  });
  const store = createGraphStore({ engine, composer, heapBudgetBytes, shared });
  const operations = createOperationCache({
    heapBudgetBytes: heapBudgetBytes * operationShare,
    shared: shared && createSharedOperations({ cache: shared, engine }),
  });
  const registry = starting.use(
    createGraphRegistry({
      subgraphs,
      store,
      tenants,
      logger,
      ...(extras ? { plugIn: extras.plugIn } : {}),
      warmUp: (from, to, load) => operations.warmUp(from.hash, to.hash, load),
    }),
  );
  const stopExtras = extras?.subscribe(() => void registry.recheckAll());
  if (stopExtras) starting.defer(stopExtras);
  const tokens = createAccessTokens({ identity });
  const authenticator = createAuthenticator({ tokens, rights: createRights({ identity, tenants }), tenants });
  const runner = createOperationRunner({
    ...{ registry, tenants, operations, logger },
    introspect: store.introspect,
  });
  const live = starting.use(createLiveSubscriptions({ runner, registry, tenants, authenticator, logger }));
  const host = starting.use(await createApolloHost({ runner, logger }));

  let state: 'starting' | 'ready' | 'closing' = 'starting';
  const app = await createApp({
    logger,
    allowedOrigins: config.allowedOrigins,
    trustProxy: config.trustProxy,
    isClosing: () => state === 'closing',
  });
  const closeFresh = watchFreshConnections(app.server);
  const { forwardHeaders } = config;
  addGraphQLRoute(app, { host, authenticator, credentialRules, forwardHeaders });
  if (options.transfers) {
    addTransferRoutes(app, { content: options.transfers, authenticator, credentialRules });
  }
  if (options.files) {
    const links = createFileLinkVerifier({ secret: config.subgraphSecret, authenticator, tenants });
    addFileRoutes(app, { content: options.files, links, authenticator, credentialRules });
  }
  await addPages(app, {
    authenticator,
    credentialRules,
    tokens,
    registry,
    store,
    introspection,
    graphiqlFolder: options.graphiqlFolder ?? null,
    isReady: () => state === 'ready',
    reportExtras: () => extras?.report() ?? [],
  });
  const sockets = createSocketServer({
    server: app.server,
    authenticator,
    credentialRules,
    forwardHeaders,
    runner,
    live,
    logger,
    clientAddress: (request) => clientAddressOf(request, config.trustProxy),
  });
  starting.defer(async () => {
    const force = setTimeout(() => app.server.closeAllConnections(), closeGraceMs);
    closeFresh();
    // Both at once: the HTTP server counts sockets as connections and would wait for them.
    await Promise.all([sockets.close(closeGraceMs / 2), app.close()]);
    clearTimeout(force);
  });

  await listen(app, config);
  // The first graphs may be there already.
  await within(sharedWaitMs, shared?.settled);
  await within(warmUpMs, warmUp());

  /** Ready means: the tenants are known and anonymous callers have a graph. Tries until it is so. */
  async function warmUp(): Promise<void> {
    while (state === 'starting') {
      try {
        await tenants.refresh();
        await registry.getActive(publicScope);
        // A tenant's first graph has those that are there; nobody waits for one that is not.
        await within(extrasWaitMs, extras?.firstLook);
        if (tenants.ready && state === 'starting') state = 'ready';
      } catch (error) {
        logger.error({ err: error }, 'not ready yet');
        await new Promise((resolve) => setTimeout(resolve, 500).unref());
      }
    }
  }

  const running = starting.move();
  let closed: Promise<void> | undefined;
  return {
    url: urlOf(app.server.address() as AddressInfo),
    close() {
      state = 'closing';
      closed ??= running.disposeAsync();
      return closed;
    },
  };
}

/** As fastify tells it of a request: behind a trusted proxy, the first address that was forwarded. */
export function clientAddressOf(request: IncomingMessage, trustProxy: boolean): string | null {
  const forwarded = trustProxy
    ? String(request.headers['x-forwarded-for'] ?? '')
        .split(',')[0]
        ?.trim()
    : '';
  return forwarded || (request.socket.remoteAddress ?? null);
}

/** Waits for no longer than that. */
async function within(timeoutMs: number, what: Promise<void> | undefined): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, timeoutMs);
  await Promise.race([what, timeout.promise]).finally(() => clearTimeout(timer));
}

async function listen(app: FastifyInstance, { port, host }: GatewayConfig): Promise<void> {
  try {
    await app.listen({ port, host });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE') throw cause;
    throw new Error(`Port ${port} of ${host} is in use: stop what listens there, or set PORT to another.`, {
      cause,
    });
  }
}

/** An address that answers on this machine: one that listens everywhere is reached at the loopback. */
export function urlOf({ address, port }: AddressInfo): string {
  const host = address === '::' || address === '0.0.0.0' ? '127.0.0.1' : address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
