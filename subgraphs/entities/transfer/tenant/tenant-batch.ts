/** Some lines of a tenant's file, written: records by the batch, references between them one by one. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { findField } from '#subgraphs/model/relations.ts';
import type { RecordOrigin, StoreContext } from '../../store/record-store.ts';
import { isBroken, type RowItem } from '../formats/source-row.ts';
import { derivedId } from '../import/record-ids.ts';
import { isRowFault, type RowError, rowErrorsOf } from '../import/row-error.ts';
import type { TransferRun, TransferTools } from '../run.ts';
import { parseTenantLine, type TenantLine, type TenantLineOf } from './tenant-file.ts';

export interface TenantBatchJob {
  readonly tools: TransferTools;
  readonly run: TransferRun;
  /** Users' ids here by those in the file. */
  readonly people: ReadonlyMap<string, string>;
  /** An earlier attempt may have written some of it. */
  readonly mayRepeat: boolean;
}

interface Result {
  created: number;
  updated: number;
  errors: RowError[];
}

interface Row<Line extends TenantLine> {
  readonly number: number;
  readonly line: number;
  readonly columns: ReadonlyMap<string, string>;
  readonly content: Line;
}

const noColumns: ReadonlyMap<string, string> = new Map();

/** In the file's order: consecutive records of one entity together. The file was checked before. */
export async function writeTenantLines(job: TenantBatchJob, items: readonly RowItem[]): Promise<Result> {
  const { claims, requestId } = job.run;
  const model = await job.tools.getModel(claims);
  const context: StoreContext = { claims, model, requestId };
  const result: Result = { created: 0, updated: 0, errors: [] };
  let pending: Row<TenantLineOf<'RECORD'>>[] = [];

  const flush = async (): Promise<void> => {
    const rows = pending;
    pending = [];
    const entity = model.entityByName.get(rows[0]?.content.entity ?? '');
    if (entity) await createRecords(job, context, entity, rows, result);
    else for (const row of rows) result.errors.push(unknownEntity(row));
  };

  for (const item of items) {
    const content = isBroken(item) ? { problem: item.problem.message } : parseTenantLine(item.values);
    if ('problem' in content) continue;
    const place = { number: item.number, line: item.line, columns: noColumns };
    if (content.kind === 'RECORD') {
      if (pending[0] && pending[0].content.entity !== content.entity) await flush();
      pending.push({ ...place, content });
    } else if (content.kind === 'LINKS') {
      if (pending.length > 0) await flush();
      await setLinks(job, context, { ...place, content }, result);
    }
  }
  if (pending.length > 0) await flush();
  return result;
}

async function createRecords(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly Row<TenantLineOf<'RECORD'>>[],
  result: Result,
): Promise<void> {
  const written = job.mayRepeat ? await findWritten(job, context, entity, rows) : new Set<string>();
  result.created += written.size;
  const missing = rows.filter((row) => !written.has(idHere(job, row.content.id)));
  await createAll(job, context, entity, missing, result);
}

/** Halves what was refused until the bad records stand alone. */
async function createAll(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly Row<TenantLineOf<'RECORD'>>[],
  result: Result,
): Promise<void> {
  if (rows.length === 0) return;
  const nothing = withoutDefaults(entity);
  const inputs = rows.map((row) => ({ ...nothing, ...toInput(job, entity, row.content.data) }));
  const origins = rows.map(({ content }) => originOf(job, content));
  const { records } = job.tools;
  try {
    await records.create(context, entity, inputs, origins);
    result.created += rows.length;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    const [row] = rows;
    if (!row || rows.length > 1) {
      const middle = Math.ceil(rows.length / 2);
      await createAll(job, context, entity, rows.slice(0, middle), result);
      return createAll(job, context, entity, rows.slice(middle), result);
    }
    const errors = rowErrorsOf(error, row);
    result.errors.push(...errors);
    const rest = withoutLostRelations(entity, inputs[0] ?? {}, errors);
    // Its other record came after the export had passed it, or was refused here: better without than not at all.
    if (rest) result.created += await createAlone(job, context, entity, rest, originOf(job, row.content));
  }
}

/** A record that has no value has none here either, whatever new records get. */
function withoutDefaults(entity: EntityDefinition): Record<string, null> {
  const fields = entity.fields.filter((field) => field.defaultValue !== null && !field.isRequired);
  return Object.fromEntries(fields.map((field) => [field.name, null]));
}

async function createAlone(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  input: Record<string, unknown>,
  origin: RecordOrigin,
): Promise<number> {
  try {
    await job.tools.records.create(context, entity, [input], [origin]);
    return 1;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    return 0;
  }
}

/** The input without the relations that the errors are about; null where they are about more, or about required ones. */
function withoutLostRelations(
  entity: EntityDefinition,
  input: Readonly<Record<string, unknown>>,
  errors: readonly RowError[],
): Record<string, unknown> | null {
  const optional = new Set(
    entity.fields
      .filter((field) => field.type === 'RELATION' && !field.isRequired)
      .map((field) => relationIdName(field.name)),
  );
  const lost = new Set(errors.map((error) => error.field ?? ''));
  if (![...lost].every((member) => optional.has(member))) return null;
  return Object.fromEntries(Object.entries(input).filter(([member]) => !lost.has(member)));
}

async function setLinks(
  job: TenantBatchJob,
  context: StoreContext,
  row: Row<TenantLineOf<'LINKS'>>,
  result: Result,
): Promise<void> {
  const entity = context.model.entityByName.get(row.content.entity);
  if (!entity) {
    result.errors.push(unknownEntity(row));
    return;
  }
  try {
    const input = toInput(job, entity, row.content.data);
    await job.tools.records.update(context, entity, idHere(job, row.content.id), input);
    result.updated += 1;
  } catch (error) {
    if (!isRowFault(error)) throw error;
    result.errors.push(...rowErrorsOf(error, row));
  }
}

/** Every id but a user's becomes one of this tenant. */
function idHere(job: TenantBatchJob, id: string): string {
  return derivedId(job.run.transfer.id, id.toLowerCase());
}

function originOf(job: TenantBatchJob, content: TenantLineOf<'RECORD'>): RecordOrigin {
  const createdBy = content.createdBy === null ? null : (job.people.get(content.createdBy) ?? null);
  return { id: idHere(job, content.id), createdAt: new Date(content.createdAt), createdBy };
}

function toInput(
  job: TenantBatchJob,
  entity: EntityDefinition,
  data: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(data).map(([name, value]) => {
      const isRelation = findField(entity, name)?.type === 'RELATION';
      return isRelation && typeof value === 'string'
        ? [relationIdName(name), idHere(job, value)]
        : [name, value];
    }),
  );
}

function findWritten(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly Row<TenantLineOf<'RECORD'>>[],
): Promise<ReadonlySet<string>> {
  const ids = rows.map((row) => idHere(job, row.content.id));
  return job.tools.known.findIds(context.claims, { entityId: entity.id, ids });
}

function unknownEntity(row: Row<TenantLineOf<'RECORD' | 'LINKS'>>): RowError {
  const message = `There is no entity "${row.content.entity.slice(0, 80)}"`;
  return { row: row.number, line: row.line, column: null, field: null, rule: 'entity', message };
}
