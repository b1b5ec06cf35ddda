/** vega-datasets' files: proposed, defined, imported, exported, and compared row by row with the file they came from. */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TransferFormat } from '#subgraphs/entities/transfer/formats/source-row.ts';
import { readDay } from '#subgraphs/entities/transfer/values/date-formats.ts';
import type { TransferService } from '#subgraphs/entities/transfer/service.ts';
import {
  createTransferBench,
  download,
  ended,
  put,
  readVega,
  type TransferBench,
  vegaFile,
} from './transfer-bench.ts';

let bench: TransferBench;
let service: TransferService;
beforeAll(async () => {
  bench = await createTransferBench();
  service = bench.service();
});
afterAll(() => bench[Symbol.asyncDispose]());

type Row = Record<string, unknown>;

async function readSource(file: string): Promise<Row[]> {
  const text = await readFile(vegaFile(file), 'utf8');
  return file.endsWith('.json') ? (JSON.parse(text) as Row[]) : parse(text, { columns: true });
}

function readExport(format: TransferFormat, text: string): Row[] {
  if (format === 'JSON') return JSON.parse(text) as Row[];
  if (format === 'NDJSON')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
  return parse(text, { columns: true });
}

/** A cell of either file as text, so that files of different formats compare. */
function normal(value: unknown): string | null {
  if (value === null || value === undefined || value === '') return null;
  if (typeof value !== 'string') return JSON.stringify(value);
  return readDay(value, 'MMM DD YYYY') ?? (/^-?\d+\.\d+$/.test(value) ? String(Number(value)) : value);
}

it.each([
  ['movies.json', 3201],
  ['cars.json', 406],
  ['gapminder.json', 682],
  ['airports.csv', 3376],
])('%s', async (file, count) => {
  const claims = await bench.addTenant();
  const source = await readSource(file);
  expect(source).toHaveLength(count);

  const uploaded = await service.startImport(claims, { fileName: file });
  await put(service, claims, uploaded, readVega(file), file);
  const proposal = await service.propose(claims, uploaded.id, null);
  await bench.define(claims, proposal.entity);
  const entity = proposal.entity.name;
  const resumed = await service.resume(claims, uploaded.id, { entity, columns: proposal.columns });
  expect(resumed).toMatchObject({ status: 'PENDING', entity });
  expect(await ended(service, claims, uploaded)).toMatchObject({
    status: 'DONE',
    rows: count,
    counts: { created: count, updated: 0, failed: 0 },
    errorCount: 0,
    ignoredColumns: [],
  });

  const columns = new Map(proposal.columns.map((mapping) => [mapping.column, mapping.field as string]));
  const expected = source.map((row) =>
    Object.fromEntries([...columns].map(([column, field]) => [field, normal(row[column])])),
  );
  for (const format of ['CSV', 'JSON', 'NDJSON'] as const) {
    const started = await service.startExport(claims, {
      entity,
      format,
      fields: [...columns.values()],
      labels: true,
    });
    expect(await ended(service, claims, started)).toMatchObject({
      status: 'DONE',
      rows: count,
      totalCount: count,
    });
    const rows = readExport(format, (await download(service, claims, started)).toString());
    // In the file's order: ids follow it.
    const exported = rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([field, value]) => [field, normal(value)])),
    );
    expect(exported).toEqual(expected);
  }
});

it.each(['CSV', 'JSON', 'NDJSON'] as const)('imports a %s export again identically', async (format) => {
  const first = await bench.addTenant();
  const uploaded = await service.startImport(first, { fileName: 'movies.json' });
  await put(service, first, uploaded, readVega('movies.json'));
  const { entity, columns } = await service.propose(first, uploaded.id, null);
  await bench.define(first, entity);
  await service.resume(first, uploaded.id, { entity: 'movie', columns });
  await ended(service, first, uploaded);
  const exported = await service.startExport(first, { entity: 'movie', format });
  await ended(service, first, exported);
  const content = await download(service, first, exported);

  const second = await bench.addTenant(entity);
  const again = await service.startImport(second, { entity: 'movie', format });
  await put(
    service,
    second,
    again,
    (async function* () {
      yield content;
    })(),
  );
  expect(await ended(service, second, again)).toMatchObject({
    status: 'DONE',
    counts: { created: 3201, failed: 0 },
    ignoredColumns: ['id'],
  });
  const dataOf = async (claims: typeof first) =>
    (await bench.all(claims, 'movie')).map((record) => record.data);
  expect(await dataOf(second)).toEqual(await dataOf(first));
});
