/** Where a draft's fields are kept: keys that nothing had before, slots that nothing has. */
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import type { DraftBase, DraftEntity, DraftField } from './definition-change.ts';
import { findSlot } from './slots.ts';

export interface DraftStorage {
  /** The name, or the name with a number: a key is never used again. */
  freeKey(entity: DraftEntity, name: string): string;
  /** Also those that a deleted field still holds. */
  takenSlots(entity: DraftEntity): Set<string>;
  /** Gives a field that is to be looked up a slot, where there is one. With records, it is read from once it was filled. */
  assignSlot(entity: DraftEntity, field: DraftField): void;
}

/** `before`: the entities as they were, with all their fields. */
export function createDraftStorage(base: DraftBase, before: readonly EntityDefinition[]): DraftStorage {
  function fieldsBefore(entity: DraftEntity): readonly FieldDefinition[] {
    return before.find((candidate) => candidate.id === entity.id)?.fields ?? [];
  }

  function freeKey(entity: DraftEntity, name: string): string {
    const taken = new Set([
      ...entity.fields.flatMap(({ key, becomes }) => [key, becomes?.key ?? []].flat()),
      ...fieldsBefore(entity).flatMap(({ key, becomes }) => [key, becomes?.key ?? []].flat()),
      ...base.retired.filter((retired) => retired.entityId === entity.id).map((retired) => retired.key),
    ]);
    let key = name;
    for (let number = 2; taken.has(key); number++) key = `${name}_${number}`;
    return key;
  }

  function takenSlots(entity: DraftEntity): Set<string> {
    const held = [...entity.fields, ...fieldsBefore(entity)].flatMap((field) => [
      field.slot,
      field.pendingSlot,
      field.becomes?.slot ?? null,
    ]);
    const retired = base.retired.filter((one) => one.entityId === entity.id).map(({ slot }) => slot);
    return new Set([...held, ...retired].filter((slot) => slot !== null));
  }

  function assignSlot(entity: DraftEntity, field: DraftField): void {
    if (field.slot !== null) return;
    const slot = field.pendingSlot ?? findSlot(field, takenSlots(entity));
    const hasRecords = base.entitiesWithRecords.has(entity.id);
    field.slot = hasRecords ? null : slot;
    field.pendingSlot = hasRecords ? slot : null;
    if (hasRecords) return;
    field.isUnique ||= field.isPendingUnique;
    field.isPendingUnique = false;
  }

  return { freeKey, takenSlots, assignSlot };
}
