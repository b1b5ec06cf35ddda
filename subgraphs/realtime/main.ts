/** The realtime subgraph as a process of its own. */
import { migrate } from '#prisma/migrate.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { deriveRolePassword } from '#prisma/roles.ts';
import { endOnSignal } from '#subgraphs/server/end-on-signal.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import type { SubgraphConfig } from '#subgraphs/server/subgraph-config.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createRedisWakeUp } from '#subgraphs/server/wake-up/redis.ts';
import { readRealtimeConfig } from './config.ts';
import { createRetention } from './log/retention.ts';
import { createRealtimeService } from './service.ts';
import { createEventStore } from './store/event-log.ts';
import { createStoredTenantModels } from './store/tenant-models.ts';

async function start(config: SubgraphConfig): Promise<void> {
  const logger = createLogger(config.logLevel);
  // Disposed in reverse: streams end with their cursors, then sockets close, then what they stood on.
  await using starting = new AsyncDisposableStack();
  const rolePassword = deriveRolePassword(config.secret);
  await migrate({ url: config.databaseUrl, rolePassword });
  const database = starting.use(createRecordDatabase({ url: config.databaseUrl, rolePassword }));
  const wakeUp = starting.use(
    config.redisUrl === null ? createLocalWakeUp() : createRedisWakeUp(config.redisUrl, logger),
  );
  const store = createEventStore(database);
  const retention = starting.use(createRetention({ store, logger }));
  const service = createRealtimeService({
    store,
    models: createStoredTenantModels(database),
    wakeUp,
    logger,
  });
  const { port, host, secret } = config;
  const server = starting.adopt(await serveSubgraph({ service, secret, port, host, logger }), (it) =>
    it.close(),
  );
  starting.use(service);
  retention.start();

  endOnSignal(starting.move(), logger);
  logger.info(`realtime is ready at ${server.url}`);
}

try {
  await start(readRealtimeConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
