/** Deleting softly, with everything that depends on it, and taking it back. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, OnDelete } from '#subgraphs/model/definition.ts';
import { sqlText } from '#subgraphs/model/filter/sql-parameters.ts';
import { slotSql } from '#subgraphs/model/filter/sql-values.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { inversesOf, isManyToMany } from '#subgraphs/model/relations.ts';
import type { Inverse } from '#subgraphs/model/relations.ts';
import { writtenKeys } from '#subgraphs/model/unique-keys.ts';
import { wholeAccess } from '#subgraphs/model/permissions/access.ts';
import { isUnionView, storedTarget } from '#subgraphs/model/union-relations.ts';
import { deleteKeysOf, insertKeys, keysOf, takenError } from './record-keys.ts';
import { linkedIds } from './record-links.ts';
import { lockForDeletion, lockRecords, notFound, requireVersion } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { updateRecords } from './record-rows-writing.ts';
import { nextVersion } from './record-update.ts';
import { findMissingTargets } from './relation-targets.ts';
import type { RecordChange, WriteScope } from './write-scope.ts';

/** Records that one deletion may take along or change. */
const maxAffected = 10_000;

interface Affected {
  /** Records to delete, by id: those that were asked for first, then level by level. */
  readonly deleted: Map<string, EntityDefinition>;
  /** Records that lose a relation, by id. */
  readonly cleared: Map<string, { entity: EntityDefinition; fields: Set<FieldDefinition> }>;
}

/**
 * Deletes a record: those that point at it follow their relation's rule. RESTRICT is a CONFLICT, unless they are
 * deleted as well. A required relation cannot be cleared: SET_NULL on one is RESTRICT.
 */
export async function deleteRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  id: string,
  expectedVersion: number | null | undefined,
): Promise<RecordChange[]> {
  return deleteRecords(scope, entity, [id], (records) => {
    const root = records.get(id);
    if (!root) throw notFound(entity, id);
    requireVersion(root, expectedVersion);
  });
}

/**
 * Deletes several, as above. `check` is given the live ones among them once they are locked, and throws where one is
 * missing. The first changes are theirs, in the order of `ids`.
 */
export async function deleteRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
  check: (records: ReadonlyMap<string, StoredRecord>) => void,
): Promise<RecordChange[]> {
  if (scope.access.of(entity).rowFilter !== null) {
    // Before anything else is told of them: who may not see a record learns nothing of what points at it.
    const seen = [...(await lockRecords(scope, entity, ids))];
    check(new Map(seen.filter(([, record]) => record.deletedAt === null)));
  }
  const { affected, records } = await lockAffected(scope, entity, ids, check);
  const changes: RecordChange[] = [];
  for (const recordId of affected.deleted.keys()) {
    const before = records.get(recordId) as StoredRecord;
    changes.push({
      operation: 'DELETED',
      before,
      after: nextVersion(scope, before, { deletedAt: scope.now }),
      changedFields: [],
    });
  }
  for (const [recordId, { fields }] of affected.cleared) {
    const before = records.get(recordId) as StoredRecord;
    const keys = [...fields].map((field) => field.key);
    const data = { ...before.data };
    for (const field of fields) {
      // Of many links only those at what is deleted go.
      const left = isManyToMany(field)
        ? linkedIds(before, field).filter((linked) => !affected.deleted.has(linked))
        : [];
      if (left.length > 0) data[field.key] = left;
      else delete data[field.key];
    }
    changes.push({
      operation: 'UPDATED',
      before,
      after: nextVersion(scope, before, { data }),
      changedFields: keys,
    });
  }
  for (const [entityId, ofEntity] of Map.groupBy(changes, (change) => change.after.entityId)) {
    const current = scope.model.entityById.get(entityId) as EntityDefinition;
    const after = ofEntity.map((change) => change.after);
    const gone = after.filter((record) => record.deletedAt !== null).map((record) => record.id);
    const cleared = ofEntity.filter((change) => change.operation === 'UPDATED');
    const written = [updateRecords(scope, current, after)];
    if (gone.length > 0) written.push(deleteKeysOf(scope, entityId, gone));
    if (
      cleared.some((change) =>
        writtenKeys(current)
          .flatMap((key) => key.fields)
          .some((field) => change.changedFields.includes(field.key)),
      )
    ) {
      written.push(
        rewriteKeys(
          scope,
          current,
          cleared.map((change) => change.after),
        ),
      );
    }
    await Promise.all(written);
  }
  return changes;
}

/** Finds what a deletion affects and locks it, until looking again finds nothing new. */
async function lockAffected(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
  check: (records: ReadonlyMap<string, StoredRecord>) => void,
): Promise<{ affected: Affected; records: Map<string, StoredRecord> }> {
  const records = new Map<string, StoredRecord>();
  for (;;) {
    const affected = await findAffected(scope, entity, ids);
    const wanted = [
      ...[...affected.deleted].map(([recordId, owner]) => ({ id: recordId, entityId: owner.id })),
      ...[...affected.cleared].map(([recordId, { entity: owner }]) => ({ id: recordId, entityId: owner.id })),
    ].filter((record) => !records.has(record.id));
    if (wanted.length === 0) return { affected, records };
    const locked = await lockForDeletion(scope, wanted);
    for (const record of locked) records.set(record.id, record);
    check(records);
  }
}

async function findAffected(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<Affected> {
  const affected: Affected = { deleted: new Map(ids.map((id) => [id, entity])), cleared: new Map() };
  const restricted = new Map<string, Inverse>();
  let level = new Map([[entity.id, [...ids]]]);
  while (level.size > 0) {
    const next = new Map<string, string[]>();
    for (const { child, inverse } of await findChildren(scope, level)) {
      const rule = ruleOf(inverse.field);
      if (rule === 'RESTRICT') restricted.set(child, inverse);
      if (rule === 'SET_NULL') {
        const cleared = affected.cleared.get(child) ?? { entity: inverse.entity, fields: new Set() };
        affected.cleared.set(child, { ...cleared, fields: cleared.fields.add(inverse.field) });
      }
      if (rule === 'CASCADE' && !affected.deleted.has(child)) {
        affected.deleted.set(child, inverse.entity);
        next.set(inverse.entity.id, [...(next.get(inverse.entity.id) ?? []), child]);
      }
      if (affected.deleted.size + affected.cleared.size > maxAffected) {
        throw new DomainError(
          'CONFLICT',
          `More than ${maxAffected} records depend on this one: delete some of them first`,
        );
      }
    }
    level = next;
  }
  for (const [child, inverse] of restricted) {
    if (affected.deleted.has(child)) continue;
    const message = `${typeName(inverse.entity)} records point at this one with ${inverse.field.name}: change or delete them first`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: inverse.field.name, rule: 'onDelete', message }],
      details: {
        entity: inverse.entity.name,
        // Which one is for those who may see all of them.
        ...(scope.access.of(inverse.entity).isRestricted ? {} : { recordId: child }),
      },
    });
  }
  for (const child of affected.deleted.keys()) affected.cleared.delete(child);
  return affected;
}

function ruleOf(field: FieldDefinition): OnDelete {
  const rule = field.onDelete ?? 'SET_NULL';
  return rule === 'SET_NULL' && field.isRequired ? 'RESTRICT' : rule;
}

/** Live records that point at any of these (ids by entity). One statement for all relations. */
async function findChildren(
  scope: WriteScope,
  parents: ReadonlyMap<string, readonly string[]>,
): Promise<{ child: string; inverse: Inverse }[]> {
  const values: unknown[] = [scope.tenantId];
  const branches: Inverse[] = [];
  const parts: string[] = [];
  for (const [entityId, ids] of parents) {
    const inverses = inversesOf(scope.model, scope.model.entityById.get(entityId) as EntityDefinition);
    if (inverses.length === 0) continue;
    const place = values.push(ids);
    for (const inverse of inverses) {
      if (isManyToMany(inverse.field)) {
        const branch = branches.push(inverse) - 1;
        const [owner, field] = [values.push(inverse.entity.id), values.push(inverse.field.id)];
        parts.push(
          `select ${branch} as branch, x.id from record_links l join records x on x.tenant_id = l.tenant_id and x.entity_id = $${owner}::uuid and x.id = l.owner_id where l.tenant_id = $1::uuid and l.field_id = $${field}::uuid and l.target_id = any($${place}::uuid[]) and x.deleted_at is null`,
        );
        continue;
      }
      const slot = slotSql({ alias: 'x', entity: inverse.entity }, inverse.field);
      const isView = isUnionView(inverse.field);
      const stored = isView ? values.push(ids.map((id) => storedTarget(inverse.field, id))) : place;
      const links = slot ? [`${slot} = any($${place}::uuid[])`] : [];
      if (!slot || isView)
        links.push(
          `x.data ->> ${sqlText(inverse.field.key)} = any($${stored}::${isView ? '' : 'uuid[]::'}text[])`,
        );
      const link = links.join(' and ');
      const branch = branches.push(inverse) - 1;
      parts.push(
        `select ${branch} as branch, x.id from records x where x.tenant_id = $1::uuid and x.entity_id = $${values.push(inverse.entity.id)}::uuid and ${link} and x.deleted_at is null`,
      );
    }
  }
  if (parts.length === 0) return [];
  const text = `select * from (${parts.join(' union all ')}) c limit ${maxAffected + 1}`;
  const rows = await scope.tx.query<{ branch: number; id: string }>({ text, values });
  return rows.map((row) => ({ child: row.id, inverse: branches[row.branch] as Inverse }));
}

async function rewriteKeys(
  scope: WriteScope,
  entity: EntityDefinition,
  records: readonly StoredRecord[],
): Promise<void> {
  await deleteKeysOf(
    scope,
    entity.id,
    records.map((record) => record.id),
  );
  await insertKeys(
    scope,
    records.flatMap((record) => keysOf(entity, record)),
  );
}

/**
 * Takes a deletion back. What it took along stays deleted, and relations that it cleared stay cleared. CONFLICT where
 * a unique value is taken by now, or a record that it points at is deleted.
 */
export async function restoreRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  record: StoredRecord,
): Promise<RecordChange> {
  const missing = await findMissingTargets({ ...scope, access: wholeAccess }, entity, [
    { data: record.data, path: undefined },
  ]);
  if (missing.length > 0) {
    throw new DomainError('CONFLICT', missing.map((field) => field.message).join('; '), { fields: missing });
  }
  const after = nextVersion(scope, record, { deletedAt: null });
  const [taken] = await Promise.all([
    insertKeys(scope, keysOf(entity, after)),
    updateRecords(scope, entity, [after]),
  ]);
  if (taken.length > 0) throw takenError(taken, () => undefined);
  return { operation: 'RESTORED', before: record, after, changedFields: [] };
}
