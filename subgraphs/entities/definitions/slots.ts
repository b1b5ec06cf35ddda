/** Which column of `records` holds a field's values beside `data`, folded and indexed: its slot ("t3"). */
import type { FieldDefinition } from '#subgraphs/model/definition.ts';
import { fieldTypeRules, slotCounts } from '#subgraphs/model/field-types.ts';

/**
 * The lowest free slot for a new field. Null where it needs none (nothing looks it up, or its type has none), and where
 * all of its kind are taken: the field then works from `data` alone.
 */
export function findSlot(field: FieldDefinition, taken: ReadonlySet<string>): string | null {
  const kind = fieldTypeRules[field.type].slotKind;
  const isLookedUp =
    field.isFilterable ||
    field.isSortable ||
    field.isUnique ||
    field.isPendingUnique ||
    field.type === 'RELATION';
  if (kind === null || !isLookedUp) return null;
  for (let number = 1; number <= slotCounts[kind]; number++) {
    const slot = `${kind}${number}`;
    if (!taken.has(slot)) return slot;
  }
  return null;
}
