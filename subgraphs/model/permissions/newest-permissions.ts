/** Older definitions held to the newest permissions: a graph that stays behind must not let anybody in. */
import type { EntityDefinition, TenantModel } from '../definition.ts';

const merged = new WeakMap<TenantModel, { readonly newest: TenantModel; readonly model: TenantModel }>();

/**
 * The model with the permissions that its entities have in the newest; the model itself where it is that one. A row filter
 * that speaks of what the model does not have yet is refused when it is used. The same object for the same two.
 */
export function withNewestPermissions(model: TenantModel, newest: TenantModel): TenantModel {
  if (newest.version <= model.version) return model;
  const known = merged.get(model);
  if (known?.newest === newest) return known.model;
  const made = replacePermissions(model, newest);
  merged.set(model, { newest, model: made });
  return made;
}

function replacePermissions(model: TenantModel, newest: TenantModel): TenantModel {
  const permissions = new Map(newest.allEntities.map((entity) => [entity.id, entity.permissions]));
  const replaced = new Map<EntityDefinition, EntityDefinition>();
  const replace = (entity: EntityDefinition): EntityDefinition => {
    const known = replaced.get(entity);
    if (known) return known;
    const made = { ...entity, permissions: permissions.get(entity.id) ?? entity.permissions };
    replaced.set(entity, made);
    return made;
  };
  const replaceAll = (entities: ReadonlyMap<string, EntityDefinition>): Map<string, EntityDefinition> =>
    new Map([...entities].map(([key, entity]) => [key, replace(entity)]));
  return {
    ...model,
    entities: model.entities.map(replace),
    allEntities: model.allEntities.map(replace),
    entityByName: replaceAll(model.entityByName),
    entityByType: replaceAll(model.entityByType),
    entityById: replaceAll(model.entityById),
  };
}
