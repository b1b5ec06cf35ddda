/** A filter as it comes from a request becomes a `FilterNode`, or BAD_USER_INPUT that names the member and the rule. */
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { ruleOf } from '../field-types.ts';
import { filterTypeName, typeName } from '../names.ts';
import {
  findField,
  findRelationByIdName,
  findUnionByTypeName,
  getTarget,
  inversesOf,
  isManyToMany,
  isSingleInverse,
} from '../relations.ts';
import { activeTargets, isUnion, viewOf } from '../union-relations.ts';
import { isTaken } from './member-names.ts';
import type { FilterNode } from './node.ts';
import { readComparison } from './read-comparison.ts';
import {
  countCondition,
  type FilterVariables,
  filterLimits,
  type Members,
  membersOf,
  type Reading,
} from './reading.ts';
import { type SystemFilterMember, systemFilterMembers } from './sdl.ts';

/** `filter` as the input type `ContactFilter` gives it; null and undefined choose everything. `path` names it in errors. */
export function parseFilter(
  model: TenantModel,
  entity: EntityDefinition,
  filter: Members | null | undefined,
  path = 'filter',
  variables: FilterVariables | null = null,
): FilterNode {
  if (filter === null || filter === undefined) return { kind: 'all', nodes: [] };
  return readFilter({ model, variables, conditions: 0 }, entity, filter, path, 0);
}

/** Through a to-one relation: a record there matches; of `isNot`: no record there matches, and perhaps there is none. */
function readToOne(
  reading: Reading,
  field: FieldDefinition,
  value: unknown,
  path: string,
  depth: number,
): FilterNode {
  const target = getTarget(reading.model, field);
  const toOne = (filter: unknown, at: string): FilterNode => ({
    kind: 'to-one',
    field,
    target,
    node: readFilter(reading, target, filter, at, depth + 1),
  });
  const members = membersOf(value, path);
  const excluded = isTaken(reading.model, target, 'isNot')
    ? undefined
    : members.find(([name]) => name === 'isNot');
  if (!excluded) return toOne(value, path);
  const none: FilterNode = { kind: 'not', node: toOne(excluded[1], `${path}.isNot`) };
  const rest = members.filter((member) => member !== excluded);
  if (rest.length === 0) return none;
  return { kind: 'all', nodes: [toOne(Object.fromEntries(rest), path), none] };
}

/** Through a union: `{ client: { … } }` where it points at one that matches, `isNull` where it points at nothing. */
function readUnion(
  reading: Reading,
  field: FieldDefinition,
  value: unknown,
  path: string,
  depth: number,
): FilterNode {
  countCondition(reading, path);
  const nodes = membersOf(value, path).map(([name, inner]): FilterNode => {
    const at = `${path}.${name}`;
    const target = activeTargets(field).find((one) => one.name === name || one.aliases.includes(name));
    if (target) return readToOne(reading, viewOf(field, target.entityId), inner, at, depth);
    if (name === 'isNull') return readComparison(reading, field, 'ID', { isNull: inner }, path);
    const known = activeTargets(field).map((one) => one.name);
    throw invalidField(at, 'unknown', `${at} is not known: there are ${[...known, 'isNull'].join(', ')}`);
  });
  return { kind: 'all', nodes };
}

/** One comparison (`{ gt: 5 }`) of a subject, apart from any filter. Throws BAD_USER_INPUT. */
export function parseComparison(
  subject: FieldDefinition | SystemFilterMember,
  comparison: unknown,
  path: string,
): FilterNode {
  const kind =
    typeof subject === 'string' ? systemFilterMembers[subject].kind : ruleOf(subject).comparisonKind;
  return readComparison({ variables: null, conditions: 0 }, subject, kind, comparison, path);
}

function readFilter(
  reading: Reading,
  entity: EntityDefinition,
  filter: unknown,
  path: string,
  depth: number,
): FilterNode {
  countCondition(reading, path);
  if (depth > filterLimits.relationDepth) {
    throw invalidField(path, 'depth', `${path} follows more than ${filterLimits.relationDepth} relations`);
  }
  const nodes = membersOf(filter, path).map(([name, value]) =>
    readMember(reading, entity, name, value, `${path}.${name}`, depth),
  );
  return nodes.length === 1 ? (nodes[0] as FilterNode) : { kind: 'all', nodes };
}

function readMember(
  reading: Reading,
  entity: EntityDefinition,
  name: string,
  value: unknown,
  path: string,
  depth: number,
): FilterNode {
  if (name === 'and' || name === 'or') {
    // GraphQL's own rule for lists: a single value stands for a list of it.
    const items = Array.isArray(value) ? value : [value];
    const nodes = items.map((item, i) => readFilter(reading, entity, item, `${path}.${i}`, depth));
    return { kind: name === 'and' ? 'all' : 'any', nodes };
  }
  if (name === 'not') return { kind: 'not', node: readFilter(reading, entity, value, path, depth) };
  if (Object.hasOwn(systemFilterMembers, name)) {
    const member = name as SystemFilterMember;
    return readComparison(reading, member, systemFilterMembers[member].kind, value, path);
  }
  const field = findField(entity, name);
  if (field?.isFilterable && isManyToMany(field)) {
    const target = getTarget(reading.model, field);
    return readToMany(reading, { entity: target, field, link: 'forward' }, value, path, depth);
  }
  if (field?.isFilterable) {
    if (field.type !== 'RELATION')
      return readComparison(reading, field, ruleOf(field).comparisonKind, value, path);
    return isUnion(field)
      ? readUnion(reading, field, value, path, depth)
      : readToOne(reading, field, value, path, depth);
  }
  const relation = findRelationByIdName(entity, name);
  if (relation?.isFilterable) return readComparison(reading, relation, 'ID', value, path);
  const union = findUnionByTypeName(entity, name);
  if (union?.isFilterable) return readComparison(reading, union, 'TARGET', value, path);
  const inverse = inversesOf(reading.model, entity).find((candidate) => candidate.name === name);
  if (inverse?.field.isFilterable && isSingleInverse(inverse)) {
    const node = readFilter(reading, inverse.entity, value, path, depth + 1);
    return { kind: 'to-many', entity: inverse.entity, field: inverse.field, node };
  }
  if (inverse?.field.isFilterable) {
    const { entity: other, field: relation } = inverse;
    const end = isManyToMany(relation) ? { link: 'inverse' as const } : {};
    return readToMany(reading, { entity: other, field: relation, ...end }, value, path, depth);
  }
  if ((name === 'is' || name === 'isNot') && !isTaken(reading.model, entity, name)) {
    const node = readFilter(reading, entity, value, path, depth);
    return name === 'is' ? node : { kind: 'not', node };
  }
  throw invalidField(
    path,
    'unknown',
    `${path} is not known: ${typeName(entity)} cannot be filtered by ${name} (${filterTypeName(entity)})`,
  );
}

/** `some none every` of the records at the other end. */
function readToMany(
  reading: Reading,
  end: Pick<Extract<FilterNode, { kind: 'to-many' }>, 'entity' | 'field' | 'link'>,
  value: unknown,
  path: string,
  depth: number,
): FilterNode {
  const nodes = membersOf(value, path).map(([quantifier, inner]): FilterNode => {
    const at = `${path}.${quantifier}`;
    const node = readFilter(reading, end.entity, inner, at, depth + 1);
    const toMany = { kind: 'to-many', ...end } as const;
    if (quantifier === 'some') return { ...toMany, node };
    if (quantifier === 'none') return { kind: 'not', node: { ...toMany, node } };
    // Every one matches: there is none that does not.
    if (quantifier === 'every') return { kind: 'not', node: { ...toMany, node: { kind: 'not', node } } };
    throw invalidField(at, 'unknown', `${at} is not known: there are some, none and every`);
  });
  return { kind: 'all', nodes };
}
