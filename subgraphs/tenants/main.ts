/** The tenants subgraph as a process of its own. */
import { createControlDatabase } from '#prisma/control-database.ts';
import { migrate } from '#prisma/migrate.ts';
import { deriveRolePassword } from '#prisma/roles.ts';
import { endOnSignal } from '#subgraphs/server/end-on-signal.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createRemoteSubgraph } from '#subgraphs/server/remote-subgraph.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createRedisWakeUp } from '#subgraphs/server/wake-up/redis.ts';
import { createCredentialPruning } from './auth/credential-pruning.ts';
import { readTenantsConfig, type TenantsConfig } from './config.ts';
import { createTenantsService } from './service.ts';
import { createTenantStore } from './store/tenant-store.ts';

async function start(config: TenantsConfig): Promise<void> {
  const { secret, port, host } = config;
  const logger = createLogger(config.logLevel);
  // Disposed in reverse: the server drains first, then goes what it stood on.
  await using starting = new AsyncDisposableStack();
  const rolePassword = deriveRolePassword(secret);
  await migrate({ url: config.databaseUrl, rolePassword });
  const control = starting.use(createControlDatabase({ url: config.databaseUrl, rolePassword }));
  const wakeUp = starting.use(
    config.redisUrl === null ? createLocalWakeUp() : createRedisWakeUp(config.redisUrl, logger),
  );
  const store = createTenantStore(control);
  const { service, identity } = await createTenantsService({
    store,
    secret,
    logger,
    operator: config.operator,
    entities: createRemoteSubgraph({ url: config.entitiesUrl, secret }),
    wakeUp,
  });
  starting.use(createCredentialPruning({ rows: store.endedCredentials, logger })).start();
  const server = starting.adopt(
    await serveSubgraph({ service, identity, secret, port, host, logger }),
    (it) => it.close(),
  );

  endOnSignal(starting.move(), logger);
  logger.info(`tenants is ready at ${server.url}`);
}

try {
  await start(readTenantsConfig(process.env));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
