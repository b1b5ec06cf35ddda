/** Refuses definitions whose names would meet: each other's, the platform's own, or those that every record has. */
import { DomainError, type FieldError } from '#schema/errors.ts';
import { findReservedFieldName, findReservedName } from '#schema/reserved-names.ts';
import { entityAliases, withFieldAliases } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { enumValueOf, generatedNames, relationIdName, relationTypeName } from '#subgraphs/model/names.ts';
import { isUnion, mayPointAt } from '#subgraphs/model/union-relations.ts';

/** Clashes that one refusal lists at most, and that its message tells. */
const maxClashes = 100;
const maxTold = 3;

/** Told of each clash. */
type Report = (message: string, rule: string) => void;

/**
 * Throws CONFLICT naming every clash in `after`. Names that `before` generated already are not held against the
 * reserved ones again: what was accepted once stays good.
 */
export function refuseClashes(before: readonly EntityDefinition[], after: readonly EntityDefinition[]): void {
  const found: FieldError[] = [];
  const report: Report = (message, rule) => found.push({ field: 'name', rule, message });
  const accepted = new Set(
    underAllNames(before)
      .flatMap((entity) => Object.values(generatedNames(entity)).flat())
      .map(lower),
  );
  const types = new Map<string, string>();
  const rootFields = new Map<string, string>();
  // Entities that were there first: a clash then names them, and not the newcomer.
  const known = new Set(before.map((entity) => entity.id));
  for (const entity of underAllNames(after).toSorted(
    (a, b) => Number(known.has(b.id)) - Number(known.has(a.id)),
  )) {
    const names = generatedNames(entity);
    for (const name of names.rootFields) claim(report, rootFields, accepted, 'root field', name, entity);
    for (const name of names.types) claim(report, types, accepted, 'type', name, entity);
  }
  for (const entity of after) findMemberClashes(report, before, after, entity);
  if (found.length === 0) return;
  const told = found.slice(0, maxTold).map(({ message }) => message);
  if (found.length > maxTold) told.push(`and ${found.length - maxTold} more`);
  throw new DomainError('CONFLICT', told.join('; '), { fields: found.slice(0, maxClashes) });
}

/** Old names that are kept clash as any other. */
function underAllNames(entities: readonly EntityDefinition[]): EntityDefinition[] {
  return entities.flatMap((entity) => [entity, ...entityAliases(entity)]).map(withFieldAliases);
}

function claim(
  report: Report,
  taken: Map<string, string>,
  accepted: ReadonlySet<string>,
  kind: string,
  name: string,
  entity: EntityDefinition,
): void {
  const reserved = accepted.has(lower(name)) ? null : findReservedName(name);
  if (reserved !== null) {
    const what =
      reserved === '__'
        ? 'names with "__" are kept for GraphQL itself'
        : `"${reserved}" is one of the platform's own names`;
    report(`The entity "${entity.name}" would generate the ${kind} "${name}", but ${what}`, 'reserved');
    return;
  }
  const owner = taken.get(lower(name));
  if (owner === undefined) {
    taken.set(lower(name), entity.name);
    return;
  }
  const other =
    owner === entity.name ? 'which it generates already' : `which the entity "${owner}" generates already`;
  report(
    `The entity "${entity.name}" would generate the ${kind} "${name}", ${other} (upper and lower case count as equal)`,
    'unique',
  );
}

/** Fields, ids of relations and inverses share one space in an entity's type, inputs and filter. */
function findMemberClashes(
  report: Report,
  before: readonly EntityDefinition[],
  after: readonly EntityDefinition[],
  entity: EntityDefinition,
): void {
  const old = before.find((candidate) => candidate.id === entity.id);
  const accepted = new Set(old ? membersOf(before, old).map((member) => lower(member.name)) : []);
  const taken = new Map<string, string>();
  for (const member of membersOf(after, entity)) {
    const reserved = accepted.has(lower(member.name)) ? null : findReservedFieldName(member.name);
    if (reserved !== null) {
      const what =
        reserved === '__'
          ? 'names that begin with "__" are kept for GraphQL itself'
          : `"${reserved}" is one of the platform's own names`;
      report(`"${member.name}" cannot be ${member.what} of "${entity.name}": ${what}`, 'reserved');
      continue;
    }
    const other = taken.get(lower(member.name));
    if (other !== undefined) {
      report(
        `"${member.name}" cannot be ${member.what} of "${entity.name}": it is ${other} already (upper and lower case count as equal)`,
        'unique',
      );
    }
    taken.set(lower(member.name), member.what);
  }

  for (const field of entity.fields) findEqualTargets(report, after, entity, field);
  const enumValues = new Map<string, string>();
  for (const field of withFieldAliases(entity).fields) {
    const value = enumValueOf(field.name);
    const other = enumValues.get(value);
    if (other !== undefined)
      report(
        `The fields "${other}" and "${field.name}" of "${entity.name}" would both be ${value} in enums`,
        'unique',
      );
    enumValues.set(value, field.name);
  }
  for (const { name } of entity.uniqueGroups) {
    const value = enumValueOf(name);
    const other = enumValues.get(value);
    if (other !== undefined)
      report(
        `The unique group "${name}" of "${entity.name}" would be ${value} in enums, as "${other}" is`,
        'unique',
      );
    enumValues.set(value, name);
  }
}

/** Names of entities may differ and be one in a union's enum. */
function findEqualTargets(
  report: Report,
  entities: readonly EntityDefinition[],
  entity: EntityDefinition,
  field: FieldDefinition,
): void {
  if (!isUnion(field)) return;
  const names = new Map<string, string>();
  for (const { entityId } of field.targets) {
    const name = entities.find(({ id }) => id === entityId)?.name ?? '';
    const other = names.get(enumValueOf(name));
    if (other !== undefined) {
      report(
        `"${other}" and "${name}" would both be ${enumValueOf(name)} in what "${entity.name}.${field.name}" may be`,
        'unique',
      );
    }
    names.set(enumValueOf(name), name);
  }
}

interface Member {
  name: string;
  /** As a message reads: 'a field', 'the id of the relation "company"'. */
  what: string;
}

/** What stands in an entity's type beside the system fields. */
export function membersOf(entities: readonly EntityDefinition[], entity: EntityDefinition): Member[] {
  const own = withFieldAliases(entity).fields.flatMap((field): Member[] => [
    { name: field.name, what: field.aliasOf === undefined ? 'a field' : `an old name of "${field.aliasOf}"` },
    ...(field.type === 'RELATION'
      ? [{ name: relationIdName(field.name), what: `the id of the relation "${field.name}"` }]
      : []),
    ...(isUnion(field)
      ? [{ name: relationTypeName(field.name), what: `the type of the relation "${field.name}"` }]
      : []),
  ]);
  const inverses = entities.flatMap((child) =>
    child.fields.flatMap((field): Member[] =>
      field.inverseName !== null && mayPointAt(field, entity.id)
        ? [{ name: field.inverseName, what: `the inverse of "${child.name}.${field.name}"` }]
        : [],
    ),
  );
  return [...own, ...inverses];
}

/** Whether a name can still become a member of the entity, as a field or an inverse. */
export function isFreeMember(
  entities: readonly EntityDefinition[],
  entity: EntityDefinition,
  name: string,
): boolean {
  if (findReservedFieldName(name) !== null) return false;
  return !membersOf(entities, entity).some((member) => lower(member.name) === lower(name));
}

const lower = (name: string): string => name.toLowerCase();
