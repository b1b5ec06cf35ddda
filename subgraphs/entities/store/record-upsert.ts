/** Create, or update the record that has the same value: right also when many do it at once. */
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName, typeName } from '#subgraphs/model/names.ts';
import { findField, findRelationByIdName } from '#subgraphs/model/relations.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
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

/** `uniqueField` is the field's name (a relation's with or without `Id`). An update changes only what the input gives. */
export async function upsertRecord(
  scope: WriteScope,
  entity: EntityDefinition,
  uniqueField: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Written<StoredRecord>> {
  const field = findField(entity, uniqueField) ?? findRelationByIdName(entity, uniqueField);
  if (!field?.isUnique)
    throw invalidField('on', 'unique', `${uniqueField} is no unique field of ${typeName(entity)}`);
  const given = validateInput(entity, input, { partial: true });
  const value = given[field.key] ?? null;
  if (value === null) {
    const name = field.type === 'RELATION' ? relationIdName(field.name) : field.name;
    throw invalidField(name, 'required', `${name} is required: the record is found by it`);
  }
  const hash = uniqueHash(field, value);
  const [owner] = await scope.tx.query<{ recordId: string }>(
    nameStatement(ownerText, [scope.tenantId, entity.id, field.id, hash]),
  );
  if (owner) {
    const record = await lockRecord(scope, entity, owner.recordId);
    const stored = record?.deletedAt === null ? (record.data[field.key] ?? null) : null;
    // While this one waited for the lock, another took the value away from the record.
    if (!record || stored === null || uniqueHash(field, stored) !== hash) throw new TryAgain();
    return toWritten(record, await updateRecord(scope, entity, record, given));
  }
  const { changes, taken } = await createRecords(scope, entity, [input]);
  // Another one created it since: now it is there to be updated.
  if (taken.some((key) => key.field === field)) throw new TryAgain();
  if (taken.length > 0) throw takenError(taken, () => undefined);
  return { result: changes[0]?.after as StoredRecord, changes };
}
