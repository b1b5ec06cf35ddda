/** Uniqueness: rows of `record_keys`, one for each unique field or group of each live record that has its values. */
import { DomainError } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { keyHash, memberName, type UniqueKey, writtenKeys } from '#subgraphs/model/unique-keys.ts';
import { nameStatement } from './named-statement.ts';
import type { StoredRecord } from './record-store.ts';
import type { WriteScope } from './write-scope.ts';

export interface RecordKey {
  readonly entityId: string;
  readonly key: UniqueKey;
  readonly hash: string;
  readonly recordId: string;
}

/** The keys that the record has. */
export function keysOf(entity: EntityDefinition, record: Pick<StoredRecord, 'id' | 'data'>): RecordKey[] {
  return writtenKeys(entity).flatMap((key) => {
    const hash = keyHash(key, record.data);
    return hash === null ? [] : [{ entityId: entity.id, key, hash, recordId: record.id }];
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
  return keys.filter(({ key, hash }) => !inserted.delete(key.id + hash));
}

/** Removes a record's keys of some unique fields or groups. */
export async function deleteKeys(
  scope: WriteScope,
  record: StoredRecord,
  keyIds: readonly string[],
): Promise<void> {
  if (keyIds.length === 0) return;
  const text =
    'delete from record_keys where tenant_id = $1::uuid and entity_id = $2::uuid and record_id = $3::uuid and key_id = any($4::uuid[])';
  await scope.tx.query(nameStatement(text, [scope.tenantId, record.entityId, record.id, keyIds]));
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

/** A CONFLICT over keys that other records have. */
export class KeysTaken extends DomainError {
  readonly taken: readonly RecordKey[];

  constructor(taken: readonly RecordKey[], messages: readonly string[], fields: FieldError[]) {
    const groups = [...new Set(taken.flatMap(({ key }) => (key.isGroup ? key.name : [])))];
    super('CONFLICT', messages.join('; '), {
      fields,
      ...(groups.length > 0 ? { details: { uniqueGroups: groups } } : {}),
    });
    this.taken = taken;
  }
}

/**
 * Names each field that is taken, of a group all members; `pathOf` gives a record's place in a batch ("inputs.3"), or
 * undefined.
 */
export function takenError(
  taken: readonly RecordKey[],
  pathOf: (recordId: string) => string | undefined,
): KeysTaken {
  const messages: string[] = [];
  const fields: FieldError[] = [];
  for (const { key, recordId } of taken.slice(0, 100)) {
    const prefix = pathOf(recordId);
    const paths = key.fields.map((field) =>
      prefix === undefined ? memberName(field) : `${prefix}.${memberName(field)}`,
    );
    const message = key.isGroup
      ? `${paths.join(' and ')} are already taken together (${key.name})`
      : `${paths.join()} is already taken`;
    messages.push(message);
    fields.push(...paths.map((field) => ({ field, rule: 'unique', message })));
  }
  return new KeysTaken(taken, messages, fields);
}

function keyValues(scope: WriteScope, keys: readonly RecordKey[]): unknown[] {
  return [
    scope.tenantId,
    keys.map((key) => key.entityId),
    keys.map(({ key }) => key.id),
    keys.map((key) => key.hash),
    keys.map((key) => key.recordId),
  ];
}
