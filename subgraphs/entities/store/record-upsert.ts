/** Create, or update the record that has the same value: right also when many do it at once. */
import { invalidField, invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import { findUniqueKey, keyHash, memberName, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import { validateInput } from '#subgraphs/model/values/input.ts';
import { nameStatement } from './named-statement.ts';
import { createRecords } from './record-creation.ts';
import { takenError } from './record-keys.ts';
import { lockRecord } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { toWritten, updateRecord } from './record-update.ts';
import { findVisible } from './visible-records.ts';
import { assertMayWrite } from './write-permissions.ts';
import { TryAgain } from './write-scope.ts';
import type { WriteScope, Written } from './write-scope.ts';

const ownerText = `select record_id as "recordId" from record_keys where tenant_id = $1::uuid and entity_id = $2::uuid and key_id = $3::uuid and hash = decode($4, 'hex')`;

/** Throws BAD_USER_INPUT where the entity has no such key. */
export function getUniqueKey(entity: EntityDefinition, name: string): UniqueKey {
  const key = findUniqueKey(entity, name);
  if (key) return key;
  throw invalidField('on', 'unique', `${name} is no unique field or group of ${typeName(entity)}`);
}

/** Members of the key that have no value: by them the record cannot be found. */
export function missingMembers(
  key: UniqueKey,
  data: Readonly<Record<string, unknown>>,
  path?: string,
): FieldError[] {
  const without = key.fields.filter((field) => (data[field.key] ?? null) === null);
  return without.map((field) => {
    const at = path === undefined ? memberName(field) : `${path}.${memberName(field)}`;
    return { field: at, rule: 'required', message: `${at} is required: the record is found by it` };
  });
}

/** What has the values of a key and is hidden from the caller: to the caller they are taken, and no more is told. */
export async function refuseHiddenOwners(
  scope: WriteScope,
  entity: EntityDefinition,
  key: UniqueKey,
  owners: readonly { readonly hash: string; readonly recordId: string; readonly path: string | undefined }[],
): Promise<void> {
  const visible = await findVisible(
    scope,
    entity,
    owners.map(({ recordId }) => recordId),
  );
  const hidden = owners.filter(({ recordId }) => !visible.has(recordId));
  if (hidden.length === 0) return;
  const paths = new Map(hidden.map(({ recordId, path }) => [recordId, path]));
  throw takenError(
    hidden.map(({ hash, recordId }) => ({ entityId: entity.id, key, hash, recordId })),
    (recordId) => paths.get(recordId),
  );
}

/**
 * `unique` is the name of a unique field (a relation's with or without `Id`) or of a group. An update changes only what
 * the input gives.
 */
export async function upsertRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  unique: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Written<StoredRecord>> {
  const key = getUniqueKey(entity, unique);
  for (const field of key.fields) scope.access.of(entity).assertReadable(field);
  const given = validateInput(entity, input, { partial: true });
  const hash = keyHash(key, given);
  if (hash === null) throw invalidInput(missingMembers(key, given));
  const [owner] = await scope.tx.query<{ recordId: string }>(
    nameStatement(ownerText, [scope.tenantId, entity.id, key.id, hash]),
  );
  if (owner) {
    assertMayWrite(scope, entity, 'UPDATE', [{ input }]);
    await refuseHiddenOwners(scope, entity, key, [{ hash, recordId: owner.recordId, path: undefined }]);
    const record = await lockRecord(scope, entity, owner.recordId);
    // While this one waited for the lock, another took the values away from the record.
    if (record?.deletedAt !== null || keyHash(key, record.data) !== hash) throw new TryAgain();
    return toWritten(record, await updateRecord(scope, entity, record, given));
  }
  const { changes, taken } = await createRecords(scope, entity, [input]);
  // Another one created it since: now it is there to be updated.
  if (taken.some((one) => one.key.id === key.id)) throw new TryAgain();
  if (taken.length > 0) throw takenError(taken, () => undefined);
  return { result: changes[0]?.after as StoredRecord, changes };
}
