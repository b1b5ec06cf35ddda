/** The product on a database that is there: in one process, or as three subgraphs and two gateways. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '#tests/harness/database.ts';
import { findFreePort, startProcess } from '../processes.ts';
import type { Child } from '../processes.ts';

export interface Platform extends AsyncDisposable {
  /** Of the gateways. All serve the same tenants; the last one carries none of the changes. */
  readonly gateways: readonly { readonly url: string; readonly server: Child }[];
}

const counter = new URL('../servers/operation-counter.ts', import.meta.url).href;
const databaseTimer = new URL('../servers/database-timer.ts', import.meta.url).href;

export async function startPlatform(
  database: TestDatabase,
  secret: string,
  options: { isDistributed: boolean; graphHeapMb: number },
): Promise<Platform> {
  await using starting = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  starting.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const common = {
    ...{ DATABASE_URL: database.url, SUBGRAPH_SECRET: secret, TENANTRY_DATA: dataFolder, HOST: '127.0.0.1' },
    ...{ LOG_LEVEL: 'error', RATE_LIMIT_PER_MINUTE: '100000000', DEMO: 'false' },
    ...{ GRAPH_HEAP_MB: String(options.graphHeapMb), OPERATOR_EMAIL: '', REDIS_URL: '' },
  };
  const start = async (
    script: string,
    path: string,
    env: Record<string, string>,
    preloads: string[] = [],
  ) => {
    const port = await findFreePort();
    const server = starting.use(
      startProcess(`../../${script}`, [], { env: { ...common, ...env, PORT: String(port) }, preloads }),
    );
    const url = `http://127.0.0.1:${port}`;
    await waitUntilOk(`${url}${path}`);
    return { url, server };
  };

  const gateways: Platform['gateways'][number][] = [];
  if (options.isDistributed) {
    const entities = await start('subgraphs/entities/main.ts', '/healthz', {});
    const tenants = await start('subgraphs/tenants/main.ts', '/healthz', { ENTITIES_URL: entities.url });
    const realtime = await start('subgraphs/realtime/main.ts', '/healthz', {});
    const urls = { TENANTS_URL: tenants.url, ENTITIES_URL: entities.url, REALTIME_URL: realtime.url };
    for (let number = 0; number < 2; number++)
      gateways.push(await start('gateway/main.ts', '/readyz', urls, [counter]));
  } else {
    gateways.push(await start('main.ts', '/readyz', {}, [counter, databaseTimer]));
  }
  const running = starting.move();
  return { gateways, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

export async function waitUntilOk(url: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  throw new Error(`${url} does not become ready`);
}
