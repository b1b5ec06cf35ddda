/** Upserts whose inputs also write records along relations. */
import { invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName } from '#subgraphs/model/names.ts';
import { keyHash, memberName } from '#subgraphs/model/unique-keys.ts';
import { checkInput } from '#subgraphs/model/values/input.ts';
import { writeNested } from './nested-writes.ts';
import type { NestedWrite } from './nested-writes.ts';
import { KeysTaken } from './record-keys.ts';
import type { StoredRecord } from './record-store.ts';
import { getUniqueKey, missingMembers, refuseHiddenOwners } from './record-upsert.ts';
import { findOwners } from './record-upsert-batch.ts';
import { TryAgain } from './write-scope.ts';
import type { WriteScope, Written } from './write-scope.ts';

type Input = Readonly<Record<string, unknown>>;

/** As `upsertRecord` and `upsertBatch`; the answer is in the order of `inputs`. */
export async function upsertNested(
  scope: WriteScope,
  entity: EntityDefinition,
  unique: string,
  inputs: readonly { readonly input: Input; readonly path: string | undefined }[],
): Promise<Written<StoredRecord[]>> {
  const key = getUniqueKey(entity, unique);
  for (const field of key.fields) scope.access.of(entity).assertReadable(field);
  const members = new Set(
    key.fields
      .flatMap((field) => [field.name, ...field.aliases])
      .flatMap((name) => [name, relationIdName(name)]),
  );
  const name = key.fields.map(memberName).join(' and ');
  const errors: FieldError[] = [];
  const places = new Map<string, string>();
  const hashes = inputs.map(({ input, path }) => {
    const at = path === undefined ? name : `${path}.${name}`;
    const given = Object.fromEntries(Object.entries(input).filter(([member]) => members.has(member)));
    const checked = checkInput(
      entity,
      given,
      path === undefined ? { partial: true } : { partial: true, path },
    );
    const hash = keyHash(key, checked.data);
    if (checked.errors.length > 0) errors.push(...checked.errors);
    else if (hash === null) errors.push(...missingMembers(key, checked.data, path));
    if (hash === null) return '';
    const first = places.get(hash);
    if (first !== undefined) {
      errors.push({ field: at, rule: 'duplicate', message: `${at} is the same as ${first}: give it once` });
    }
    places.set(hash, first ?? at);
    return hash;
  });
  if (errors.length > 0) throw invalidInput(errors.slice(0, 100));

  const owners = await findOwners(scope, entity, key.id, [...places.keys()]);
  const owned = inputs.flatMap(({ path }, index) => {
    const hash = hashes[index] as string;
    const recordId = owners.get(hash);
    return recordId === undefined ? [] : [{ hash, path, recordId }];
  });
  await refuseHiddenOwners(scope, entity, key, owned);
  const writes = inputs.map(({ input, path }, index): NestedWrite => {
    const hash = hashes[index] as string;
    const check = (record: StoredRecord | undefined): void => {
      // While this one waited for the lock, another took the values away from the record.
      if (record?.deletedAt !== null || keyHash(key, record.data) !== hash) throw new TryAgain();
    };
    return { id: owners.get(hash) ?? null, input, path, check };
  });
  try {
    return await writeNested(scope, entity, writes);
  } catch (error) {
    // Another one created it since: now it is there to be updated.
    if (
      error instanceof KeysTaken &&
      error.taken.some((one) => one.key.id === key.id && places.has(one.hash))
    )
      throw new TryAgain();
    throw error;
  }
}
