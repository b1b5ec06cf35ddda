/** Many upserts at once: those that are there are updated, the others created, in one transaction. */
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { keyHash, memberName } from '#subgraphs/model/unique-keys.ts';
import { checkInput } from '#subgraphs/model/values/input.ts';
import { applyUpdates, refuse } from './record-batches.ts';
import type { PreparedUpdate } from './record-batches.ts';
import { createRecords, requireBatch } from './record-creation.ts';
import { takenError } from './record-keys.ts';
import { lockRecords } from './record-locks.ts';
import type { StoredRecord } from './record-store.ts';
import { takeCounters } from './write-counters.ts';
import { getUniqueKey, missingMembers, refuseHiddenOwners } from './record-upsert.ts';
import { assertMayWrite } from './write-permissions.ts';
import { TryAgain } from './write-scope.ts';
import type { WriteScope, Written } from './write-scope.ts';

// Planned each time, for how many there are, and one scan at worst: a look-up of each by itself walked the entity's keys
// a thousand times where the table was not analysed yet (19 s), and a hash decoded in a condition is not leakproof.
const ownersText = `select encode(k.hash, 'hex') as hash, k.record_id as "recordId" from record_keys k where k.tenant_id = $1::uuid
  and k.entity_id = $2::uuid and k.key_id = $3::uuid and k.hash = any($4::bytea[])`;

/** As `upsertRecord`, for each input; two of them may not name the same value. The answer is in the order of `inputs`. */
export async function upsertBatch(
  scope: WriteScope,
  entity: EntityDefinition,
  unique: string,
  inputs: readonly Readonly<Record<string, unknown>>[],
): Promise<Written<StoredRecord[]>> {
  requireBatch('inputs', inputs);
  const key = getUniqueKey(entity, unique);
  for (const field of key.fields) scope.access.of(entity).assertReadable(field);
  const names = key.fields.map(memberName);

  const places = new Map<string, number>();
  const errors: FieldError[] = [];
  const items = inputs.map((input, index) => {
    const path = `inputs.${index}`;
    const { data, errors: broken } = checkInput(entity, input, { partial: true, path });
    errors.push(...broken);
    const hash = keyHash(key, data) ?? '';
    const first = places.get(hash);
    if (hash === '') {
      const missing = missingMembers(key, data, path);
      errors.push(...missing.filter(({ field }) => !broken.some((error) => error.field === field)));
    } else if (first !== undefined) {
      for (const name of names) {
        const at = `${path}.${name}`;
        const message = `${at} is the same as inputs.${first}.${name}: give it once`;
        errors.push({ field: at, rule: 'duplicate', message });
      }
    } else places.set(hash, index);
    return { input, data, hash, path };
  });
  refuse(errors);

  const owners = await findOwners(scope, entity, key.id, [...places.keys()]);
  const owned = items.flatMap(({ input, hash, path }) => {
    const recordId = owners.get(hash);
    return recordId === undefined ? [] : [{ input, hash, path, recordId }];
  });
  if (owned.length > 0) assertMayWrite(scope, entity, 'UPDATE', owned);
  await refuseHiddenOwners(scope, entity, key, owned);
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
    // While this one waited for the lock, another took the values away from the record.
    if (record?.deletedAt !== null || keyHash(key, record.data) !== item.hash) throw new TryAgain();
    updates.push({ record, data: item.data, path: item.path });
  }

  // Before any key is written, also for those that are created below.
  const counters = await takeCounters(scope, [
    ...updates.map(({ data }) => ({ entity, isNew: false, data })),
    ...created.map(({ data }) => ({ entity, isNew: true, data })),
  ]);
  const inner = { ...scope, counters };
  const changes = await applyUpdates(inner, entity, updates);
  const answers = new Map(updates.map(({ record, path }) => [path, record.id]));
  if (created.length > 0) {
    const paths = created.map((item) => item.path);
    const creation = await createRecords(
      inner,
      entity,
      created.map((item) => item.input),
      [],
      paths,
    );
    // Another one created it since: now it is there to be updated.
    if (creation.taken.some((one) => one.key.id === key.id)) throw new TryAgain();
    if (creation.taken.length > 0) throw takenError(creation.taken, creation.pathOf);
    for (const [index, { after }] of creation.changes.entries()) answers.set(paths[index] ?? '', after.id);
    changes.push(...creation.changes);
  }
  const byId = new Map(updates.map(({ record }) => [record.id, record]));
  for (const { after } of changes) byId.set(after.id, after);
  return { result: items.map(({ path }) => byId.get(answers.get(path) as string) as StoredRecord), changes };
}

/** Which record has each key now, by hash. One statement. */
export async function findOwners(
  scope: WriteScope,
  entity: EntityDefinition,
  keyId: string,
  hashes: readonly string[],
): Promise<Map<string, string>> {
  if (hashes.length === 0) return new Map();
  const rows = await scope.tx.query<{ hash: string; recordId: string }>({
    text: ownersText,
    values: [scope.tenantId, entity.id, keyId, hashes.map((hash) => Buffer.from(hash, 'hex'))],
  });
  return new Map(rows.map((row) => [row.hash, row.recordId]));
}
