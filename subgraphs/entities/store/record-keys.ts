/** Uniqueness: rows of `record_keys`, one for each unique field of each live record that has a value. */
import { DomainError } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import { storedFields } from '#subgraphs/model/activation.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { nameStatement } from './named-statement.ts';
import type { StoredRecord } from './record-store.ts';
import type { WriteScope } from './write-transaction.ts';

export interface RecordKey {
  readonly entityId: string;
  readonly field: FieldDefinition;
  readonly hash: string;
  readonly recordId: string;
}

/** The keys that the record has. */
export function keysOf(entity: EntityDefinition, record: Pick<StoredRecord, 'id' | 'data'>): RecordKey[] {
  return storedFields(entity).flatMap((field) => {
    const value = field.isUnique || field.isPendingUnique ? (record.data[field.key] ?? null) : null;
    if (value === null) return [];
    return [{ entityId: entity.id, field, hash: uniqueHash(field, value), recordId: record.id }];
  });
}

// Sorted, so that two batches meet each other's keys in the same order and one of them waits. A key that another
// transaction has inserted and not yet committed is waited for.
const insertText = `insert into record_keys (tenant_id, entity_id, key_id, hash, record_id)
  select $1::uuid, u.e, u.k, decode(u.h, 'hex'), u.r from unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) as u (e, k, h, r)
  order by 2, 3, 4 on conflict do nothing returning key_id as "keyId", encode(hash, 'hex') as hash`;

/** Inserts keys and returns those that are taken, also among themselves. */
export async function insertKeys(scope: WriteScope, keys: readonly RecordKey[]): Promise<RecordKey[]> {
  if (keys.length === 0) return [];
  const rows = await scope.tx.query<{ keyId: string; hash: string }>(
    nameStatement(insertText, keyValues(scope, keys)),
  );
  const inserted = new Set(rows.map((row) => row.keyId + row.hash));
  // Of equal keys in one batch the first is the good one.
  return keys.filter((key) => !inserted.delete(key.field.id + key.hash));
}

/** Removes a record's keys of some unique fields. */
export async function deleteKeys(
  scope: WriteScope,
  record: StoredRecord,
  fieldIds: readonly string[],
): Promise<void> {
  if (fieldIds.length === 0) return;
  const text =
    'delete from record_keys where tenant_id = $1::uuid and entity_id = $2::uuid and record_id = $3::uuid and key_id = any($4::uuid[])';
  await scope.tx.query(nameStatement(text, [scope.tenantId, record.entityId, record.id, fieldIds]));
}

/** Removes every key of records, whatever they are. */
export async function deleteKeysOf(
  scope: WriteScope,
  entityId: string,
  recordIds: readonly string[],
): Promise<void> {
  const text = 'delete from record_keys where tenant_id = $1::uuid and entity_id = $2::uuid and record_id =';
  await scope.tx.query(
    recordIds.length === 1
      ? nameStatement(`${text} $3::uuid`, [scope.tenantId, entityId, recordIds[0]])
      : { text: `${text} any($3::uuid[])`, values: [scope.tenantId, entityId, recordIds] },
  );
}

/** The CONFLICT that names each taken field; `pathOf` gives a record's place in a batch ("inputs.3"), or undefined. */
export function takenError(
  taken: readonly RecordKey[],
  pathOf: (recordId: string) => string | undefined,
): DomainError {
  const fields = taken.slice(0, 100).map(({ field, recordId }): FieldError => {
    const name = field.type === 'RELATION' ? relationIdName(field.name) : field.name;
    const prefix = pathOf(recordId);
    const path = prefix === undefined ? name : `${prefix}.${name}`;
    return { field: path, rule: 'unique', message: `${path} is already taken` };
  });
  return new DomainError('CONFLICT', fields.map((field) => field.message).join('; '), { fields });
}

function keyValues(scope: WriteScope, keys: readonly RecordKey[]): unknown[] {
  return [
    scope.tenantId,
    keys.map((key) => key.entityId),
    keys.map((key) => key.field.id),
    keys.map((key) => key.hash),
    keys.map((key) => key.recordId),
  ];
}
