/** Batches of changes, all or nothing: each takes the same few statements for one record as for a thousand. */
import { DomainError, invalidField, invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { wholeAccess } from '#subgraphs/model/permissions/access.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { checkInput, maxFieldErrors } from '#subgraphs/model/values/input.ts';
import type { InputData } from '#subgraphs/model/values/input.ts';
import { requireBatch, withoutNulls } from './record-creation.ts';
import { deleteRecords } from './record-deletion.ts';
import { attachFiles } from './record-files.ts';
import { insertKeys, keysOf, takenError } from './record-keys.ts';
import type { RecordKey } from './record-keys.ts';
import { lockRecords, notFound, requireVersion } from './record-locks.ts';
import { updateRecords } from './record-rows-writing.ts';
import type { RecordUpdate, StoredRecord } from './record-store.ts';
import { changedKeys, keysWithout, nextVersion } from './record-update.ts';
import { assertMayWrite } from './write-permissions.ts';
import { findMissingTargets, requireTargets } from './relation-targets.ts';
import { takeCounters } from './write-counters.ts';
import type { RecordChange, WriteScope, Written } from './write-scope.ts';

/** Values for a locked record, and its place in the batch. */
export interface PreparedUpdate {
  readonly record: StoredRecord;
  /** By key; null clears. */
  readonly data: InputData;
  readonly path: string | undefined;
}

/** Changes records, each at most once. The answer is in the order of `updates`. */
export async function updateBatch(
  scope: WriteScope,
  entity: EntityDefinition,
  updates: readonly RecordUpdate[],
): Promise<Written<StoredRecord[]>> {
  requireBatch('inputs', updates);
  assertMayWrite(
    scope,
    entity,
    'UPDATE',
    updates.map(({ input }, index) => ({ input, path: `inputs.${index}` })),
  );
  const checked = updates.map(({ input }, index) =>
    checkInput(entity, input, { partial: true, path: `inputs.${index}` }),
  );
  refuse(checked.flatMap((one) => one.errors));
  const ids = canonicalIds(
    updates.map((update) => update.id),
    (index) => `inputs.${index}.id`,
  );
  const records = await lockRecords(scope, entity, ids);
  const prepared = updates.map(({ id, expectedVersion }, index): PreparedUpdate => {
    const path = `inputs.${index}`;
    const record = records.get(ids[index] as string);
    if (!record || record.deletedAt) throw notFound(entity, id, `${path}.id`);
    requireVersion(record, expectedVersion, `${path}.expectedVersion`);
    return { record, data: checked[index]?.data ?? {}, path };
  });
  const changes = await applyUpdates(scope, entity, prepared);
  return answer(
    prepared.map(({ record }) => record),
    changes,
  );
}

/**
 * Writes what really differs. A unique value may go from one record of the batch to another: all old keys are removed
 * before the new ones are inserted. Throws CONFLICT, BAD_USER_INPUT.
 */
export async function applyUpdates(
  scope: WriteScope,
  entity: EntityDefinition,
  updates: readonly PreparedUpdate[],
): Promise<RecordChange[]> {
  const written = updates.flatMap(({ record, data, path }) => {
    const changed = changedKeys(entity, record, data);
    if (changed.length === 0) return [];
    const values = Object.fromEntries(changed.map((key) => [key, data[key]]));
    return { record, recordId: record.id, before: record.data, data: values, changed, path };
  });
  if (written.length === 0) return [];
  await requireTargets(scope, entity, written);
  await attachFiles(scope, entity, written);
  const changes = written.map(({ record, data, changed }): RecordChange => {
    const after = nextVersion(scope, record, { data: withoutNulls({ ...record.data, ...data }) });
    return { operation: 'UPDATED', before: record, after, changedFields: changed };
  });
  const paths = new Map(written.map(({ recordId, path }) => [recordId, path]));
  await takeCounters(
    scope,
    written.map(({ data }) => ({ entity, isNew: false, data })),
  );

  const keys = changes.map(({ before, after }) => {
    const [old, fresh] = [before === null ? [] : keysOf(entity, before), keysOf(entity, after)];
    return { gone: keysWithout(old, fresh), added: keysWithout(fresh, old) };
  });
  const [, taken] = await Promise.all([
    deleteTheseKeys(
      scope,
      entity,
      keys.flatMap((one) => one.gone),
    ),
    insertKeys(
      scope,
      keys.flatMap((one) => one.added),
    ),
    updateRecords(
      scope,
      entity,
      changes.map((change) => change.after),
    ),
  ]);
  if (taken.length > 0) throw takenError(taken, (recordId) => paths.get(recordId));
  return changes;
}

/** Deletes records softly, with what depends on them. The answer is in the order of `ids`. */
export async function deleteBatch(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<Written<StoredRecord[]>> {
  requireBatch('ids', ids);
  scope.access.of(entity).assertAllows('DELETE');
  const known = canonicalIds(ids, (index) => `ids.${index}`);
  requireAll(entity, ids, (index) => readId(known[index]) !== null);
  const changes = await deleteRecords(scope, entity, known, (records) =>
    requireAll(entity, ids, (index) => records.has(known[index] as string)),
  );
  return { result: changes.slice(0, ids.length).map((change) => change.after), changes };
}

/**
 * Takes deletions back; a record that is not deleted stays as it is. Records may point at each other. CONFLICT as for
 * one. The answer is in the order of `ids`.
 */
export async function restoreBatch(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<Written<StoredRecord[]>> {
  requireBatch('ids', ids);
  scope.access.of(entity).assertAllows('RESTORE');
  const known = canonicalIds(ids, (index) => `ids.${index}`);
  const records = await lockRecords(scope, entity, known);
  requireAll(entity, ids, (index) => records.has(known[index] as string));
  const wanted = known.map((id) => records.get(id) as StoredRecord);
  const changes = wanted
    .filter((record) => record.deletedAt !== null)
    .map((before): RecordChange => {
      const after = nextVersion(scope, before, { deletedAt: null });
      return { operation: 'RESTORED', before, after, changedFields: [] };
    });
  if (changes.length === 0) return { result: wanted, changes };

  const restored = changes.map((change) => change.after);
  const pathOf = (id: string): string => `ids.${known.indexOf(id)}`;
  // Written first: then the batch's own records are there to be pointed at.
  const [taken, , missing] = await Promise.all([
    insertKeys(
      scope,
      restored.flatMap((record) => keysOf(entity, record)),
    ),
    updateRecords(scope, entity, restored),
    findMissingTargets(
      { ...scope, access: wholeAccess },
      entity,
      restored.map(({ id, data }) => ({ data, path: pathOf(id) })),
    ),
  ]);
  if (missing.length > 0) {
    const fields = missing.slice(0, maxFieldErrors);
    throw new DomainError('CONFLICT', fields.map((field) => field.message).join('; '), { fields });
  }
  if (taken.length > 0) throw takenError(taken, pathOf);
  return answer(wanted, changes);
}

/** Removes keys of many records. One statement; hashes as bytea, since decoding in a condition would keep it from the index. */
async function deleteTheseKeys(
  scope: WriteScope,
  entity: EntityDefinition,
  keys: readonly RecordKey[],
): Promise<void> {
  if (keys.length === 0) return;
  const text = `delete from record_keys k using unnest($3::uuid[], $4::bytea[]) as u (k, h)
    where k.tenant_id = $1::uuid and k.entity_id = $2::uuid and k.key_id = u.k and k.hash = u.h`;
  const values = [
    scope.tenantId,
    entity.id,
    keys.map(({ key }) => key.id),
    keys.map((key) => Buffer.from(key.hash, 'hex')),
  ];
  await scope.tx.query({ text, values });
}

function answer(records: readonly StoredRecord[], changes: readonly RecordChange[]): Written<StoredRecord[]> {
  const changed = new Map(changes.map((change) => [change.after.id, change.after]));
  return { result: records.map((record) => changed.get(record.id) ?? record), changes };
}

/** Throws BAD_USER_INPUT that lists the broken rules (the first hundred), where there are any. */
export function refuse(errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidInput(errors.slice(0, maxFieldErrors));
}

/** BAD_USER_INPUT where two updates of a batch are of the same record. */
export function requireDifferentIds(updates: readonly RecordUpdate[]): void {
  canonicalIds(
    updates.map((update) => update.id),
    (index) => `inputs.${index}.id`,
  );
}

/** The ids as they are stored; text that is no id stays as it is, and is found nowhere. BAD_USER_INPUT where one comes twice. */
export function canonicalIds(ids: readonly string[], pathAt: (index: number) => string): string[] {
  const places = new Map<string, number>();
  return ids.map((id, index) => {
    const canonical = readId(id) ?? id;
    const first = places.get(canonical);
    if (first !== undefined) {
      const path = pathAt(index);
      throw invalidField(path, 'duplicate', `${path} is the same record as ${pathAt(first)}: give it once`);
    }
    places.set(canonical, index);
    return canonical;
  });
}

function requireAll(
  entity: EntityDefinition,
  ids: readonly string[],
  isThere: (index: number) => boolean,
): void {
  for (const [index, id] of ids.entries()) if (!isThere(index)) throw notFound(entity, id, `ids.${index}`);
}
