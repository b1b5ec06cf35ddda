/** A filter as it comes from a request becomes a `FilterNode`, or BAD_USER_INPUT that names the member and the rule. */
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { ruleOf } from '../field-types.ts';
import type { ComparisonKind } from '../field-types.ts';
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
import { activeTargets, findTarget, isUnion, targetValue, viewOf } from '../union-relations.ts';
import { readId } from '../values/choice.ts';
import { parseDateTime } from '../values/date.ts';
import { parseJson } from '../values/json.ts';
import { parseInteger } from '../values/number.ts';
import { isStorableText } from '../values/report.ts';
import type { Report } from '../values/report.ts';
import { listOperators, operatorsOf } from './comparisons.ts';
import type { Operator } from './comparisons.ts';
import { fileMemberField } from './file-members.ts';
import { isTaken } from './member-names.ts';
import type { ComparisonNode, FilterNode } from './node.ts';
import { systemFilterMembers } from './sdl.ts';
import type { SystemFilterMember } from './sdl.ts';

/** Bounds of one filter. Text in code points. */
export const filterLimits = {
  conditions: 500,
  relationDepth: 12,
  listLength: 1_000,
  textLength: 4_000,
} as const;

type Members = Readonly<Record<string, unknown>>;

/** What `"$me"` and `"$now"` stand for in filters that a tenant keeps; nothing in those of requests. */
export interface FilterVariables {
  /** The caller's id. */
  readonly me: string;
  readonly now: Date;
}

interface Reading {
  readonly model: TenantModel;
  readonly variables: FilterVariables | null;
  /** Conditions read so far: comparisons, and every `and or not some none every`. */
  conditions: number;
}

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
  count(reading, path);
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
  count(reading, path);
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

function readComparison(
  reading: Pick<Reading, 'conditions' | 'variables'>,
  subject: FieldDefinition | SystemFilterMember,
  comparison: ComparisonKind,
  value: unknown,
  path: string,
): FilterNode {
  const members = membersOf(value, path);
  const mode = members.find(([name]) => name === 'mode')?.[1] ?? 'DEFAULT';
  if (mode !== 'DEFAULT' && mode !== 'INSENSITIVE') {
    throw invalidField(`${path}.mode`, 'option', `${path}.mode must be DEFAULT or INSENSITIVE`);
  }
  const nodes = members.flatMap(([name, operand]): FilterNode[] => {
    if (name === 'mode' && comparison === 'TEXT') return [];
    const at = `${path}.${name}`;
    const member =
      comparison === 'FILE' && typeof subject !== 'string' ? fileMemberField(subject, name) : undefined;
    if (member) return [readComparison(reading, member, ruleOf(member).comparisonKind, operand, at)];
    const operator = operatorsOf[comparison].find((known) => known === name);
    if (!operator)
      throw invalidField(
        at,
        'unknown',
        `${at} is not known: there are ${operatorsOf[comparison].join(', ')}`,
      );
    count(reading, at);
    const { variables } = reading;
    const compared = { comparison, subject, isInsensitive: mode === 'INSENSITIVE', variables };
    return [comparisonNode(compared, operator, operand, at)];
  });
  return nodes.length === 1 ? (nodes[0] as FilterNode) : { kind: 'all', nodes };
}

type Compared = Pick<ComparisonNode, 'comparison' | 'subject' | 'isInsensitive'> & Pick<Reading, 'variables'>;

/** Negative operators become `not` around their opposites, so that records without a value are included. */
function comparisonNode(compared: Compared, operator: Operator, operand: unknown, path: string): FilterNode {
  const { comparison, subject, isInsensitive } = compared;
  const leaf = (positive: ComparisonNode['operator'], value: unknown): FilterNode => ({
    kind: 'comparison',
    comparison,
    subject,
    operator: positive,
    value,
    isInsensitive,
  });
  if (operator === 'eq' || operator === 'ne') {
    const isNull = operand === null;
    const node = isNull ? leaf('isNull', true) : leaf('eq', readOperand(compared, operand, path));
    return operator === 'eq' ? node : { kind: 'not', node };
  }
  if (operand === null || operand === undefined) {
    throw invalidField(path, 'null', `${path} must not be null: leave it out, or use isNull`);
  }
  if (operator === 'isNull') {
    if (typeof operand !== 'boolean') throw invalidField(path, 'type', `${path} must be true or false`);
    return leaf('isNull', operand);
  }
  if (!listOperators.has(operator))
    return leaf(operator as ComparisonNode['operator'], readOperand(compared, operand, path));
  const items = Array.isArray(operand) ? operand : [operand];
  if (items.length > filterLimits.listLength) {
    throw invalidField(
      path,
      'maxLength',
      `${path} must hold at most ${filterLimits.listLength} values, holds ${items.length}`,
    );
  }
  const values = items.map((item, i) => readOperand(compared, item, `${path}.${i}`));
  if (operator === 'notIn') return { kind: 'not', node: leaf('in', values) };
  if (operator === 'none') return { kind: 'not', node: leaf('some', values) };
  return leaf(operator, values);
}

/** An operand in stored form. The field's own limits do not apply: one may ask for what cannot be. */
function readOperand(compared: Compared, given: unknown, path: string): unknown {
  const operand = bindVariable(compared, given);
  const report: Report = (rule, sentence) => {
    throw invalidField(path, rule, `${path} ${sentence}`);
  };
  const { subject } = compared;
  const bare = typeof subject === 'string' ? null : { ...subject, validation: null };
  switch (compared.comparison) {
    case 'TEXT':
      if (typeof operand !== 'string') return report('type', 'must be text');
      if (operand.length > filterLimits.textLength) {
        return report('maxLength', `must have at most ${filterLimits.textLength} characters`);
      }
      isStorableText(operand, report);
      return operand;
    case 'ID':
      if (typeof operand !== 'string') return report('type', 'must be an id');
      // Text that is no id is an id that nothing has.
      return readId(operand) ?? '';
    case 'TARGET':
      return readTarget(subject, operand, report);
    case 'TIME':
      return bare
        ? ruleOf(bare).parse(operand, bare, report)
        : parseDateTime(operand, { validation: null }, report);
    case 'NUMBER':
      return bare
        ? ruleOf(bare).parse(operand, bare, report)
        : parseInteger(operand, { validation: null }, report);
    case 'CHOICES':
      return ruleOf({ type: 'SELECT' }).parse(operand, bare as FieldDefinition, report);
    case 'DOCUMENT':
      return parseJson(operand, null, report);
    default:
      return ruleOf(bare as FieldDefinition).parse(operand, bare as FieldDefinition, report);
  }
}

function bindVariable({ comparison, subject, variables }: Compared, operand: unknown): unknown {
  if (variables === null) return operand;
  if (operand === '$me' && (comparison === 'ID' || comparison === 'TEXT')) return variables.me;
  if (operand !== '$now' || comparison !== 'TIME') return operand;
  const now = variables.now.toISOString();
  return typeof subject !== 'string' && subject.type === 'DATE' ? now.slice(0, 10) : now;
}

/** The id of the entity that a value of a union's enum stands for. */
function readTarget(field: Compared['subject'], operand: unknown, report: Report): unknown {
  if (typeof field === 'string') throw new Error(`${field} is no union`);
  const target = typeof operand === 'string' ? findTarget(field, operand) : undefined;
  if (target) return target.entityId;
  return report('option', `must be one of ${activeTargets(field).map(targetValue).join(', ')}`);
}

function membersOf(value: unknown, path: string): [string, unknown][] {
  if (value === null || value === undefined) {
    throw invalidField(path, 'null', `${path} must not be null: leave it out`);
  }
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalidField(path, 'type', `${path} must be an object`);
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

function count(reading: Pick<Reading, 'conditions'>, path: string): void {
  reading.conditions += 1;
  if (reading.conditions > filterLimits.conditions) {
    throw invalidField(path, 'maxLength', `the filter has more than ${filterLimits.conditions} conditions`);
  }
}
