/** Inactive entities and fields: not in the graph, still in storage. */
import type { EntityDefinition, FieldDefinition } from './definition.ts';
import { activeTargets, isUnion } from './union-relations.ts';

const byPosition = (a: { position: number; name: string }, b: { position: number; name: string }): number =>
  a.position - b.position || (a.name < b.name ? -1 : 1);

/**
 * The entity with its active fields apart from the rest. A relation is as active as the entity that it points at; one at
 * several, while any of them is.
 */
export function splitFields(
  entity: EntityDefinition,
  isActiveEntity: (id: string) => boolean,
): EntityDefinition {
  const isActive = (field: FieldDefinition): boolean => {
    if (isUnion(field)) return field.isActive && activeTargets(field).length > 0;
    return field.isActive && (field.targetEntityId === null || isActiveEntity(field.targetEntityId));
  };
  const fields = entity.fields.toSorted(byPosition).map((field): FieldDefinition => {
    if (!isUnion(field)) return field;
    const targets = field.targets.map((target) => ({ ...target, isActive: isActiveEntity(target.entityId) }));
    return { ...field, targets };
  });
  return {
    ...entity,
    fields: fields.filter(isActive),
    inactiveFields: fields.filter((field) => !isActive(field)),
  };
}

/** The entity with all its fields together, as its admin defined them. */
export function joinFields(entity: EntityDefinition): EntityDefinition {
  if (entity.inactiveFields.length === 0) return entity;
  return {
    ...entity,
    fields: [...entity.fields, ...entity.inactiveFields].toSorted(byPosition),
    inactiveFields: [],
  };
}

/** Every field that is stored. */
export function storedFields(entity: EntityDefinition): readonly FieldDefinition[] {
  return entity.inactiveFields.length === 0 ? entity.fields : [...entity.fields, ...entity.inactiveFields];
}
