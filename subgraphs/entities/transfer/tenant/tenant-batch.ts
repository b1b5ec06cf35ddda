/** Some lines of a tenant's file, written: records, and the relations that had to wait for all of them. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { memberNames, relationIdName, relationTypeName } from '#subgraphs/model/names.ts';
import { findField } from '#subgraphs/model/relations.ts';
import { hasDefault } from '#subgraphs/model/computed-defaults.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import type { RecordOrigin, StoreContext } from '../../store/record-store.ts';
import { isBroken, type RowItem } from '../formats/source-row.ts';
import { writeHalving } from '../import/halving.ts';
import { derivedId } from '../import/record-ids.ts';
import { isRowFault, type RowError, rowErrorsOf } from '../import/row-error.ts';
import type { TransferRun, TransferTools } from '../run.ts';
import { parseTenantLine, readNamedRecord, type TenantLine, type TenantLineOf } from './tenant-file.ts';

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

/** In the file's order: consecutive lines of one kind and entity together. The file was checked before. */
export async function writeTenantLines(job: TenantBatchJob, items: readonly RowItem[]): Promise<Result> {
  const { claims, requestId } = job.run;
  const model = await job.tools.getModel(claims);
  const context: StoreContext = { claims, model, requestId, ignoresLimits: true };
  const result: Result = { created: 0, updated: 0, errors: [] };
  let pending: Row<TenantLineOf<'RECORD' | 'LINKS'>>[] = [];

  const flush = async (): Promise<void> => {
    const rows = pending;
    pending = [];
    const entity = model.entityByName.get(rows[0]?.content.entity ?? '');
    if (!entity) {
      for (const row of rows) result.errors.push(unknownEntity(row));
    } else if (isOfKind(rows, 'RECORD')) await createRecords(job, context, entity, rows, result);
    else if (isOfKind(rows, 'LINKS')) await setLinks(job, context, entity, rows, result);
  };

  for (const item of items) {
    const content = isBroken(item) ? { problem: item.problem.message } : parseTenantLine(item.values);
    if ('problem' in content || (content.kind !== 'RECORD' && content.kind !== 'LINKS')) continue;
    const [first] = pending;
    if (first && (first.content.entity !== content.entity || first.content.kind !== content.kind))
      await flush();
    pending.push({ number: item.number, line: item.line, columns: noColumns, content });
  }
  await flush();
  return result;
}

/** Of `pending`, which holds one kind at a time. */
function isOfKind<Kind extends 'RECORD' | 'LINKS'>(
  rows: readonly Row<TenantLineOf<'RECORD' | 'LINKS'>>[],
  kind: Kind,
): rows is Row<TenantLineOf<Kind>>[] {
  return rows[0]?.content.kind === kind;
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

/** What is refused is tried once more without the relations and files that are to blame. */
async function createAll(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly Row<TenantLineOf<'RECORD'>>[],
  result: Result,
): Promise<void> {
  const nothing = withoutDefaults(entity);
  const inputOf = (row: Row<TenantLineOf<'RECORD'>>): Record<string, unknown> => ({
    ...nothing,
    ...toInput(job, entity, row.content.data),
  });
  await writeHalving(rows, {
    async write(some) {
      const origins = some.map(({ content }) => originOf(job, content));
      await job.tools.records.create(context, entity, some.map(inputOf), origins);
      result.created += some.length;
    },
    async refuse(row, error) {
      const errors = rowErrorsOf(error, row);
      result.errors.push(...errors);
      const rest = withoutLostRelations(entity, inputOf(row), errors);
      // Its other record came after the export had passed it, or was refused here: better without than not at all.
      if (rest) result.created += await createAlone(job, context, entity, rest, originOf(job, row.content));
    },
  });
}

/** A record that has no value has none here either, whatever new records get. */
function withoutDefaults(entity: EntityDefinition): Record<string, null> {
  const fields = entity.fields.filter((field) => hasDefault(field) && !field.isRequired);
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

/** The input without the relations and files that the errors are about; null where they are about more, or about required ones. */
function withoutLostRelations(
  entity: EntityDefinition,
  input: Readonly<Record<string, unknown>>,
  errors: readonly RowError[],
): Record<string, unknown> | null {
  const optional = new Set(
    entity.fields
      .filter(({ type, isRequired }) => (type === 'RELATION' || type === 'FILE') && !isRequired)
      .flatMap((field) => memberNames(field)),
  );
  const lost = new Set(errors.map((error) => error.field ?? ''));
  if (![...lost].every((member) => optional.has(member))) return null;
  // Of a relation to several entities either member may be to blame, and both go.
  const gone = new Set(
    entity.fields.flatMap((field) => {
      const members = memberNames(field);
      return members.some((member) => lost.has(member)) ? members : [];
    }),
  );
  return Object.fromEntries(Object.entries(input).filter(([member]) => !gone.has(member)));
}

async function setLinks(
  job: TenantBatchJob,
  context: StoreContext,
  entity: EntityDefinition,
  rows: readonly Row<TenantLineOf<'LINKS'>>[],
  result: Result,
): Promise<void> {
  await writeHalving(rows, {
    async write(some) {
      const updates = some.map(({ content }) => ({
        id: idHere(job, content.id),
        input: toInput(job, entity, content.data),
      }));
      await job.tools.records.updateMany(context, entity, updates);
      result.updated += some.length;
    },
    refuse(row, error) {
      result.errors.push(...rowErrorsOf(error, row));
    },
  });
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
    Object.entries(data).flatMap(([name, value]): [string, unknown][] => {
      const named = isUnionNamed(entity, name) ? readNamedRecord(value) : null;
      if (named)
        return [
          [relationTypeName(name), named.entity],
          [relationIdName(name), idHere(job, named.id)],
        ];
      if (findField(entity, name)?.type === 'FILE')
        return [[name, typeof value === 'string' ? idHere(job, value) : null]];
      const isRelation = findField(entity, name)?.type === 'RELATION';
      if (Array.isArray(value) && findField(entity, name)?.type === 'MULTI_RELATION') {
        return [[name, value.map((id) => (typeof id === 'string' ? idHere(job, id) : id))]];
      }
      return isRelation && typeof value === 'string'
        ? [[relationIdName(name), idHere(job, value)]]
        : [[name, value]];
    }),
  );
}

function isUnionNamed(entity: EntityDefinition, name: string): boolean {
  const field = findField(entity, name);
  return field !== undefined && isUnion(field);
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
