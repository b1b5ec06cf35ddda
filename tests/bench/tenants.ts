/**
 * `npx node tests/bench/tenants.ts [--count 1000 --records 20 --writes --seconds 10 --connections 8 --distributed]`: the whole
 * product with tenants whose definitions all differ, each asked in turn, first in peace and then while fields are added.
 * With --writes every fifth request creates a record.
 * Tells memory, latencies, failures, how many operations had to be compiled, and how long a new field takes to be of use.
 * Writes tests/bench/results/tenants-<count>[-distributed].json.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTestDatabase } from '#tests/harness/database.ts';
import { usageWithoutGarbage } from './measure.ts';
import type { LoadReport } from './measure.ts';
import { startProcess } from './processes.ts';
import { writeResults } from './table.ts';
import { addFields } from './tenants/changes.ts';
import { queriesOf, writeOf } from './tenants/definitions.ts';
import { fillTenants, signIn } from './tenants/fill.ts';
import { startPlatform } from './tenants/platform.ts';
import { warmUp } from './tenants/warm-up.ts';

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    /** Of each of the two entities that are asked for. */
    records: { type: 'string', default: '20' },
    writes: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '8' },
    distributed: { type: 'boolean', default: false },
    'graph-heap': { type: 'string', default: '512' },
  },
});
const count = Number(values.count);
const secret = 'tenantry-bench-secret';

const startedAt = performance.now();
function say(text: string): void {
  process.stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(0).padStart(4)} s  ${text}\n`);
}

await using database = await createTestDatabase();
const tenants = await fillTenants(database, { count, records: Number(values.records) });
say(`${count} tenants filled`);
await using platform = await startPlatform(database, secret, {
  isDistributed: values.distributed,
  graphHeapMb: Number(values['graph-heap']),
});
const [carrier] = platform.gateways;
const observer = platform.gateways.at(-1);
if (!carrier || !observer) throw new Error('No gateway was started');
const { url, server } = observer;

async function memory(): Promise<{ heapMb: number; rssMb: number }> {
  const { heapBytes, rssBytes } = await usageWithoutGarbage(server);
  return { heapMb: Math.round(heapBytes / 2 ** 20), rssMb: Math.round(rssBytes / 2 ** 20) };
}

const idle = await memory();
say(`started: heap ${idle.heapMb} MB`);
const cold = await warmUp(url, await signIn(database, secret, tenants));
const warm = await memory();
say(
  `every tenant asked once: first request ${cold.firstMs.p50.toFixed(0)} ms (p95 ${cold.firstMs.p95.toFixed(0)}), heap ${warm.heapMb} MB, RSS ${warm.rssMb} MB`,
);
await server.ask('operations');

const authorizations = await signIn(database, secret, tenants);
// A tenant's requests are not neighbours: all tenants are asked before the first one is again.
const kinds = values.writes ? [0, 1, 'write', 2, 0] : [0, 1, 2];
const inTurn = kinds.flatMap((kind) =>
  tenants.map((tenant) => ({
    body: JSON.stringify(
      typeof kind === 'number' ? { query: queriesOf(tenant.number)[kind] } : writeOf(tenant.number),
    ),
    headers: { authorization: authorizations.get(tenant) ?? '' },
  })),
);

async function underLoad(work: () => Promise<void>): Promise<LoadReport & { perSecond: number }> {
  await using load = startProcess('load-generator.ts', []);
  load.send({ url: `${url}/graphql`, connections: Number(values.connections), requests: inTurn });
  await delay(1_000);
  await load.ask('reset');
  const started = performance.now();
  await work();
  const report = await load.ask<LoadReport>('report');
  if (report.firstFailure !== null) say(`a failure: ${report.firstFailure}`);
  return { ...report, perSecond: report.requests / ((performance.now() - started) / 1_000) };
}

interface Row {
  readonly phase: string;
  readonly requests: number;
  readonly failures: number;
  readonly 'requests/s': number;
  readonly 'p50 ms': number;
  readonly 'p95 ms': number;
  readonly 'p99 ms': number;
  readonly 'database p50 ms': number | null;
  readonly 'database p95 ms': number | null;
  readonly 'operations found, %': number;
  readonly 'heap MB': number;
  readonly 'RSS MB': number;
}

async function measured(phase: string, work: () => Promise<void>): Promise<Row> {
  await server.ask('operations');
  if (!values.distributed) await server.ask('database times');
  const report = await underLoad(work);
  const times = values.distributed
    ? null
    : await server.ask<{ p50Ms: number; p95Ms: number }>('database times');
  const { runs, compiled } = await server.ask<{ runs: number; compiled: number }>('operations');
  const after = await memory();
  const tenths = (value: number): number => Math.round(value * 10) / 10;
  return {
    ...{ phase, requests: report.requests, failures: report.failures },
    'requests/s': Math.round(report.perSecond),
    ...{ 'p50 ms': tenths(report.p50Ms), 'p95 ms': tenths(report.p95Ms), 'p99 ms': tenths(report.p99Ms) },
    'database p50 ms': times && tenths(times.p50Ms),
    'database p95 ms': times && tenths(times.p95Ms),
    'operations found, %': Math.round((1 - compiled / Math.max(runs, 1)) * 1_000) / 10,
    ...{ 'heap MB': after.heapMb, 'RSS MB': after.rssMb },
  };
}

const peace = await measured('in peace', () => delay(Number(values.seconds) * 1_000));
say('measured in peace');
let visible: Awaited<ReturnType<typeof addFields>> | undefined;
const changing = await measured('while fields are added', async () => {
  visible = await addFields({
    ...{ tenants, authorizations, carrier: carrier.url, observer: url },
    seconds: Number(values.seconds),
  });
});
console.table([peace, changing]);
console.table(visible);
const name = `tenants-${count}${values.writes ? '-writes' : ''}${values.distributed ? '-distributed' : ''}`;
say(`written to ${writeResults(name, [{ cold, idle, warm }, peace, changing, { visible }])}`);
