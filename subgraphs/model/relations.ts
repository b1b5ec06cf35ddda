/** Finding one's way in a model: fields by name, and relations from either end. */
import type { EntityDefinition, FieldDefinition, TenantModel } from './definition.ts';
import { relationIdName, relationTypeName } from './names.ts';
import { deprecation } from './aliases.ts';
import { activeTargets, isUnion, relationViews } from './union-relations.ts';

const fieldsByName = new WeakMap<EntityDefinition, ReadonlyMap<string, FieldDefinition>>();
const relationsByIdName = new WeakMap<EntityDefinition, ReadonlyMap<string, FieldDefinition>>();
const unionsByTypeName = new WeakMap<EntityDefinition, ReadonlyMap<string, FieldDefinition>>();
const inverses = new WeakMap<TenantModel, Map<string, readonly Inverse[]>>();

/** A relation as its target sees it: `field` of `entity` points at the target. */
export interface Inverse {
  /** The field on the target; null where the relation shows none there. */
  readonly name: string | null;
  readonly entity: EntityDefinition;
  readonly field: FieldDefinition;
}

const namesOf = (field: FieldDefinition): string[] => [field.name, ...field.aliases];

/** A field of the entity by its name, or an old one. */
export function findField(entity: EntityDefinition, name: string): FieldDefinition | undefined {
  let fields = fieldsByName.get(entity);
  if (!fields) {
    fields = new Map(entity.fields.flatMap((field) => namesOf(field).map((known) => [known, field])));
    fieldsByName.set(entity, fields);
  }
  return fields.get(name);
}

/** The relation whose id member has this name: `companyId` → `company`. */
export function findRelationByIdName(entity: EntityDefinition, name: string): FieldDefinition | undefined {
  let relations = relationsByIdName.get(entity);
  if (!relations) {
    relations = new Map(
      entity.fields
        .filter((field) => field.type === 'RELATION')
        .flatMap((field) => namesOf(field).map((known) => [relationIdName(known), field])),
    );
    relationsByIdName.set(entity, relations);
  }
  return relations.get(name);
}

/** The union whose type member has this name: `subjectType` → `subject`. */
export function findUnionByTypeName(entity: EntityDefinition, name: string): FieldDefinition | undefined {
  let unions = unionsByTypeName.get(entity);
  if (!unions) {
    const named = entity.fields
      .filter((field) => isUnion(field))
      .flatMap((field) => namesOf(field).map((known) => [relationTypeName(known), field] as const));
    unions = new Map(named);
    unionsByTypeName.set(entity, unions);
  }
  return unions.get(name);
}

/** The field that a member of answers and inputs speaks of: `subject`, `subjectId` and `subjectType` are all the same one's. */
export function findMemberField(entity: EntityDefinition, name: string): FieldDefinition | undefined {
  return findField(entity, name) ?? findRelationByIdName(entity, name) ?? findUnionByTypeName(entity, name);
}

/** Every relation that points at the entity, those without an inverse field included. */
export function inversesOf(model: TenantModel, entity: EntityDefinition): readonly Inverse[] {
  let byTarget = inverses.get(model);
  if (!byTarget) {
    const found = new Map<string, Inverse[]>();
    for (const child of model.entities) {
      for (const field of child.fields) {
        for (const view of relationViews(field)) {
          const target = view.targetEntityId as string;
          const list = found.get(target) ?? [];
          list.push({ name: field.inverseName, entity: child, field: view });
          found.set(target, list);
        }
      }
    }
    byTarget = found;
    inverses.set(model, byTarget);
  }
  return byTarget.get(entity.id) ?? [];
}

/** The inverse field of the entity by its name. */
export function findInverse(
  model: TenantModel,
  entity: EntityDefinition,
  name: string,
): (Inverse & { readonly name: string }) | undefined {
  return inversesOf(model, entity).find(
    (inverse): inverse is Inverse & { readonly name: string } => inverse.name === name,
  );
}

/** Whether any number of records may stand at both ends: links are rows of their own. */
export function isManyToMany(field: Pick<FieldDefinition, 'type'>): boolean {
  return field.type === 'MULTI_RELATION';
}

/** Whether the target sees one record instead of a list: no two records can point at the same one. */
export function isSingleInverse(inverse: Pick<Inverse, 'field'>): boolean {
  return inverse.field.isUnique;
}

/** A way from a record to one other: along its own to-one relation, or back along the one that points at it. */
export type RelationStep = FieldDefinition | Inverse;

/** The relation that a step goes along, and the entities on its way. */
export function stepOf(
  model: TenantModel,
  at: EntityDefinition,
  step: RelationStep,
): { field: FieldDefinition; owner: EntityDefinition; end: EntityDefinition; isInverse: boolean } {
  if ('field' in step) return { field: step.field, owner: step.entity, end: step.entity, isInverse: true };
  return { field: step, owner: at, end: getTarget(model, step), isInverse: false };
}

/** The entity that a relation, or a view of one to several, points at. */
export function getTarget(model: TenantModel, field: FieldDefinition): EntityDefinition {
  const target = field.targetEntityId === null ? undefined : model.entityById.get(field.targetEntityId);
  if (!target)
    throw new Error(`relation ${field.name} has no target in definitions version ${model.version}`);
  return target;
}

/** A union's active targets by their names in its inputs, old ones too. */
export function targetMembers(
  model: TenantModel,
  field: FieldDefinition,
): { name: string; target: EntityDefinition; deprecated: string }[] {
  return activeTargets(field).flatMap(({ entityId, name, aliases }) => {
    const target = model.entityById.get(entityId) as EntityDefinition;
    const old = aliases.map((alias) => ({ name: alias, target, deprecated: deprecation({ aliasOf: name }) }));
    return [{ name, target, deprecated: '' }, ...old];
  });
}
