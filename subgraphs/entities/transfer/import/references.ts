/** Finds the records that rows refer to by a unique field, for a whole batch at once. */
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import type { RecordStore, StoreContext } from '../../store/record-store.ts';

export interface Reference {
  readonly target: EntityDefinition;
  readonly by: FieldDefinition;
  /** In stored form, never null. */
  readonly stored: unknown;
}

/** Values in one filter. */
const maxListLength = 1_000;

/** Ids by the field's unique hash of the value; values that no record has are missing. */
export async function findReferences(
  records: Pick<RecordStore, 'list' | 'findByUnique'>,
  context: StoreContext,
  references: readonly Reference[],
): Promise<Map<FieldDefinition, Map<string, string>>> {
  const found = new Map<FieldDefinition, Map<string, string>>();
  for (const [by, group] of Map.groupBy(references, (reference) => reference.by)) {
    const target = (group[0] as Reference).target;
    const wanted = new Map(group.map(({ stored }) => [uniqueHash(by, stored), stored]));
    found.set(by, await findByKeys(records, context, target, by, wanted));
  }
  return found;
}

/** `wanted`: stored values by their hash. */
export async function findByKeys(
  records: Pick<RecordStore, 'list' | 'findByUnique'>,
  context: StoreContext,
  entity: EntityDefinition,
  field: FieldDefinition,
  wanted: ReadonlyMap<string, unknown>,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const values = field.isFilterable ? [...wanted.values()] : [];
  for (let start = 0; start < values.length; start += maxListLength) {
    const some = values.slice(start, start + maxListLength);
    const filter = { [filterMember(field)]: { in: some } };
    const page = await records.list(context, { entity, first: some.length, filter });
    for (const { record } of page.edges) {
      const value = record.data[field.key] ?? null;
      if (value !== null) ids.set(uniqueHash(field, value), record.id);
    }
  }
  // Equal as keys are and different as texts: another composition of the same characters, an address in other case.
  for (const [hash, value] of wanted) {
    if (ids.has(hash) || (field.isFilterable && !hasVariants(field, value))) continue;
    const record = await records.findByUnique(context, entity, field.name, value);
    if (record) ids.set(hash, record.id);
  }
  return ids;
}

function filterMember(field: FieldDefinition): string {
  return field.type === 'RELATION' ? `${field.name}Id` : field.name;
}

function hasVariants(field: FieldDefinition, value: unknown): boolean {
  return typeof value === 'string' && (field.type === 'EMAIL' || !/^[\x20-\x7e]*$/.test(value));
}
