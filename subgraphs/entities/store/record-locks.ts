/** Records locked for a change, in id order: two transactions that want the same ones wait for each other in turn. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { nameStatement } from './named-statement.ts';
import { recordColumns, toRecord } from './record-row.ts';
import type { RecordRow } from './record-row.ts';
import type { StoredRecord } from './record-store.ts';
import { findVisible } from './visible-records.ts';
import type { WriteScope } from './write-scope.ts';

/** One record, deleted or not, locked against other changes but not against relations at it; null where it is unknown, or hidden from the caller. */
export async function lockRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  id: string,
): Promise<StoredRecord | null> {
  const known = readId(id);
  if (known === null) return null;
  const text = `select ${recordColumns('x')} from records x where x.tenant_id = $1::uuid and x.entity_id = $2::uuid and x.id = $3::uuid for no key update`;
  const [row] = await scope.tx.query<RecordRow>(nameStatement(text, [scope.tenantId, entity.id, known]));
  if (!row || !(await findVisible(scope, entity, [known])).has(known)) return null;
  return toRecord(entity.id, row);
}

/** As `lockRecord`, for many of one entity: by id, those that are unknown or hidden left out. One statement, and one where rows are filtered. */
export async function lockRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<Map<string, StoredRecord>> {
  const text = `select t.* from (select * from unnest($3::uuid[]) as u (i) order by i) u
    cross join lateral (select ${recordColumns('x')} from records x where x.tenant_id = $1::uuid and x.entity_id = $2::uuid
      and x.id = u.i limit 1 for no key update) t`;
  const known = ids.flatMap((id) => readId(id) ?? []);
  if (known.length === 0) return new Map();
  const rows = await scope.tx.query<RecordRow>(nameStatement(text, [scope.tenantId, entity.id, known]));
  const visible = await findVisible(
    scope,
    entity,
    rows.map((row) => row.id),
  );
  return new Map(rows.flatMap((row) => (visible.has(row.id) ? [[row.id, toRecord(entity.id, row)]] : [])));
}

/** Live records of any entities, locked so that no new relation can point at them. */
export async function lockForDeletion(
  scope: WriteScope,
  wanted: readonly { readonly entityId: string; readonly id: string }[],
): Promise<StoredRecord[]> {
  const text = `select u.e as "entityId", t.* from (select * from unnest($2::uuid[], $3::uuid[]) as u (e, i) order by i) u
    cross join lateral (select ${recordColumns('x')} from records x where x.tenant_id = $1::uuid and x.entity_id = u.e
      and x.id = u.i and x.deleted_at is null limit 1 for update) t`;
  const values = [scope.tenantId, wanted.map((record) => record.entityId), wanted.map((record) => record.id)];
  const rows = await scope.tx.query<RecordRow & { entityId: string }>(nameStatement(text, values));
  return rows.map((row) => toRecord(row.entityId, row));
}

/**
 * NOT_FOUND, in the same words whether the record never was, was deleted, or is another tenant's. `path` is the id's
 * place in a batch.
 */
export function notFound(entity: EntityDefinition, id: string, path?: string): DomainError {
  const message = `There is no ${typeName(entity)} with the id ${id.slice(0, 40).toWellFormed()}`;
  return new DomainError(
    'NOT_FOUND',
    message,
    path === undefined ? {} : { fields: [{ field: path, rule: 'exists', message: `${path}: ${message}` }] },
  );
}

/** Throws VERSION_CONFLICT, with the current version, where another one was expected. `path`: its place in a batch. */
export function requireVersion(
  record: StoredRecord,
  expectedVersion: number | null | undefined,
  path?: string,
): void {
  if (expectedVersion === null || expectedVersion === undefined || expectedVersion === record.version) return;
  const message = `The record is at version ${record.version}, not ${expectedVersion}: somebody changed it`;
  throw new DomainError('VERSION_CONFLICT', message, {
    details: { currentVersion: record.version },
    ...(path === undefined
      ? {}
      : { fields: [{ field: path, rule: 'version', message: `${path}: ${message}` }] }),
  });
}
