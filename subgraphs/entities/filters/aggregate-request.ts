/** `groupBy having orderBy first offset` of an aggregate become a checked plan, or BAD_USER_INPUT that names the member. */
import { invalidField } from '#schema/errors.ts';
import {
  aggregateFunctions,
  canAggregate,
  dateBuckets,
  isGroupable,
  isTimeField,
  systemTimes,
} from '#subgraphs/model/aggregate/members.ts';
import type {
  AggregateFunction,
  DateBucket,
  SystemGroupMember,
  SystemTime,
} from '#subgraphs/model/aggregate/members.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import { membersOf } from '#subgraphs/model/filter/reading.ts';
import { parseComparison } from '#subgraphs/model/filter/validate.ts';
import { typeName } from '#subgraphs/model/names.ts';
import {
  findField,
  findRelationByIdName,
  findUnionByTypeName,
  getTarget,
} from '#subgraphs/model/relations.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { readDirection, readOnlyMember } from './list-order.ts';

export const aggregateLimits = {
  groupBy: 5,
  orderBy: 10,
  relationDepth: 5,
  groups: 1_000,
  offset: 1_000_000,
  havingConditions: 100,
} as const;

/** What records are grouped by. */
export interface GroupKey {
  /** The relations that lead from the counted record to the one that is looked at. */
  readonly relations: readonly FieldDefinition[];
  /** A RELATION stands for its id. */
  readonly subject: FieldDefinition | SystemGroupMember;
  readonly bucket: DateBucket | null;
  /** Of a relation to several entities: the entity that it points at, in place of the id. */
  readonly part?: 'type';
  /** Where the value stands in a group: `['company', 'name']`. */
  readonly path: readonly string[];
}

export interface Measure {
  readonly name: AggregateFunction;
  readonly subject: FieldDefinition | SystemTime;
  /** As it was asked for: a field's name or an old one, of a relation its id's. */
  readonly member: string;
}

export type HavingNode =
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly HavingNode[] }
  | { readonly kind: 'not'; readonly node: HavingNode }
  | { readonly kind: 'compared'; readonly what: Measure | 'count'; readonly comparison: FilterNode };

export interface GroupOrder {
  /** A number is the place of a key in `groupBy`. */
  readonly by: number | 'count' | Measure;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
}

export interface AggregatePlan {
  readonly keys: readonly GroupKey[];
  readonly having: HavingNode | null;
  readonly order: readonly GroupOrder[];
  readonly limit: number;
  readonly offset: number;
}

type Members = Readonly<Record<string, unknown>>;

export interface AggregateArguments {
  readonly groupBy?: readonly Members[] | Members | null;
  readonly having?: Members | null;
  readonly orderBy?: readonly Members[] | Members | null;
  readonly first?: number | null;
  readonly offset?: number | null;
}

export function parseAggregate(
  model: TenantModel,
  entity: EntityDefinition,
  args: AggregateArguments,
): AggregatePlan {
  const keys = listOf(args.groupBy, 'groupBy', aggregateLimits.groupBy).map((term, i) =>
    readGroupKey(model, entity, term, `groupBy.${i}`, [], []),
  );
  const names = keys.map((key) => key.path.join('.'));
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice !== -1)
    throw invalidField(
      `groupBy.${twice}.${names[twice]}`,
      'duplicate',
      `groupBy names ${names[twice]} twice`,
    );
  const { having } = args;
  return {
    keys,
    having:
      having === null || having === undefined ? null : readHaving(entity, having, 'having', { count: 0 }),
    order: listOf(args.orderBy, 'orderBy', aggregateLimits.orderBy).map((term, i) =>
      readGroupOrder(entity, names, term, `orderBy.${i}`),
    ),
    limit: readNumber(args.first, 'first', 1, aggregateLimits.groups) ?? aggregateLimits.groups,
    offset: readNumber(args.offset, 'offset', 0, aggregateLimits.offset) ?? 0,
  };
}

/** A field (or system time) that has the function, by its member's name; undefined where there is none. */
export function findMeasure(
  entity: EntityDefinition,
  name: AggregateFunction,
  member: string,
): Measure | undefined {
  const time = systemTimes.find((known) => known === member);
  if (time && (name === 'min' || name === 'max')) return { name, subject: time, member };
  const named = findField(entity, member);
  // A relation is counted by its id's name alone.
  const field = named?.type === 'RELATION' ? undefined : (named ?? findRelationByIdName(entity, member));
  return field && canAggregate(name, field) ? { name, subject: field, member } : undefined;
}

function listOf(
  value: readonly Members[] | Members | null | undefined,
  name: string,
  limit: number,
): Members[] {
  if (value === null || value === undefined) return [];
  // GraphQL's own rule for lists: a single value stands for a list of it.
  const items = (Array.isArray(value) ? value : [value]) as Members[];
  if (items.length > limit)
    throw invalidField(name, 'maxLength', `${name} must hold at most ${limit} terms, holds ${items.length}`);
  return items;
}

function readNumber(
  value: number | null | undefined,
  name: string,
  least: number,
  most: number,
): number | null {
  if (value === null || value === undefined) return null;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalidField(name, 'range', `${name} must lie between ${least} and ${most}, not ${value}`);
}

function readGroupKey(
  model: TenantModel,
  entity: EntityDefinition,
  term: unknown,
  at: string,
  relations: readonly FieldDefinition[],
  before: readonly string[],
): GroupKey {
  const [name, value] = readOnlyMember(term, at, '{ status: true } or { createdAt: MONTH }');
  const memberPath = `${at}.${name}`;
  const path = [...before, name];
  if (name === 'createdBy') return { relations, subject: name, bucket: readTrue(value, memberPath), path };
  const time = systemTimes.find((known) => known === name);
  if (time) return { relations, subject: time, bucket: readBucket(value, memberPath), path };
  const field = findField(entity, name);
  const relation = field ? undefined : findRelationByIdName(entity, name);
  if (relation && isGroupable(relation))
    return { relations, subject: relation, bucket: readTrue(value, memberPath), path };
  const union = field ? undefined : findUnionByTypeName(entity, name);
  if (union && isGroupable(union))
    return { relations, subject: union, bucket: readTrue(value, memberPath), part: 'type', path };
  if (!field || !isGroupable(field) || isUnion(field)) {
    throw invalidField(
      memberPath,
      'unknown',
      `${memberPath} is not known: ${typeName(entity)} cannot be grouped by ${name}`,
    );
  }
  if (field.type !== 'RELATION') {
    const bucket = isTimeField(field) ? readBucket(value, memberPath) : readTrue(value, memberPath);
    return { relations, subject: field, bucket, path };
  }
  if (relations.length >= aggregateLimits.relationDepth) {
    throw invalidField(
      memberPath,
      'depth',
      `${memberPath} follows more than ${aggregateLimits.relationDepth} relations`,
    );
  }
  return readGroupKey(model, getTarget(model, field), value, memberPath, [...relations, field], path);
}

function readTrue(value: unknown, path: string): null {
  if (value === true) return null;
  throw invalidField(path, 'option', `${path} must be true, or be left out`);
}

function readBucket(value: unknown, path: string): DateBucket {
  const bucket = dateBuckets.find((known) => known === value);
  if (bucket) return bucket;
  throw invalidField(path, 'option', `${path} must be one of ${dateBuckets.join(', ')}`);
}

function readHaving(
  entity: EntityDefinition,
  having: unknown,
  path: string,
  reading: { count: number },
): HavingNode {
  reading.count += 1;
  if (reading.count > aggregateLimits.havingConditions) {
    throw invalidField(
      path,
      'maxLength',
      `having has more than ${aggregateLimits.havingConditions} conditions`,
    );
  }
  const nodes = membersOf(having, path).map(([name, value]): HavingNode => {
    const at = `${path}.${name}`;
    if (name === 'and' || name === 'or') {
      const items = Array.isArray(value) ? value : [value];
      const inner = items.map((item, i) => readHaving(entity, item, `${at}.${i}`, reading));
      return { kind: name === 'and' ? 'all' : 'any', nodes: inner };
    }
    if (name === 'not') return { kind: 'not', node: readHaving(entity, value, at, reading) };
    // A count is compared as a version is: as a whole number.
    if (name === 'count')
      return { kind: 'compared', what: 'count', comparison: parseComparison('version', value, at) };
    const known = aggregateFunctions.find((candidate) => candidate === name);
    if (!known) throw invalidField(at, 'unknown', `${at} is not known`);
    const compared = membersOf(value, at).map(([member, comparison]): HavingNode => {
      const measure = getMeasure(entity, known, member, `${at}.${member}`);
      reading.count += 1;
      return {
        kind: 'compared',
        what: measure,
        comparison: parseComparison(comparedAs(measure), comparison, `${at}.${member}`),
      };
    });
    return { kind: 'all', nodes: compared };
  });
  return { kind: 'all', nodes };
}

/** What a measure's values are compared as. */
function comparedAs({ name, subject }: Measure): FieldDefinition | SystemTime | 'version' {
  if (name === 'countDistinct') return 'version';
  if (typeof subject === 'string') return subject;
  // Sums and means of whole numbers are none of 32 bits.
  if (name === 'sum' || name === 'avg')
    return subject.type === 'INTEGER' ? { ...subject, type: 'NUMBER' } : subject;
  return subject;
}

function readGroupOrder(
  entity: EntityDefinition,
  groups: readonly string[],
  term: unknown,
  path: string,
): GroupOrder {
  const [name, value] = readOnlyMember(term, path, '{ count: DESC }');
  const at = `${path}.${name}`;
  if (name === 'count') return { by: 'count', ...readDirection(value, at) };
  if (name === 'group') {
    const names: string[] = [];
    let inner = value;
    while (typeof inner === 'object') {
      const [member, next] = readOnlyMember(inner, [at, ...names].join('.'), '{ status: ASC }');
      names.push(member);
      inner = next;
    }
    const memberPath = [at, ...names].join('.');
    const place = groups.indexOf(names.join('.'));
    if (place === -1)
      throw invalidField(memberPath, 'unknown', `${memberPath} is not what the records are grouped by`);
    return { by: place, ...readDirection(inner, memberPath) };
  }
  const known = aggregateFunctions.find((candidate) => candidate === name);
  if (!known) throw invalidField(at, 'unknown', `${at} is not known`);
  const [member, direction] = readOnlyMember(value, at, '{ amount: DESC }');
  const memberPath = `${at}.${member}`;
  return { by: getMeasure(entity, known, member, memberPath), ...readDirection(direction, memberPath) };
}

function getMeasure(
  entity: EntityDefinition,
  name: AggregateFunction,
  member: string,
  path: string,
): Measure {
  const measure = findMeasure(entity, name, member);
  if (measure) return measure;
  throw invalidField(
    path,
    'unknown',
    `${path} is not known: ${typeName(entity)} has no ${name} of ${member}`,
  );
}
