/** The gateway as a process of its own, in front of subgraphs that are served elsewhere. */
import { readFile } from 'node:fs/promises';
import { subgraphNames } from '#schema/subgraph-protocol.ts';
import { readGatewayConfig, type GatewayConfig } from './config.ts';
import { createClaimsSigner } from './execution/http/claims-signer.ts';
import { createExtraSubgraphs } from './execution/http/extra-subgraph.ts';
import { createHttpIdentity, createHttpSubgraph } from './execution/http/http-subgraph.ts';
import { graphiqlFolder } from './http/graphiql/folder.ts';
import { createRedisHints } from './graph/redis-hints.ts';
import { createRemoteContent } from './http/remote-content.ts';
import { createRemoteFiles } from './http/remote-files.ts';
import { createRemoteTransfers } from './http/remote-transfers.ts';
import { createLogger, type Logger } from './logger.ts';
import { createGateway } from './server.ts';
import { isSupergraphStart, readSupergraphConfig, type SupergraphConfig } from './supergraph/config.ts';
import { createSupergraphGateway } from './supergraph/server.ts';

async function start(config: GatewayConfig): Promise<void> {
  const logger = createLogger(config.logLevel);
  await using starting = new AsyncDisposableStack();
  const signer = createClaimsSigner(config.subgraphSecret);
  const common = { signer, timeoutMs: config.subgraphTimeoutMs };
  const getUrl = (name: (typeof subgraphNames)[number]): string => {
    const url = config.subgraphUrls[name];
    if (url === null)
      throw new Error(`${name.toUpperCase()}_URL is not set: it must be the ${name} subgraph's address`);
    return url;
  };
  const addresses = subgraphNames.map((name) => ({ ...common, name, url: getUrl(name) }));
  const subgraphs = addresses.map((address) =>
    starting.use(createHttpSubgraph({ ...address, shareReads: config.shareInFlight })),
  );
  const identity = starting.use(createHttpIdentity({ ...common, name: 'tenants', url: getUrl('tenants') }));
  const content = starting.use(createRemoteContent({ url: getUrl('entities'), signer }));
  const transfers = createRemoteTransfers(content);
  const files = createRemoteFiles(content);
  const hints =
    config.redisUrl === null ? undefined : starting.use(createRedisHints(config.redisUrl, logger));
  const gateway = starting.adopt(
    await createGateway({
      ...{ config, subgraphs, identity, logger, transfers, files },
      extraSubgraphs: createExtraSubgraphs(config, starting),
      hints: hints?.subscribe,
      graphiqlFolder: graphiqlFolder(),
    }),
    (it) => it.close(),
  );

  stopOnSignals(starting.move(), logger);
  process.stdout.write(`Tenantry's gateway is ready at ${gateway.url}\n`);
}

/** Any supergraph, with nothing of tenants. */
async function startSupergraph(config: SupergraphConfig): Promise<void> {
  const logger = createLogger(config.logLevel);
  await using starting = new AsyncDisposableStack();
  const supergraphSdl = await readFile(config.file, 'utf8').catch((cause: Error) => {
    throw new Error(`--supergraph ${config.file} cannot be read: ${cause.message}`, { cause });
  });
  const gateway = starting.adopt(await createSupergraphGateway({ config, supergraphSdl, logger }), (it) =>
    it.close(),
  );
  stopOnSignals(starting.move(), logger);
  process.stdout.write(`The gateway is ready at ${gateway.url}/graphql\n`);
}

function stopOnSignals(running: AsyncDisposable, logger: Logger): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      logger.info({ signal }, 'going down');
      Promise.resolve(running[Symbol.asyncDispose]()).catch((error: unknown) => {
        logger.error({ err: error }, 'did not go down cleanly');
        process.exitCode = 1;
      });
    });
  }
}

// Read by @apollo/gateway: no detectors, no exporter.
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
try {
  const args = process.argv.slice(2);
  if (isSupergraphStart(args)) await startSupergraph(readSupergraphConfig(args, process.env));
  else await start(readGatewayConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
