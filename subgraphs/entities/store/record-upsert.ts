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
import { TryAgain } from './write-transaction.ts';
import type { WriteScope, Written } from './write-transaction.ts';

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
  const given = validateInput(entity, input, { partial: true });
  const hash = keyHash(key, given);
  if (hash === null) throw invalidInput(missingMembers(key, given));
  const [owner] = await scope.tx.query<{ recordId: string }>(
    nameStatement(ownerText, [scope.tenantId, entity.id, key.id, hash]),
  );
  if (owner) {
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
