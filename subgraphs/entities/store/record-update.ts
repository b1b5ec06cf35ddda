/** Changing a record: only what really differs is written, and only that is in the event. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { isSameFile } from '#subgraphs/model/values/file.ts';
import type { InputData } from '#subgraphs/model/values/input.ts';
import { isSameJson } from '#subgraphs/model/values/json.ts';
import { withoutNulls } from './record-creation.ts';
import { attachFiles } from './record-files.ts';
import { deleteKeys, insertKeys, keysOf, takenError } from './record-keys.ts';
import type { RecordKey } from './record-keys.ts';
import type { StoredRecord } from './record-store.ts';
import { updateRecords } from './record-rows-writing.ts';
import { requireTargets } from './relation-targets.ts';
import { takeCounters } from './write-counters.ts';
import type { RecordChange, WriteScope, Written } from './write-scope.ts';

/** Applies values by key (null clears) to a locked record; null where that changes nothing. Throws CONFLICT. */
export async function updateRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  record: StoredRecord,
  data: InputData,
): Promise<RecordChange | null> {
  const changed = changedKeys(entity, record, data);
  if (changed.length === 0) return null;
  const changes = Object.fromEntries(changed.map((key) => [key, data[key]]));
  await requireTargets(scope, entity, [{ data: changes, path: undefined }]);
  await attachFiles(scope, entity, [
    { recordId: record.id, data: changes, before: record.data, path: undefined },
  ]);
  const after = nextVersion(scope, record, { data: withoutNulls({ ...record.data, ...changes }) });
  await takeCounters(scope, [{ entity, isNew: false, data: changes }]);

  const [oldKeys, newKeys] = [keysOf(entity, record), keysOf(entity, after)];
  const [, taken] = await Promise.all([
    deleteKeys(
      scope,
      record,
      keysWithout(oldKeys, newKeys).map(({ key }) => key.id),
    ),
    insertKeys(scope, keysWithout(newKeys, oldKeys)),
    updateRecords(scope, entity, [after]),
  ]);
  if (taken.length > 0) throw takenError(taken, () => undefined);
  return { operation: 'UPDATED', before: record, after, changedFields: changed };
}

/** Which of the values differ from the record's. */
export function changedKeys(
  entity: EntityDefinition,
  { data: stored }: Pick<StoredRecord, 'data'>,
  data: InputData,
): string[] {
  const isFile = (key: string): boolean =>
    entity.fields.some((field) => field.type === 'FILE' && field.key === key);
  return Object.keys(data).filter((key) => {
    const [value, before] = [data[key] ?? null, stored[key] ?? null];
    if (isSameJson(value, before)) return false;
    return !(isSameFile(value, before) && isFile(key));
  });
}

/** Keys of `keys` that are not among `others`: of the same field or group, and the same values. */
export function keysWithout(keys: readonly RecordKey[], others: readonly RecordKey[]): RecordKey[] {
  return keys.filter(
    ({ key, hash }) => !others.some((other) => other.key.id === key.id && other.hash === hash),
  );
}

/** The record one version on. Its time of change never goes back, whatever the clocks of several servers say. */
export function nextVersion(
  scope: WriteScope,
  record: StoredRecord,
  change: Partial<Pick<StoredRecord, 'data' | 'deletedAt'>>,
): StoredRecord {
  const updatedAt = scope.now > record.updatedAt ? scope.now : record.updatedAt;
  return { ...record, ...change, version: record.version + 1, updatedAt };
}

/** What a write of one record comes to: the record as it is now, and its change where there was one. */
export function toWritten(record: StoredRecord, change: RecordChange | null): Written<StoredRecord> {
  return change === null ? { result: record, changes: [] } : { result: change.after, changes: [change] };
}
