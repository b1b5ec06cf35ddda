/** Many upserts at once: those that are there are updated, the others created, in one transaction. */
import { invalidField } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName, typeName } from '#subgraphs/model/names.ts';
import { findField, findRelationByIdName } from '#subgraphs/model/relations.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { checkInput } from '#subgraphs/model/values/input.ts';
import { applyUpdates, refuse } from './record-batches.ts';
import type { PreparedUpdate } from './record-batches.ts';
import { createRecords, requireBatch } from './record-creation.ts';
import { takenError } from './record-keys.ts';
import { lockRecords } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { TryAgain } from './write-transaction.ts';
import type { WriteScope, Written } from './write-transaction.ts';

// Planned each time, for how many there are, and one scan at worst: a look-up of each by itself walked the entity's keys
// a thousand times where the table was not analysed yet (19 s), and a hash decoded in a condition is not leakproof.
const ownersText = `select encode(k.hash, 'hex') as hash, k.record_id as "recordId" from record_keys k where k.tenant_id = $1::uuid
  and k.entity_id = $2::uuid and k.key_id = $3::uuid and k.hash = any($4::bytea[])`;

/** As `upsertRecord`, for each input; two of them may not name the same value. The answer is in the order of `inputs`. */
export async function upsertBatch(
  scope: WriteScope,
  entity: EntityDefinition,
  uniqueField: string,
  inputs: readonly Readonly<Record<string, unknown>>[],
): Promise<Written<StoredRecord[]>> {
  requireBatch('inputs', inputs);
  const field = findField(entity, uniqueField) ?? findRelationByIdName(entity, uniqueField);
  if (!field?.isUnique)
    throw invalidField('on', 'unique', `${uniqueField} is no unique field of ${typeName(entity)}`);
  const name = field.type === 'RELATION' ? relationIdName(field.name) : field.name;

  const places = new Map<string, number>();
  const errors: FieldError[] = [];
  const items = inputs.map((input, index) => {
    const path = `inputs.${index}`;
    const { data, errors: broken } = checkInput(entity, input, { partial: true, path });
    errors.push(...broken);
    const value = data[field.key] ?? null;
    const hash = value === null ? '' : uniqueHash(field, value);
    const first = places.get(hash);
    const at = `${path}.${name}`;
    if (value === null) {
      if (!broken.some((error) => error.field === at)) {
        errors.push({ field: at, rule: 'required', message: `${at} is required: the record is found by it` });
      }
    } else if (first !== undefined) {
      const message = `${at} is the same as inputs.${first}.${name}: give it once`;
      errors.push({ field: at, rule: 'duplicate', message });
    } else places.set(hash, index);
    return { input, data, hash, path };
  });
  refuse(errors);

  const owners = await findOwners(scope, entity, field.id, [...places.keys()]);
  const records = await lockRecords(scope, entity, [...owners.values()]);
  const updates: PreparedUpdate[] = [];
  const created: typeof items = [];
  for (const item of items) {
    const owner = owners.get(item.hash);
    if (owner === undefined) {
      created.push(item);
      continue;
    }
    const record = records.get(owner);
    const stored = record?.deletedAt === null ? (record.data[field.key] ?? null) : null;
    // While this one waited for the lock, another took the value away from the record.
    if (!record || stored === null || uniqueHash(field, stored) !== item.hash) throw new TryAgain();
    updates.push({ record, data: item.data, path: item.path });
  }

  const changes = await applyUpdates(scope, entity, updates);
  const answers = new Map(updates.map(({ record, path }) => [path, record.id]));
  if (created.length > 0) {
    const paths = created.map((item) => item.path);
    const creation = await createRecords(
      scope,
      entity,
      created.map((item) => item.input),
      [],
      paths,
    );
    // Another one created it since: now it is there to be updated.
    if (creation.taken.some((key) => key.field === field)) throw new TryAgain();
    if (creation.taken.length > 0) throw takenError(creation.taken, creation.pathOf);
    for (const [index, { after }] of creation.changes.entries()) answers.set(paths[index] ?? '', after.id);
    changes.push(...creation.changes);
  }
  const byId = new Map(updates.map(({ record }) => [record.id, record]));
  for (const { after } of changes) byId.set(after.id, after);
  return { result: items.map(({ path }) => byId.get(answers.get(path) as string) as StoredRecord), changes };
}

/** Which record has each value now, by hash. One statement. */
export async function findOwners(
  scope: WriteScope,
  entity: EntityDefinition,
  fieldId: string,
  hashes: readonly string[],
): Promise<Map<string, string>> {
  if (hashes.length === 0) return new Map();
  const rows = await scope.tx.query<{ hash: string; recordId: string }>({
    text: ownersText,
    values: [scope.tenantId, entity.id, fieldId, hashes.map((hash) => Buffer.from(hash, 'hex'))],
  });
  return new Map(rows.map((row) => [row.hash, row.recordId]));
}
