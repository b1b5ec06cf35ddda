/**
 * `npx node tests/bench/records.ts [--tenants 100 --records 1000 --seconds 2 --runs 3 --connections 8] [--only 'search;list of 50']`:
 * records through the entities subgraph, each beside the same SQL sent by hand through `pg` in the same run, and the
 * database's own time for each read. Prints a table and writes tests/bench/results/records-<tenants>x<records>.json.
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { writeResults } from './table.ts';
import { createRecordsSubject } from './records/subject.ts';
import type { Call, RecordsSubject } from './records/subject.ts';
import { operations } from './records/operations.ts';
import type { Operation } from './records/operations.ts';

const { values } = parseArgs({
  options: {
    tenants: { type: 'string', default: '1' },
    records: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '2' },
    runs: { type: 'string', default: '3' },
    connections: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
});
const connections = Number(values.connections);
const chosen = values.only?.split(';');

interface Measured {
  readonly name: string;
  readonly ours: number;
  readonly byHand: number;
  /** Milliseconds of the slowest of the operation's statements, in the database alone; null for writes. */
  readonly databaseMs: number | null;
}

/** Calls a second, by `connections` callers at once. */
async function rate(work: (n: number) => Promise<unknown>): Promise<number> {
  const started = performance.now();
  const end = started + Number(values.seconds) * 1_000;
  let done = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < end) {
      await work(done);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, caller));
  return (done * 1_000) / (performance.now() - started);
}

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;

async function measure(subject: RecordsSubject, pool: pg.Pool, operation: Operation): Promise<Measured> {
  const tenantOf = (n: number) => subject.tenants[n % subject.tenants.length] ?? subject.tenants[0];
  // Often enough for the statements to be prepared, as they would be.
  for (let n = 0; n < 8 + subject.tenants.length; n++) await subject.ask(tenantOf(n), operation);
  const calls = new Map<string, readonly Call[]>();
  for (const tenant of subject.tenants) calls.set(tenant.id, await subject.record(tenant, operation));
  const ours: number[] = [];
  const byHand: number[] = [];
  for (let run = 0; run < Number(values.runs); run++) {
    ours.push(await rate((n) => subject.ask(tenantOf(n), operation)));
    byHand.push(
      await rate(async (n) => {
        const tenant = tenantOf(n);
        JSON.stringify(await subject.sendByHand(pool, tenant, calls.get(tenant?.id ?? '') ?? []));
      }),
    );
  }
  const first = subject.tenants[0];
  const databaseMs = operation.isWrite
    ? null
    : await subject.databaseMs(pool, first, calls.get(first?.id ?? '') ?? []);
  return { name: operation.name, ours: median(ours), byHand: median(byHand), databaseMs };
}

function print(measured: Measured[]): void {
  const header = ['operation', 'ours/s', 'pg/s', 'ratio', 'database ms'];
  const rows = measured.map(({ name, ours, byHand, databaseMs }) => [
    name,
    ours.toFixed(0),
    byHand.toFixed(0),
    `${((ours / byHand) * 100).toFixed(0)} %`,
    databaseMs === null ? '' : databaseMs.toFixed(2),
  ]);
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] as string).length)));
  for (const row of all)
    process.stdout.write(`| ${row.map((cell, i) => cell.padEnd(widths[i] as number)).join(' | ')} |\n`);
}

const size = { tenants: Number(values.tenants), recordsPerTenant: Number(values.records) };
await using subject = await createRecordsSubject({ ...size, connections });
const pool = new pg.Pool({ connectionString: subject.appUrl, max: connections });
try {
  const measured: Measured[] = [];
  for (const operation of operations.filter(({ name }) => !chosen || chosen.includes(name))) {
    process.stdout.write(`${operation.name} …\n`);
    measured.push(await measure(subject, pool, operation));
  }
  print(measured);
  const name = `records-${size.tenants}x${size.recordsPerTenant}`;
  process.stdout.write(`Written to ${writeResults(name, measured)}\n`);
} finally {
  await pool.end();
}
