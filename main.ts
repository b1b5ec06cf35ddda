/** The one-process product: PostgreSQL (embedded unless DATABASE_URL says where), the three subgraphs in process, the gateway. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { createExtraSubgraphs } from '#gateway/execution/http/extra-subgraph.ts';
import { createHttpIdentity, createHttpSubgraph } from '#gateway/execution/http/http-subgraph.ts';
import { createRemoteContent } from '#gateway/http/remote-content.ts';
import { createRemoteFiles } from '#gateway/http/remote-files.ts';
import { createRemoteTransfers } from '#gateway/http/remote-transfers.ts';
import { graphiqlFolder } from '#gateway/http/graphiql/folder.ts';
import { createGateway } from '#gateway/server.ts';
import { createControlDatabase } from '#prisma/control-database.ts';
import { startEmbeddedPostgres } from '#prisma/embedded.ts';
import { keepSecret } from '#prisma/kept-secret.ts';
import { migrate } from '#prisma/migrate.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { deriveRolePassword } from '#prisma/roles.ts';
import { type SubgraphName, type SubgraphService, subgraphNames } from '#schema/subgraph-protocol.ts';
import { createConfiguredFiles } from '#subgraphs/entities/files/configured-files.ts';
import { createEntitiesService } from '#subgraphs/entities/service.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import { createFileRecords } from '#subgraphs/entities/store/file-records.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createKnownKeys } from '#subgraphs/entities/store/transfer-keys.ts';
import { createTransferStore } from '#subgraphs/entities/store/transfer-store.ts';
import { createSubgraphPeople } from '#subgraphs/entities/transfer/tenant/subgraph-people.ts';
import { createRetention } from '#subgraphs/realtime/log/retention.ts';
import { createRealtimeService } from '#subgraphs/realtime/service.ts';
import { createEventStore } from '#subgraphs/realtime/store/event-log.ts';
import { createStoredTenantModels } from '#subgraphs/realtime/store/tenant-models.ts';
import { endOnSignal } from '#subgraphs/server/end-on-signal.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createRedisWakeUp } from '#subgraphs/server/wake-up/redis.ts';
import { createCredentialPruning } from '#subgraphs/tenants/auth/credential-pruning.ts';
import { createTenantsService } from '#subgraphs/tenants/service.ts';
import { createTenantStore } from '#subgraphs/tenants/store/tenant-store.ts';
import { type ProductConfig, readProductConfig } from './config.ts';
import { createDemo } from './demo.ts';

async function start(config: ProductConfig): Promise<void> {
  const logger = createLogger(config.gateway.logLevel);
  const dataFolder = resolve(config.dataFolder);
  // Disposed in reverse: the gateway drains first, the database goes last.
  await using starting = new AsyncDisposableStack();

  await mkdir(dataFolder, { recursive: true });
  const secret = config.secret ?? (await keepSecret(join(dataFolder, 'secret')));
  const rolePassword = deriveRolePassword(secret);
  let url = config.databaseUrl;
  if (url === null) {
    const embedded = await startEmbeddedPostgres({ dataFolder, logger });
    starting.defer(() => embedded.close());
    url = embedded.url;
  }
  await migrate({ url, rolePassword });
  const database = starting.use(createRecordDatabase({ url, rolePassword }));
  const control = starting.use(createControlDatabase({ url, rolePassword }));
  const wakeUp = starting.use(
    config.redisUrl === null ? createLocalWakeUp() : createRedisWakeUp(config.redisUrl, logger),
  );

  const { tenants: tenantsUrl, entities: entitiesUrl } = config.gateway.subgraphUrls;
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const store = starting.use(createConfiguredFiles(config.files, join(dataFolder, 'files')));
  const files = {
    ...{ store, secret, limits: config.files.limits },
    fileRecords: createFileRecords(database),
  };
  const transfers = {
    store: createTransferStore(database),
    known: createKnownKeys(database),
    files: store,
    people: createSubgraphPeople({ execute: (request) => tenants.execute(request) }),
  };
  const entities = starting.use(
    createEntitiesService({
      ...{ records, definitions, logger, wakeUp },
      // Served elsewhere, their files are elsewhere too.
      ...(entitiesUrl === null ? { transfers, files } : {}),
    }),
  );
  const tenantStore = createTenantStore(control);
  const { service: tenants, identity } = await createTenantsService({
    store: tenantStore,
    secret,
    logger,
    operator: config.operator,
    entities,
    wakeUp,
  });
  starting.use(createCredentialPruning({ rows: tenantStore.endedCredentials, logger })).start();
  const events = createEventStore(database);
  const realtime = starting.use(
    createRealtimeService({ store: events, models: createStoredTenantModels(database), wakeUp, logger }),
  );
  starting.use(createRetention({ store: events, logger })).start();

  // A subgraph whose URL is configured is served elsewhere.
  const signer = createClaimsSigner(secret);
  const addressOf = (name: SubgraphName, at: string) => ({
    name,
    url: at,
    signer,
    timeoutMs: config.gateway.subgraphTimeoutMs,
  });
  const local: Record<SubgraphName, SubgraphService> = { tenants, entities, realtime };
  const remote =
    entitiesUrl === null ? null : starting.use(createRemoteContent({ url: entitiesUrl, signer }));
  const gateway = await createGateway({
    config: { ...config.gateway, subgraphSecret: secret },
    subgraphs: subgraphNames.map((name) => {
      const elsewhere = config.gateway.subgraphUrls[name];
      return elsewhere === null
        ? local[name]
        : starting.use(
            createHttpSubgraph({ ...addressOf(name, elsewhere), shareReads: config.gateway.shareInFlight }),
          );
    }),
    extraSubgraphs: createExtraSubgraphs({ ...config.gateway, subgraphSecret: secret }, starting),
    identity:
      tenantsUrl === null ? identity : starting.use(createHttpIdentity(addressOf('tenants', tenantsUrl))),
    hints: (listener) => wakeUp.subscribe(listener),
    graphiqlFolder: graphiqlFolder(),
    transfers: remote ? createRemoteTransfers(remote) : (entities.transfers?.content ?? null),
    files: remote ? createRemoteFiles(remote) : (entities.files?.content ?? null),
    logger,
  });
  starting.defer(() => gateway.close());
  const signIns = config.demo ? await createDemo({ tenants, records, definitions }) : [];

  endOnSignal(starting.move(), logger);
  process.stdout.write(describe(gateway.url, signIns));
}

function describe(url: string, signIns: readonly string[]): string {
  const lines = [
    `Tenantry is ready at ${url}`,
    `  GraphQL   ${url}/graphql (HTTP and graphql-ws)`,
    `  GraphiQL  ${url}/graphiql`,
    ...(signIns.length > 0
      ? ['  Demo sign-ins (DEMO=false starts without)', ...signIns.map((line) => `    ${line}`)]
      : []),
  ];
  return `\n${lines.join('\n')}\n\n`;
}

// Read by @apollo/gateway: no detectors, no exporter.
process.env['APOLLO_TELEMETRY_DISABLED'] ??= 'true';
try {
  await start(readProductConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
