/**
 * `npx node tests/bench/transfers.ts [--rows 100000 --runs 3]`: a file imported and exported, beside the least that has to be
 * done for it by hand in the same run: the same batches through `pg` (rows, keys and events in one transaction), and the same
 * pages read and written as text. Nothing is checked there and nothing could be gone on with. Prints a table and writes
 * tests/bench/results/transfers-<rows>.json.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { toStoredData, searchForm, slotColumns, slotValues } from '#subgraphs/model/stored-form.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { writeResults } from './table.ts';
import {
  createTransferBench,
  ended,
  put,
  type TenantClaims,
} from '#tests/integration/transfer/transfer-bench.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, runs: { type: 'string', default: '3' } },
});
const rowCount = Number(values.rows);
const batch = 1_000;

const contact = {
  name: 'contact',
  fields: [
    { name: 'email', type: 'EMAIL', isUnique: true, isRequired: true },
    { name: 'name', type: 'TEXT' },
    { name: 'age', type: 'INTEGER' },
    { name: 'born', type: 'DATE' },
  ],
} as const;

interface Contact {
  email: string;
  name: string;
  age: number;
  born: string;
}

const contactAt = (n: number): Contact => ({
  email: `user${n}@example.com`,
  name: `User Number ${n}`,
  age: n % 100,
  born: `19${String(10 + (n % 90))}-0${1 + (n % 9)}-1${n % 10}`,
});

async function* csv(): AsyncGenerator<Uint8Array> {
  yield Buffer.from('email,name,age,born\n');
  for (let start = 0; start < rowCount; start += 500) {
    const lines = Array.from({ length: Math.min(500, rowCount - start) }, (_, i) =>
      Object.values(contactAt(start + i)).join(','),
    );
    yield Buffer.from(`${lines.join('\n')}\n`);
  }
}

await using bench = await createTransferBench();
await using service = bench.service();

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1_000;
}

async function importOurs(claims: TenantClaims): Promise<number> {
  const transfer = await service.startImport(claims, { format: 'CSV', fileName: 'contacts.csv' });
  await put(service, claims, transfer, csv());
  return timed(async () => {
    await service.resume(claims, transfer.id, { entity: 'contact' });
    const { counts } = await ended(service, claims, transfer);
    if (counts.created !== rowCount) throw new Error(`imported ${counts.created} of ${rowCount}`);
  });
}

async function importByHand(claims: TenantClaims): Promise<number> {
  const model = await bench.definitions.load(claims);
  const entity = model.entities[0];
  const email = entity?.fields[0];
  if (!entity || !email) throw new Error('no entity');
  const slots = slotColumns(entity);
  const types: Record<string, string> = { t: 'text', n: 'float8', d: 'timestamptz', r: 'uuid' };
  const columns = [
    'id uuid',
    'data jsonb',
    'search text',
    'search_parts jsonb',
    ...slots.map((slot) => `${slot} ${types[slot.charAt(0)]}`),
  ];
  const names = columns.map((column) => column.split(' ')[0]);
  return timed(async () => {
    for (let start = 0; start < rowCount; start += batch) {
      const records = Array.from({ length: Math.min(batch, rowCount - start) }, (_, i) => {
        const data = { ...contactAt(start + i) };
        return {
          id: randomUUID(),
          data: toStoredData(entity, data),
          ...searchForm(entity, { data, version: 1 }),
          ...slotValues(entity, data),
        };
      });
      const events = records.map(({ id, data }) => ({
        ...{
          kind: 'RECORD',
          entityId: entity.id,
          recordId: id,
          operation: 'CREATED',
          changedFields: Object.keys(data),
          before: null,
        },
        ...{ after: { data, version: 1 }, actorKind: 'USER', actorId: claims.actorId, requestId: 'bench' },
      }));
      await bench.database.transaction(claims, async (tx) => {
        void tx.query({
          name: 'bench_keys',
          text: `insert into record_keys select $1::uuid, $2::uuid, $3::uuid, decode(u.h, 'hex'), u.r from unnest($4::text[], $5::uuid[]) as u (h, r)`,
          values: [
            claims.tenantId,
            entity.id,
            email.id,
            records.map(({ data }) => uniqueHash(email, data['email'])),
            records.map(({ id }) => id),
          ],
        });
        void tx.query({
          name: 'bench_rows',
          text: `insert into records (tenant_id, entity_id, ${names.join(', ')}) select $1::uuid, $2::uuid, ${names.map((name) => `u.${name}`).join(', ')} from jsonb_to_recordset($3::jsonb) as u (${columns.join(', ')})`,
          values: [claims.tenantId, entity.id, JSON.stringify(records)],
        });
        await tx.finish({
          name: 'bench_events',
          text: 'select append_events($1, $2::jsonb)',
          values: [model.version, JSON.stringify(events)],
        });
      });
    }
  });
}

async function exportOurs(claims: TenantClaims): Promise<number> {
  return timed(async () => {
    const transfer = await service.startExport(claims, { entity: 'contact', format: 'CSV' });
    const { rows } = await ended(service, claims, transfer);
    if (rows !== rowCount) throw new Error(`exported ${rows} of ${rowCount}`);
  });
}

async function exportByHand(claims: TenantClaims): Promise<number> {
  const folder = join(bench.folder, 'by-hand');
  await mkdir(folder, { recursive: true });
  const model = await bench.definitions.load(claims);
  return timed(async () => {
    let text = '';
    let after = ['-infinity', '00000000-0000-0000-0000-000000000000'];
    for (;;) {
      const rows = await bench.database.read<{ id: string; data: Contact; at: string }>(claims, {
        name: 'bench_page',
        text: `select id, data, created_at::text as at from records where tenant_id = $1 and entity_id = $2 and (created_at, id) > ($3::timestamptz, $4::uuid) and deleted_at is null order by created_at, id limit ${batch}`,
        values: [claims.tenantId, model.entities[0]?.id, ...after],
      });
      const last = rows.at(-1);
      if (!last) break;
      text += rows
        .map(({ id, data }) => `${[id, data.email, data.name, data.age, data.born].join(',')}\n`)
        .join('');
      after = [last.at, last.id];
    }
    await writeFile(join(folder, `${randomUUID()}.csv`), text);
  });
}

const median = (numbers: number[]): number =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const seconds = {
  importOurs: [] as number[],
  importByHand: [] as number[],
  exportOurs: [] as number[],
  exportByHand: [] as number[],
};
for (let run = 0; run < Number(values.runs); run++) {
  const [ours, byHand] = [await bench.addTenant(contact), await bench.addTenant(contact)];
  seconds.importOurs.push(await importOurs(ours));
  seconds.importByHand.push(await importByHand(byHand));
  seconds.exportOurs.push(await exportOurs(ours));
  seconds.exportByHand.push(await exportByHand(byHand));
}
const table = (['import', 'export'] as const).map((name) => {
  const ours = rowCount / median(seconds[`${name}Ours`]);
  const byHand = rowCount / median(seconds[`${name}ByHand`]);
  return {
    operation: name,
    'ours, rows/s': Math.round(ours),
    'by hand, rows/s': Math.round(byHand),
    ratio: Number((ours / byHand).toFixed(2)),
  };
});
console.table(table);
writeResults(`transfers-${rowCount}`, table);
