/** Aggregates in SDL: what `contactsAggregate` takes and answers. */
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { deprecation } from '../aliases.ts';
import { ruleOf } from '../field-types.ts';
import {
  aggregateNames,
  aggregateTypeName,
  groupByTypeName,
  orderTypeName,
  relationIdName,
  relationTypeName,
  typeName,
  unionNames,
} from '../names.ts';
import { getTarget } from '../relations.ts';
import { isUnion } from '../union-relations.ts';
import { aggregateFunctions, canAggregate, dateBuckets, isGroupable, isTimeField } from './members.ts';
import type { AggregateFunction } from './members.ts';

/** The enum that all tenants share. */
export function dateBucketSdl(): string {
  return `"""How wide a group of dates is, in UTC. A group is named by its first day; weeks begin on Monday."""
enum DateBucket {
  ${dateBuckets.join('\n  ')}
}`;
}

const functionDescriptions: Readonly<Record<AggregateFunction, string>> = {
  countDistinct: 'How many different values there are; none is not counted.',
  sum: 'The sum; null where no record has a value.',
  avg: 'The mean of the values that there are; null where there is none.',
  min: 'The least value.',
  max: 'The greatest value.',
};

/** The types that hold a function's results, by function; null where no field of the entity has the function. */
function resultTypeOf(entity: EntityDefinition, name: AggregateFunction): string | null {
  const names = aggregateNames(entity);
  if (name === 'min' || name === 'max') return names.bounds;
  if (!entity.fields.some((field) => canAggregate(name, field))) return null;
  return name === 'countDistinct' ? names.distinct : names.totals;
}

/** The type of a field's sum and mean. Those of whole numbers outgrow `Int`, and a mean has a fraction. */
function totalType(entity: EntityDefinition, field: FieldDefinition): string {
  return field.type === 'INTEGER' ? 'Float' : ruleOf(field).outputType(entity, field);
}

const comparisonOf = (type: string): string => `${type}Comparison`;

/** A member with its description, a field's name. */
const member = (name: string, type: string, deprecated = ''): string =>
  `  "${name}."\n  ${name}: ${type}${deprecated}`;

/** The types of one entity. */
export function aggregateSdl(model: TenantModel, entity: EntityDefinition): string {
  const names = aggregateNames(entity);
  const type = typeName(entity);
  const grouped = groupMembers(model, entity);
  const withFunction = (name: AggregateFunction) =>
    entity.fields.filter((field) => canAggregate(name, field));
  const fieldType = (field: FieldDefinition): string => ruleOf(field).outputType(entity, field);
  const distinct = withFunction('countDistinct').map(
    (field) => [distinctName(field), deprecation(field)] as const,
  );
  const totals = withFunction('sum').map(
    (field) => [field.name, totalType(entity, field), deprecation(field)] as const,
  );
  const bounds = [
    ...withFunction('min').map((field) => [field.name, fieldType(field), deprecation(field)] as const),
    ['createdAt', 'DateTime', ''] as const,
    ['updatedAt', 'DateTime', ''] as const,
  ];
  const results = aggregateFunctions.flatMap((name) => {
    const result = resultTypeOf(entity, name);
    return result === null ? [] : [{ name, result, description: functionDescriptions[name] }];
  });
  const block = (kind: 'type' | 'input', name: string, description: string, members: string[]): string =>
    members.length === 0 ? '' : `"${description}"\n${kind} ${name} {\n${members.join('\n')}\n}`;

  return [
    block('type', aggregateTypeName(entity), `Figures of a group of ${type} records.`, [
      `  "What its records share; null for what \`groupBy\` does not name, and in the group of those without a value."\n  group: ${names.group}!`,
      `  "How many records."\n  count: Int!`,
      ...results.map(({ name, result, description }) => `  "${description}"\n  ${name}: ${result}!`),
    ]),
    block(
      'type',
      names.group,
      `What a group of ${type} records shares; of dates the first day.`,
      grouped.map(({ name, output, deprecated }) => member(name, output, deprecated)),
    ),
    block(
      'type',
      names.distinct,
      `Numbers of different values of ${type} records.`,
      distinct.map(([name, deprecated]) => member(name, 'Int!', deprecated)),
    ),
    block(
      'type',
      names.totals,
      `Sums or means of ${type} records.`,
      totals.map(([name, value, deprecated]) => member(name, value, deprecated)),
    ),
    block(
      'type',
      names.bounds,
      `Least or greatest values of ${type} records.`,
      bounds.map(([name, value, deprecated]) => member(name, value, deprecated)),
    ),
    block(
      'input',
      groupByTypeName(entity),
      `What ${type} records are grouped by: exactly one member, true, a bucket, or a member of a related record.`,
      grouped.map(({ name, input, deprecated }) => member(name, input, deprecated)),
    ),
    block('input', names.having, `Chooses groups of ${type} records. Members that are given must all hold.`, [
      `  "All of these hold."\n  and: [${names.having}!]`,
      `  "At least one of these holds."\n  or: [${names.having}!]`,
      `  "This does not hold."\n  not: ${names.having}`,
      `  "How many records."\n  count: IntComparison`,
      ...results.map(
        ({ name, description }) => `  "${description}"\n  ${name}: ${havingTypeOf(entity, name)}`,
      ),
    ]),
    block(
      'input',
      names.havingDistinct,
      'Compares numbers of different values.',
      distinct.map(([name, deprecated]) => member(name, 'IntComparison', deprecated)),
    ),
    block(
      'input',
      names.havingTotals,
      'Compares sums or means.',
      totals.map(([name, value, deprecated]) => member(name, comparisonOf(value), deprecated)),
    ),
    block(
      'input',
      names.havingBounds,
      'Compares least or greatest values.',
      bounds.map(([name, value, deprecated]) => member(name, comparisonOf(value), deprecated)),
    ),
    block('input', names.order, `How groups of ${type} records are ordered: one member for each term.`, [
      `  "By what the group shares; it must stand in \`groupBy\`."\n  group: ${orderTypeName(entity)}`,
      `  "How many records."\n  count: OrderDirection`,
      ...results.map(({ name, description }) => `  "${description}"\n  ${name}: ${orderTypeName(entity)}`),
    ]),
  ]
    .filter((sdl) => sdl !== '')
    .join('\n\n');
}

function havingTypeOf(entity: EntityDefinition, name: AggregateFunction): string {
  const names = aggregateNames(entity);
  if (name === 'countDistinct') return names.havingDistinct;
  return name === 'sum' || name === 'avg' ? names.havingTotals : names.havingBounds;
}

/** A field's member among the counts of different values: of a relation its id's. */
export function distinctName(field: FieldDefinition): string {
  return field.type === 'RELATION' ? relationIdName(field.name) : field.name;
}

interface GroupMember {
  readonly name: string;
  readonly output: string;
  readonly input: string;
  readonly deprecated?: string;
}

function groupMembers(model: TenantModel, entity: EntityDefinition): GroupMember[] {
  const members = entity.fields.filter(isGroupable).flatMap((field): GroupMember[] => {
    const output = ruleOf(field).outputType(entity, field);
    const deprecated = deprecation(field);
    if (field.type !== 'RELATION') {
      return [{ name: field.name, output, input: isTimeField(field) ? 'DateBucket' : 'Boolean', deprecated }];
    }
    const id = { name: relationIdName(field.name), output, input: 'Boolean', deprecated };
    if (isUnion(field)) {
      return [
        id,
        {
          name: relationTypeName(field.name),
          output: unionNames(entity, field).type,
          input: 'Boolean',
          deprecated,
        },
      ];
    }
    const target = getTarget(model, field);
    return [
      { name: field.name, output: aggregateNames(target).group, input: groupByTypeName(target), deprecated },
      id,
    ];
  });
  return [
    ...members,
    { name: 'createdAt', output: 'DateTime', input: 'DateBucket' },
    { name: 'updatedAt', output: 'DateTime', input: 'DateBucket' },
    { name: 'createdBy', output: 'User', input: 'Boolean' },
  ];
}
