/**
 * Names that were given up and still work: an entity under an old name has every generated type and root field a second
 * time, a field every member. They are views with the same id and key, for building graphs; what is stored knows one name.
 */
import type { EntityDefinition, FieldDefinition, TenantModel } from './definition.ts';

const entitiesOfGraph = new WeakMap<TenantModel, readonly EntityDefinition[]>();

/** The entity as it is known under each of its old names. Its fields are those of the entity itself. */
export function entityAliases(entity: EntityDefinition): EntityDefinition[] {
  return entity.aliases.map((alias) => ({ ...entity, ...alias, aliases: [], aliasOf: entity.name }));
}

/** Every entity that the tenant's graph shows: its own, then those under old names. */
export function graphEntities(model: TenantModel): readonly EntityDefinition[] {
  let entities = entitiesOfGraph.get(model);
  if (!entities) {
    const aliases = [...model.entityByType.values()].filter((entity) => entity.aliasOf !== undefined);
    entities = [...model.entities, ...aliases];
    entitiesOfGraph.set(model, entities);
  }
  return entities;
}

/** The entity with each field also under its old names. Only names may be read from it: values are stored once. */
export function withFieldAliases(entity: EntityDefinition): EntityDefinition {
  return { ...entity, fields: entity.fields.flatMap((field) => [field, ...fieldAliases(field)]) };
}

function fieldAliases(field: FieldDefinition): FieldDefinition[] {
  // The target lists the records once, under the inverse of the field itself.
  return field.aliases.map((name) => ({
    ...field,
    name,
    aliases: [],
    inverseName: null,
    aliasOf: field.name,
  }));
}

/** `@deprecated` for what stands under an old name; empty for what does not. */
export function deprecation({ aliasOf }: { readonly aliasOf?: string }): string {
  return aliasOf === undefined ? '' : ` @deprecated(reason: "It is named ${aliasOf} now.")`;
}

/**
 * SDL of members with `@deprecated` at each, where they stand under an old name. Members begin (`  name: Type`) or end
 * (`  ): Type`) a line at two spaces; arguments stand deeper.
 */
export function deprecateMembers(owner: { readonly aliasOf?: string }, sdl: string): string {
  const suffix = deprecation(owner);
  return suffix === '' ? sdl : sdl.replace(/^ {2}(?:\w+|\)): .*$/gm, (line) => line + suffix);
}
