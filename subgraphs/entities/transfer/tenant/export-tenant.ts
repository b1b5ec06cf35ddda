/** Writes everything of a tenant into one file. */
import { Readable, pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { isStoredFile } from '#subgraphs/model/values/file.ts';
import type { StoreContext, StoredRecord } from '../../store/record-store.ts';
import { maxExportBytes } from '../export/run-export.ts';
import { readPages } from '../export/record-pages.ts';
import { Stopped, toBytes } from '../export/stopped.ts';
import { nothingCounted, type RunEnd, type TransferRun, type TransferTools } from '../run.ts';
import { type OrderedEntity, orderEntities } from './entity-order.ts';
import {
  describeEntity,
  describeValue,
  fileVersion,
  type NamedRecord,
  type TenantLine,
  writeTenantLine,
} from './tenant-file.ts';

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
  const counts = { entities: 0, people: 0, records: 0, links: 0, files: 0 };
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
      for await (const line of fileLines(tools, run, one.entity, records)) {
        if (line.kind === 'FILE') counts.files += 1;
        const text = writeTenantLine(line);
        length += text.length;
        yield text;
      }
      counts.records += records.length;
      yield* page(records.map((record) => recordLine(model, one, record)));
    }
  }
  for (const one of ordered) {
    if (one.deferred.length === 0) continue;
    for await (const { records } of readPages(tools.records, async () => ({
      context: getContext(),
      entity: one.entity,
    }))) {
      const links = records.flatMap((record) => linkLine(model, one, record) ?? []);
      counts.links += links.length;
      yield* page(links);
    }
  }
  yield writeTenantLine({ kind: 'END', ...counts });
}

/** The files that these records hold, each with its bytes behind it. One whose content is gone is left out. */
async function* fileLines(
  { tenantFiles }: Pick<TransferTools, 'tenantFiles'>,
  { claims }: TransferRun,
  entity: EntityDefinition,
  records: readonly StoredRecord[],
): AsyncGenerator<TenantLine> {
  const keys = entity.fields.filter((field) => field.type === 'FILE').map((field) => field.key);
  const ids = records.flatMap(({ data }) =>
    keys.flatMap((key) => {
      const held = data[key];
      return isStoredFile(held) ? held.id : [];
    }),
  );
  if (ids.length === 0 || !tenantFiles) return;
  for await (const { facts, content } of tenantFiles.read(claims, ids)) {
    const { id, name, contentType, size, sha256 } = facts;
    yield { kind: 'FILE', id, name, contentType, size, sha256 };
    for await (const chunk of content) {
      for (let at = 0; at < chunk.length; at += maxLineBytes) {
        const base64 = Buffer.from(chunk.subarray(at, at + maxLineBytes)).toString('base64');
        yield { kind: 'BYTES', base64 };
      }
    }
  }
}

/** Of a file in one line, before they become text. */
const maxLineBytes = 512 * 1024;

function recordLine(
  model: TenantModel,
  { entity, deferred }: OrderedEntity,
  record: StoredRecord,
): TenantLine {
  const data: Record<string, unknown> = {};
  for (const field of entity.fields) {
    const value = record.data[field.key] ?? null;
    if (value === null || deferred.includes(field)) continue;
    data[field.name] =
      isStoredFile(value) && field.type === 'FILE' ? value.id : describeValue(model, field, value);
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

function linkLine(
  model: TenantModel,
  { entity, deferred }: OrderedEntity,
  record: StoredRecord,
): TenantLine | null {
  const data = Object.fromEntries(
    deferred.flatMap((field) => {
      const value = describeValue(model, field, record.data[field.key] ?? null);
      return value === null ? [] : [[field.name, value as string | string[] | NamedRecord]];
    }),
  );
  return Object.keys(data).length === 0 ? null : { kind: 'LINKS', entity: entity.name, id: record.id, data };
}
