/** A field whose values are being converted to another type, as it will be. */
import type { EntityDefinition, FieldBecoming, FieldDefinition } from '#subgraphs/model/definition.ts';
import { storedFields } from '#subgraphs/model/activation.ts';

const conversions = new WeakMap<EntityDefinition, readonly Becoming[]>();

export interface Becoming {
  readonly before: FieldDefinition;
  readonly after: FieldDefinition;
  readonly onError: FieldBecoming['onError'];
}

/** The field as it will be; null where it stays what it is. */
export function becomingOf(field: FieldDefinition): Becoming | null {
  if (field.becomes === null) return null;
  const { onError, ...becomes } = field.becomes;
  return {
    before: field,
    after: { ...field, ...becomes, pendingSlot: null, becomes: null },
    onError,
  };
}

/** Those of the entity, inactive ones too. */
export function becomingFields(entity: EntityDefinition): readonly Becoming[] {
  let found = conversions.get(entity);
  if (!found) {
    found = storedFields(entity).flatMap((field) => becomingOf(field) ?? []);
    conversions.set(entity, found);
  }
  return found;
}
