/**
 * Row filters as they are stored: the list filter in JSON, with fields named by their ids, so that a rename changes none
 * (`{ "field:<id>": { "eq": "$me" } }`; `id:` and `type:` are a relation's id and type members, `inverse:` the records that
 * point here by it, `entity:` one of the entities that it may point at).
 */
import type { EntityDefinition, FieldDefinition, RelationTarget, TenantModel } from '../definition.ts';
import type { FilterNode } from '../filter/node.ts';
import type { FilterVariables } from '../filter/reading.ts';
import { parseFilter } from '../filter/validate.ts';
import { relationIdName, relationTypeName } from '../names.ts';
import {
  findField,
  findInverse,
  findRelationByIdName,
  findUnionByTypeName,
  getTarget,
  inversesOf,
  isManyToMany,
  isSingleInverse,
} from '../relations.ts';
import { activeTargets, findTarget, isUnion, targetValue } from '../union-relations.ts';

/** The caller's id, and the moment. */
export const rowFilterVariables = { me: '$me', now: '$now' } as const;

/** How a member is named in the other form, and of which entity its value speaks: null where it is a comparison. */
interface Member {
  readonly name: string;
  readonly inner: EntityDefinition | null;
  /** Its value holds `some none every` of that entity's filters. */
  readonly isList: boolean;
  /** Its value speaks of a relation to several entities: by the entity, or of which it is. */
  readonly union?: { readonly field: FieldDefinition; readonly part: 'record' | 'type' };
}
type Translate = (model: TenantModel, entity: EntityDefinition, name: string) => Member | null;

/** The stored form of a filter that `parseFilter` accepts. */
export function storeRowFilter(model: TenantModel, entity: EntityDefinition, filter: unknown): unknown {
  return translate(model, entity, filter, toStored);
}

/** A stored filter by the names that its fields have now. Of a field that is not there the id stays, which no filter has. */
export function showRowFilter(model: TenantModel, entity: EntityDefinition, stored: unknown): unknown {
  return translate(model, entity, stored, toShown);
}

/** Throws BAD_USER_INPUT where a stored filter does not fit the model (any more): nobody may go on without it. */
export function parseRowFilter(
  model: TenantModel,
  entity: EntityDefinition,
  stored: unknown,
  variables: FilterVariables,
): FilterNode {
  const shown = showRowFilter(model, entity, stored) as Readonly<Record<string, unknown>>;
  return parseFilter(model, entity, shown, 'rowFilter', variables);
}

/** Whether a variable stands somewhere in the filter. */
export function usesVariable(filter: unknown, variable: keyof typeof rowFilterVariables): boolean {
  if (filter === rowFilterVariables[variable]) return true;
  if (typeof filter !== 'object' || filter === null) return false;
  return Object.values(filter).some((inner) => usesVariable(inner, variable));
}

function translate(
  model: TenantModel,
  entity: EntityDefinition,
  filter: unknown,
  rename: Translate,
): unknown {
  if (Array.isArray(filter)) return filter.map((item) => translate(model, entity, item, rename));
  if (typeof filter !== 'object' || filter === null) return filter;
  return Object.fromEntries(
    Object.entries(filter).map(([name, value]): [string, unknown] => {
      if (logical.has(name) && !findField(entity, name))
        return [name, translate(model, entity, value, rename)];
      const member = rename(model, entity, name);
      if (member === null) return [name, value];
      const { inner, union } = member;
      if (union) return [member.name, translateUnion(model, union, value, rename)];
      if (inner === null) return [member.name, value];
      if (!member.isList) return [member.name, translate(model, inner, value, rename)];
      return [member.name, translateList(model, inner, value, rename)];
    }),
  );
}

/** What combines conditions on the same record. */
const logical: ReadonlySet<string> = new Set(['and', 'or', 'not', 'is', 'isNot']);

function translateList(
  model: TenantModel,
  inner: EntityDefinition,
  value: unknown,
  rename: Translate,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([quantifier, filter]) => [
      quantifier,
      translate(model, inner, filter, rename),
    ]),
  );
}

/** `{ client: { … } }`, or `{ eq: CLIENT }`, with entities named in the other form. */
function translateUnion(
  model: TenantModel,
  { field, part }: NonNullable<Member['union']>,
  value: unknown,
  rename: Translate,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const isStored = rename === toStored;
  const targetOf = (name: unknown): RelationTarget | undefined => {
    if (typeof name !== 'string') return undefined;
    return isStored
      ? findTarget(field, name)
      : activeTargets(field).find(({ entityId }) => name === `entity:${entityId}`);
  };
  const renamed = (name: unknown): unknown => {
    const target = targetOf(name);
    if (!target) return name;
    if (isStored) return `entity:${target.entityId}`;
    return part === 'type' ? targetValue(target) : target.name;
  };
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]): [string, unknown] => {
      if (part === 'type') return [name, Array.isArray(inner) ? inner.map(renamed) : renamed(inner)];
      const target = targetOf(name);
      const entity = target && model.entityById.get(target.entityId);
      return entity ? [String(renamed(name)), translate(model, entity, inner, rename)] : [name, inner];
    }),
  );
}

const toStored: Translate = (model, entity, name) => {
  const field = findField(entity, name);
  if (field) return { name: `field:${field.id}`, ...endOf(model, field) };
  const relation = findRelationByIdName(entity, name);
  if (relation) return { name: `id:${relation.id}`, inner: null, isList: false };
  const union = findUnionByTypeName(entity, name);
  if (union) return { name: `type:${union.id}`, ...typeOf(union) };
  const inverse = findInverse(model, entity, name);
  if (!inverse) return null;
  return { name: `inverse:${inverse.field.id}`, inner: inverse.entity, isList: !isSingleInverse(inverse) };
};

const toShown: Translate = (model, entity, name) => {
  const [kind, id] = name.split(':');
  if (kind === 'inverse') {
    const inverse = inversesOf(model, entity).find((candidate) => candidate.field.id === id);
    if (!inverse?.name) return null;
    return { name: inverse.name, inner: inverse.entity, isList: !isSingleInverse(inverse) };
  }
  const field = entity.fields.find((candidate) => candidate.id === id);
  if (!field) return null;
  if (kind === 'id') return { name: relationIdName(field.name), inner: null, isList: false };
  if (kind === 'type') return { name: relationTypeName(field.name), ...typeOf(field) };
  return { name: field.name, ...endOf(model, field) };
};

function typeOf(field: FieldDefinition): Omit<Member, 'name'> {
  return { inner: null, isList: false, union: { field, part: 'type' } };
}

function endOf(model: TenantModel, field: FieldDefinition): Omit<Member, 'name'> {
  if (isUnion(field)) return { inner: null, isList: false, union: { field, part: 'record' } };
  if (field.targetEntityId === null) return { inner: null, isList: false };
  return { inner: getTarget(model, field), isList: isManyToMany(field) };
}
