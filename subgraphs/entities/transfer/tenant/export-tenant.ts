/** Writes everything of a tenant into one file. */
import { Readable, pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { StoreContext, StoredRecord } from '../../store/record-store.ts';
import { maxExportBytes } from '../export/run-export.ts';
import { readPages } from '../export/record-pages.ts';
import { Stopped, toBytes } from '../export/stopped.ts';
import { nothingCounted, type RunEnd, type TransferRun, type TransferTools } from '../run.ts';
import { type OrderedEntity, orderEntities } from './entity-order.ts';
import { describeEntity, fileVersion, type TenantLine, writeTenantLine } from './tenant-file.ts';

/** What is written meanwhile may or may not be in it: no snapshot is held. The definitions are those of its beginning. */
export async function exportTenant(tools: TransferTools, run: TransferRun): Promise<RunEnd> {
  const { transfer } = run;
  const id = crypto.randomUUID();
  const file = gzip(toBytes(writeLines(tools, run)));
  try {
    const { bytes } = await tools.files.write(transfer.tenantId, id, file, maxExportBytes);
    return { status: 'DONE', file: { id, bytes } };
  } catch (error) {
    if (error instanceof Stopped) return { status: 'STOPPED', file: null };
    throw error;
  }
}

/** Fails as what it reads fails. */
async function* gzip(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packed = createGzip();
  pipeline(Readable.from(bytes), packed, () => {});
  for await (const chunk of packed) yield chunk as Uint8Array;
}

async function* writeLines(tools: TransferTools, run: TransferRun): AsyncGenerator<string> {
  const model = await tools.getModel(run.claims);
  const counts = { entities: 0, people: 0, records: 0, links: 0 };
  const getContext = (): StoreContext => ({ claims: run.claims, model, requestId: run.requestId });
  const ordered = orderEntities(model);
  let length = 0;

  /** Once for each page: progress, and whether to go on. */
  async function* page(lines: readonly TenantLine[]): AsyncGenerator<string> {
    const text = lines.map(writeTenantLine).join('');
    length += text.length;
    yield text;
    const rows = counts.records + counts.links;
    if (!(await run.report({ rows, readBytes: length, counts: nothingCounted, errors: [] })))
      throw new Stopped();
  }

  yield writeTenantLine({ kind: 'TENANT', version: fileVersion, exportedAt: new Date().toISOString() });
  for (const entity of model.allEntities) {
    counts.entities += 1;
    yield writeTenantLine(describeEntity(model, entity));
  }
  for await (const people of tools.people.list(run.claims, run.requestId)) {
    counts.people += people.length;
    yield* page(people.map(({ id, email, name, role }) => ({ kind: 'PERSON', id, email, name, role })));
  }
  for (const one of ordered) {
    for await (const { records } of readPages(tools.records, async () => ({
      context: getContext(),
      entity: one.entity,
    }))) {
      counts.records += records.length;
      yield* page(records.map((record) => recordLine(one, record)));
    }
  }
  for (const one of ordered) {
    if (one.deferred.length === 0) continue;
    for await (const { records } of readPages(tools.records, async () => ({
      context: getContext(),
      entity: one.entity,
    }))) {
      const links = records.flatMap((record) => linkLine(one, record) ?? []);
      counts.links += links.length;
      yield* page(links);
    }
  }
  yield writeTenantLine({ kind: 'END', ...counts });
}

function recordLine({ entity, deferred }: OrderedEntity, record: StoredRecord): TenantLine {
  const data: Record<string, unknown> = {};
  for (const field of entity.fields) {
    const value = record.data[field.key] ?? null;
    if (value !== null && !deferred.includes(field)) data[field.name] = value;
  }
  const { id, createdBy } = record;
  return {
    kind: 'RECORD',
    entity: entity.name,
    id,
    createdAt: record.createdAt.toISOString(),
    createdBy,
    data,
  };
}

function linkLine({ entity, deferred }: OrderedEntity, record: StoredRecord): TenantLine | null {
  const data = Object.fromEntries(
    deferred.flatMap((field) => {
      const id = record.data[field.key] ?? null;
      return id === null ? [] : [[field.name, id as string | string[]]];
    }),
  );
  return Object.keys(data).length === 0 ? null : { kind: 'LINKS', entity: entity.name, id: record.id, data };
}
