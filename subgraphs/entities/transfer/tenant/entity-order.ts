/** In which order a tenant's entities are exported, so that records can be created as they are read. */
import { joinFields } from '#subgraphs/model/activation.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { isManyToMany } from '#subgraphs/model/relations.ts';

export interface OrderedEntity {
  readonly entity: EntityDefinition;
  /** Relations at entities that come later, or at itself, and many-to-many ones: they are set once all records are there. */
  readonly deferred: readonly FieldDefinition[];
}

/**
 * Targets before what refers to them, as far as there are no circles. A circle is opened at a relation that is not required;
 * one of required relations only, at any of them.
 */
export function orderEntities(model: TenantModel): OrderedEntity[] {
  // Inactive ones too: nothing of a tenant stays behind.
  const left = model.allEntities.map(joinFields);
  const placed = new Set<string>();
  const ordered: OrderedEntity[] = [];
  while (left.length > 0) {
    const next =
      left.find((entity) => waitingFor(entity, placed).length === 0) ??
      left.find((entity) => waitingFor(entity, placed).every((field) => !field.isRequired)) ??
      left[0]!;
    left.splice(left.indexOf(next), 1);
    ordered.push({
      entity: next,
      deferred: next.fields.filter(
        (field) =>
          isManyToMany(field) ||
          (field.type === 'RELATION' && !targetsOf(field).every((id) => placed.has(id))),
      ),
    });
    placed.add(next.id);
  }
  return ordered;
}

function relationsOf(entity: EntityDefinition): FieldDefinition[] {
  return entity.fields.filter((field) => field.type === 'RELATION');
}

/** Relations at others that are not placed yet. */
function waitingFor(entity: EntityDefinition, placed: ReadonlySet<string>): FieldDefinition[] {
  return relationsOf(entity).filter((field) =>
    targetsOf(field).some((id) => id !== entity.id && !placed.has(id)),
  );
}

/** The entities that a to-one relation may point at. */
function targetsOf(field: FieldDefinition): string[] {
  return field.targets?.map((target) => target.entityId) ?? [field.targetEntityId ?? ''];
}
