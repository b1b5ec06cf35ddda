/**
 * `npm run bench -- --subscriptions`: one event to many subscribers through the whole product (a record is written, its
 * change completed with fields of other subgraphs), beside bare servers that send the same ready-made message. Prints a
 * table and writes tests/bench/results/subscriptions.json.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres } from '#prisma/embedded.ts';
import { createClient } from '#tests/harness/client.ts';
import type { SubscribersAssignment, SubscribersReport } from './load/subscribers.ts';
import { type Child, findFreePort, startProcess } from './processes.ts';
import { writeResults } from './table.ts';

export interface SubscriptionsOptions {
  readonly runs: number;
  readonly secondsPerRun: number;
  readonly warmUpSeconds: number;
}

interface Subject {
  readonly name: string;
  readonly title: string;
  readonly server: Child;
  readonly assignment: SubscribersAssignment;
}

interface Run extends SubscribersReport {
  readonly deliveriesPerSecond: number;
  readonly cpuMicrosPerDelivery: number;
  readonly rssMb: number;
}

const subscribers = 1_000;
const distinctSubscribers = 100;
const query = `subscription ($filter: MovieFilter) {
  movieChanged(filter: $filter) { cursor operation movieId changedFields at movie { id title year version director { name } createdBy { email } } }
}`;

export async function benchSubscriptions(options: SubscriptionsOptions): Promise<void> {
  await using running = new AsyncDisposableStack();
  const product = await startProduct(running);
  const trigger = {
    url: `${product.url}/graphql`,
    body: JSON.stringify({
      query: 'mutation ($input: CreateMovieInput!) { createMovie(input: $input) { id } }',
      variables: { input: { title: 'Cléo de 5 à 7', year: 1962, directorId: product.directorId } },
    }),
  };
  const { authorization } = product;
  const message = JSON.stringify({ data: await product.takeOneEvent(trigger) });
  const equal = (count: number) => Array.from({ length: count }, () => ({}));
  const ours = { url: product.url, authorization, query, trigger, inFlight: 4 };

  async function startBare(kind: string): Promise<Omit<Subject, 'name' | 'title'>> {
    const port = await findFreePort();
    const url = `http://127.0.0.1:${port}`;
    const server = running.use(startProcess('servers/ready-messages.ts', [kind, String(port), message]));
    await waitUntilOk(`${url}/publish`);
    const bare = { url, authorization, query: 'subscription { movieChanged }', inFlight: 4 };
    const assignment = {
      ...bare,
      variables: equal(subscribers),
      trigger: { url: `${url}/publish`, body: '{}' },
    };
    return { server, assignment };
  }

  const subjects: Subject[] = [
    { name: 'ws', title: 'bare ws, ready-made text', ...(await startBare('ws')) },
    { name: 'graphql-ws', title: 'bare graphql-ws, ready-made result', ...(await startBare('graphql-ws')) },
    {
      name: 'product',
      title: `the whole product, ${subscribers} equal subscribers`,
      server: product.server,
      assignment: { ...ours, variables: equal(subscribers) },
    },
    {
      name: 'single',
      title: 'the whole product, one subscriber: what an event costs by itself',
      server: product.server,
      assignment: { ...ours, variables: equal(1) },
    },
    {
      name: 'distinct',
      title: `the whole product, ${distinctSubscribers} subscribers with different variables`,
      server: product.server,
      assignment: {
        ...ours,
        variables: Array.from({ length: distinctSubscribers }, (_, index) => ({
          filter: { year: { ne: index } },
        })),
      },
    },
  ];

  const results = [];
  for (const { name, title, server, assignment } of subjects) {
    process.stdout.write(`${title} …\n`);
    results.push({ name, title, runs: await measure(server, assignment, options) });
  }
  process.stdout.write(`\n${formatTable(results, message)}\n\n`);
  const shape = { shape: 'subscriptions', answerBytes: Buffer.byteLength(message), results };
  process.stdout.write(`Written to ${writeResults('subscriptions', [shape])}\n`);
}

async function measure(
  server: Child,
  assignment: SubscribersAssignment,
  options: SubscriptionsOptions,
): Promise<Run[]> {
  await using load = startProcess('load/subscribers.ts', [JSON.stringify(assignment)]);
  const connected = await load.ask<string>('connect');
  if (connected !== 'connected') throw new Error(connected);
  await load.ask('start');
  await delay(options.warmUpSeconds * 1_000);
  const runs: Run[] = [];
  for (let index = 0; index < options.runs; index += 1) {
    await load.ask('reset');
    const before = await server.ask<Usage>('usage');
    const started = performance.now();
    await delay(options.secondsPerRun * 1_000);
    const report = await load.ask<SubscribersReport>('report');
    const after = await server.ask<Usage>('usage');
    runs.push({
      ...report,
      deliveriesPerSecond: report.deliveries / ((performance.now() - started) / 1_000),
      cpuMicrosPerDelivery: (after.cpuMicros - before.cpuMicros) / Math.max(report.deliveries, 1),
      rssMb: after.rssBytes / 2 ** 20,
    });
  }
  return runs;
}

interface Usage {
  readonly cpuMicros: number;
  readonly rssBytes: number;
}

/** The product on a database of its own, with a tenant, its definitions and a viewer of its own. */
async function startProduct(running: AsyncDisposableStack) {
  const dataFolder = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  running.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataFolder });
  running.defer(() => postgres.close());
  const port = await findFreePort();
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: postgres.url,
    SUBGRAPH_SECRET: 'tenantry-bench-secret',
    TENANTRY_DATA: dataFolder,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '100000000',
  };
  const server = running.use(startProcess('../../main.ts', [], { env }));
  const url = `http://127.0.0.1:${port}`;
  await waitUntilOk(`${url}/readyz`);
  const anonymous = running.use(createClient(url, {}));
  const { registerTenant } = await anonymous.query(
    'mutation ($input: RegisterTenantInput!) { registerTenant(input: $input) { accessToken } }',
    {
      input: {
        ...{ name: 'Bench', slug: 'bench', plan: 'ENTERPRISE' },
        ...{ adminEmail: 'admin@bench.example', adminPassword: 'correct horse battery' },
      },
    },
  );
  const authorization = `Bearer ${registerTenant.accessToken as string}`;
  const admin = running.use(createClient(url, { authorization }));
  const define = 'mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }';
  await admin.query(define, { input: { name: 'director', fields: [{ name: 'name', type: 'TEXT' }] } });
  const fields = [
    { name: 'title', type: 'TEXT' },
    { name: 'year', type: 'INTEGER' },
    { name: 'director', type: 'RELATION', targetEntity: 'director', inverseName: 'movies' },
  ];
  await admin.query(define, { input: { name: 'movie', fields } });
  const { createDirector } = await admin.query(
    'mutation { createDirector(input: { name: "Agnès Varda" }) { id } }',
  );
  return {
    server,
    url,
    authorization,
    directorId: createDirector.id as string,
    async takeOneEvent({ body }: SubscribersAssignment['trigger']): Promise<unknown> {
      await using events = await admin.subscribe(query);
      const { query: text, variables } = JSON.parse(body) as {
        query: string;
        variables: Record<string, unknown>;
      };
      await admin.query(text, variables);
      // Awaited here: what is used in this scope ends with it.
      return await events.next();
    },
  };
}

async function waitUntilOk(url: string): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt += 1) {
    const isReady = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (isReady) return;
    await delay(100);
  }
  throw new Error(`${url} does not become ready`);
}

interface Result {
  readonly name: string;
  readonly title: string;
  readonly runs: readonly Run[];
}

function median(runs: readonly Run[], pick: (run: Run) => number): number {
  return runs.map(pick).toSorted((left, right) => left - right)[Math.floor(runs.length / 2)] ?? 0;
}

function formatTable(results: readonly Result[], message: string): string {
  const lines = [
    `Events of ${Buffer.byteLength(message)} bytes, each to every subscriber, four under way at once`,
    '',
    '| | deliveries/s | server CPU µs/delivery | trigger to last delivery, p50 ms | RSS MB | failures |',
    '|---|---|---|---|---|---|',
  ];
  for (const { title, runs } of results) {
    const cells = [
      median(runs, (run) => run.deliveriesPerSecond).toFixed(0),
      median(runs, (run) => run.cpuMicrosPerDelivery).toFixed(1),
      median(runs, (run) => run.p50Ms).toFixed(0),
      median(runs, (run) => run.rssMb).toFixed(0),
      String(runs.reduce((sum, run) => sum + run.failures, 0)),
    ];
    lines.push(`| ${title} | ${cells.join(' | ')} |`);
  }
  const of = (name: string) => results.find((result) => result.name === name)?.runs ?? [];
  const rate = (name: string) => median(of(name), (run) => run.deliveriesPerSecond);
  const cpu = (name: string) => median(of(name), (run) => run.cpuMicrosPerDelivery);
  for (const peer of ['graphql-ws', 'ws']) {
    const ratio = `${((rate('product') / rate(peer)) * 100).toFixed(0)} % of its deliveries/s`;
    lines.push(
      '',
      `product against bare ${peer}: ${ratio}, ${(cpu(peer) / cpu('product')).toFixed(2)} of its CPU efficiency`,
    );
  }
  return lines.join('\n');
}
