/** Upserts whose inputs also write records along relations. */
import { DomainError, invalidField, invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName, typeName } from '#subgraphs/model/names.ts';
import { findField, findRelationByIdName } from '#subgraphs/model/relations.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { checkInput } from '#subgraphs/model/values/input.ts';
import { writeNested } from './nested-writes.ts';
import type { NestedWrite } from './nested-writes.ts';
import type { StoredRecord } from './record-store.ts';
import { findOwners } from './record-upsert-batch.ts';
import { TryAgain } from './write-transaction.ts';
import type { WriteScope, Written } from './write-transaction.ts';

type Input = Readonly<Record<string, unknown>>;

/** As `upsertRecord` and `upsertBatch`; the answer is in the order of `inputs`. */
export async function upsertNested(
  scope: WriteScope,
  entity: EntityDefinition,
  uniqueField: string,
  inputs: readonly { readonly input: Input; readonly path: string | undefined }[],
): Promise<Written<StoredRecord[]>> {
  const field = findField(entity, uniqueField) ?? findRelationByIdName(entity, uniqueField);
  if (!field?.isUnique)
    throw invalidField('on', 'unique', `${uniqueField} is no unique field of ${typeName(entity)}`);
  const idName = relationIdName(field.name);
  const name = field.type === 'RELATION' ? idName : field.name;
  const errors: FieldError[] = [];
  const places = new Map<string, string>();
  const hashes = inputs.map(({ input, path }) => {
    const at = path === undefined ? name : `${path}.${name}`;
    const { [field.name]: own, [idName]: id } = input;
    const given = field.type === 'RELATION' ? { [field.name]: own, [idName]: id } : { [field.name]: own };
    const checked = checkInput(
      entity,
      given,
      path === undefined ? { partial: true } : { partial: true, path },
    );
    const value = checked.data[field.key] ?? null;
    if (checked.errors.length > 0) errors.push(...checked.errors);
    else if (value === null) {
      errors.push({ field: at, rule: 'required', message: `${at} is required: the record is found by it` });
    }
    if (value === null) return '';
    const hash = uniqueHash(field, value);
    const first = places.get(hash);
    if (first !== undefined) {
      errors.push({ field: at, rule: 'duplicate', message: `${at} is the same as ${first}: give it once` });
    }
    places.set(hash, first ?? at);
    return hash;
  });
  if (errors.length > 0) throw invalidInput(errors.slice(0, 100));

  const owners = await findOwners(scope, entity, field.id, [...places.keys()]);
  const writes = inputs.map(({ input, path }, index): NestedWrite => {
    const hash = hashes[index] as string;
    const check = (record: StoredRecord | undefined): void => {
      const stored = record?.deletedAt === null ? (record.data[field.key] ?? null) : null;
      // While this one waited for the lock, another took the value away from the record.
      if (stored === null || uniqueHash(field, stored) !== hash) throw new TryAgain();
    };
    return { id: owners.get(hash) ?? null, input, path, check };
  });
  try {
    return await writeNested(scope, entity, writes);
  } catch (error) {
    // Another one created it since: now it is there to be updated.
    const isTaken = error instanceof DomainError && error.code === 'CONFLICT';
    if (isTaken && error.fields?.some(({ field: at }) => [...places.values()].includes(at)))
      throw new TryAgain();
    throw error;
  }
}
