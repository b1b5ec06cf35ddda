/** The entities subgraph as a process of its own. */
import { resolve } from 'node:path';
import { migrate } from '#prisma/migrate.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { deriveRolePassword } from '#prisma/roles.ts';
import { endOnSignal } from '#subgraphs/server/end-on-signal.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createRemoteSubgraph } from '#subgraphs/server/remote-subgraph.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createRedisWakeUp } from '#subgraphs/server/wake-up/redis.ts';
import { type EntitiesConfig, readEntitiesConfig } from './config.ts';
import { createConfiguredFiles } from './files/configured-files.ts';
import { addFileRoutes } from './files/file-routes.ts';
import { createEntitiesService } from './service.ts';
import { createDefinitionStore } from './store/definition-store.ts';
import { createFileRecords } from './store/file-records.ts';
import { createRecordStore } from './store/records.ts';
import { createKnownKeys } from './store/transfer-keys.ts';
import { createTransferStore } from './store/transfer-store.ts';
import { addContentRoute } from './transfer/content-route.ts';
import { createSubgraphPeople, nobody } from './transfer/tenant/subgraph-people.ts';

async function start(config: EntitiesConfig): Promise<void> {
  const { secret, port, host } = config;
  const logger = createLogger(config.logLevel);
  // Disposed in reverse: the server drains first, then goes what it stood on.
  await using starting = new AsyncDisposableStack();
  const rolePassword = deriveRolePassword(secret);
  await migrate({ url: config.databaseUrl, rolePassword });
  const database = starting.use(createRecordDatabase({ url: config.databaseUrl, rolePassword }));
  const wakeUp = starting.use(
    config.redisUrl === null ? createLocalWakeUp() : createRedisWakeUp(config.redisUrl, logger),
  );
  const definitions = createDefinitionStore(database);
  const store = starting.use(createConfiguredFiles(config.files, resolve(config.dataFolder, 'files')));
  const service = starting.use(
    createEntitiesService({
      records: createRecordStore(database, wakeUp, { reload: definitions.load }),
      definitions,
      logger,
      wakeUp,
      transfers: {
        store: createTransferStore(database),
        known: createKnownKeys(database),
        files: store,
        people:
          config.tenantsUrl === null
            ? nobody
            : createSubgraphPeople(createRemoteSubgraph({ url: config.tenantsUrl, secret })),
      },
      files: {
        ...{ store, secret, limits: config.files.limits },
        fileRecords: createFileRecords(database),
      },
    }),
  );
  const { transfers, files } = service;
  const server = starting.adopt(
    await serveSubgraph({
      ...{ service, secret, port, host, logger },
      addRoutes(app, claimsOf) {
        if (transfers) addContentRoute(app, transfers.content, claimsOf);
        if (files) addFileRoutes(app, files.content, claimsOf);
      },
    }),
    (it) => it.close(),
  );

  endOnSignal(starting.move(), logger);
  logger.info(`entities is ready at ${server.url}`);
}

try {
  await start(readEntitiesConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
