/** Removing deleted records for good: the row, its keys, its links and its history. What the log still has of them goes with its retention. */
import { DomainError, invalidField } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { canonicalIds } from './record-batches.ts';
import { maxBatch, requireBatch } from './record-creation.ts';
import { letGoOfRecords } from './record-files.ts';
import { deleteKeysOf } from './record-keys.ts';
import { deleteLinksOf } from './record-links.ts';
import { lockRecords, notFound } from './record-locks.ts';
import type { PurgeRequest } from './record-store.ts';
import { visibleSql } from './store-access.ts';
import type { WriteScope, Written } from './write-scope.ts';

// What another transaction is restoring or purging at this moment is left to it.
const oldText = (visible: string): string =>
  `select x.id from records x where x.tenant_id = $1::uuid and x.entity_id = $2::uuid and x.deleted_at < $3::timestamptz${visible}
  order by x.deleted_at limit ${maxBatch} for update of x skip locked`;
const purgeText = `with history as (
    delete from record_history where tenant_id = $1::uuid and entity_id = $2::uuid and record_id = any($3::uuid[])
  ), purged as (
    insert into purged_records (tenant_id, entity_id, record_id) select $1::uuid, $2::uuid, unnest($3::uuid[]) on conflict do nothing
  )
  delete from records where tenant_id = $1::uuid and entity_id = $2::uuid and id = any($3::uuid[]) and deleted_at is not null`;

/**
 * Purges the deleted records of `ids`, or up to 1,000 of those that were deleted longest ago, before a time. Returns how
 * many. A record that is not deleted is a CONFLICT. No live record points at a deleted one, so none loses its target; a
 * deleted one that does cannot be restored with it.
 */
export async function purgeRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  request: PurgeRequest,
): Promise<Written<number>> {
  scope.access.of(entity).assertAllows('PURGE');
  const ids = await findDeleted(scope, entity, request);
  if (ids.length > 0) {
    await Promise.all([
      deleteKeysOf(scope, entity.id, ids),
      deleteLinksOf(scope, entity, ids),
      letGoOfRecords(scope, entity, ids),
      scope.tx.query({ text: purgeText, values: [scope.tenantId, entity.id, ids] }),
    ]);
  }
  return { result: ids.length, changes: [] };
}

async function findDeleted(
  scope: WriteScope,
  entity: EntityDefinition,
  { ids, deletedBefore }: PurgeRequest,
): Promise<string[]> {
  const hasIds = ids !== null && ids !== undefined;
  const hasTime = deletedBefore !== null && deletedBefore !== undefined;
  if (hasIds === hasTime)
    throw invalidField('ids', 'exclusive', 'give either ids or deletedBefore: what to purge must be said');
  if (hasTime) {
    const parameters = createSqlParameters();
    parameters.add(scope.tenantId, 'uuid');
    parameters.add(entity.id, 'uuid');
    parameters.add(readTime(deletedBefore), 'timestamptz');
    const visible = visibleSql(scope.access, { alias: 'x', entity }, scope.tenantId, parameters);
    const rows = await scope.tx.query<{ id: string }>({ text: oldText(visible), values: parameters.values });
    return rows.map((row) => row.id);
  }
  const wanted = ids ?? [];
  requireBatch('ids', wanted);
  const known = canonicalIds(wanted, (index) => `ids.${index}`);
  const records = await lockRecords(scope, entity, known);
  for (const [index, id] of wanted.entries()) {
    const record = records.get(known[index] as string);
    const path = `ids.${index}`;
    if (!record) throw notFound(entity, id, path);
    if (record.deletedAt === null) {
      const message = `${path}: this ${typeName(entity)} is not deleted: only deleted records can be purged`;
      throw new DomainError('CONFLICT', message, { fields: [{ field: path, rule: 'deleted', message }] });
    }
  }
  return known;
}

function readTime(value: Date | string): Date {
  const time = new Date(value);
  if (Number.isNaN(time.getTime()))
    throw invalidField('deletedBefore', 'datetime', 'deletedBefore must be a point in time');
  return time;
}
