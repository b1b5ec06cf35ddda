/**
 * The filter language in SDL. The entities and the realtime subgraph both publish these types; federation wants them
 * identical, so both take them from here.
 */
import { deprecation } from '../aliases.ts';
import { fieldTypeRules } from '../field-types.ts';
import type { ComparisonKind } from '../field-types.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import {
  filterTypeName,
  listFilterTypeName,
  relationIdName,
  selectComparisonName,
  selectEnumName,
  typeName,
  relationTypeName,
  unionNames,
} from '../names.ts';
import { getTarget, inversesOf, isManyToMany, isSingleInverse, targetMembers } from '../relations.ts';
import { describe } from '../sdl-text.ts';
import { fileComparisonSdl } from './file-members.ts';
import { isUnion } from '../union-relations.ts';
import { isTaken } from './member-names.ts';
import { listOperators, operatorDescriptions, operatorsOf } from './comparisons.ts';
import type { Operator } from './comparisons.ts';

/** System members that every filter has, with their comparisons. */
export const systemFilterMembers = {
  id: { kind: 'ID', type: 'IDComparison', description: "The record's id." },
  version: { kind: 'NUMBER', type: 'IntComparison', description: "The record's version." },
  createdAt: { kind: 'TIME', type: 'DateTimeComparison', description: 'When it was created.' },
  updatedAt: { kind: 'TIME', type: 'DateTimeComparison', description: 'When it was last changed.' },
  createdBy: { kind: 'ID', type: 'IDComparison', description: 'The id of the user who created it.' },
  deletedAt: { kind: 'TIME', type: 'DateTimeComparison', description: 'When it was deleted.' },
} as const satisfies Record<string, { kind: ComparisonKind; type: string; description: string }>;
export type SystemFilterMember = keyof typeof systemFilterMembers;

const staticComparisons: readonly {
  type: string;
  kind: ComparisonKind;
  value: string;
  description: string;
}[] = [
  {
    type: 'StringComparison',
    kind: 'TEXT',
    value: 'String',
    description:
      'Compares text. `lt lte gt gte` go by the folded text (no case, no accents), the rest by `mode`.',
  },
  { type: 'IntComparison', kind: 'NUMBER', value: 'Int', description: 'Compares whole numbers.' },
  { type: 'FloatComparison', kind: 'NUMBER', value: 'Float', description: 'Compares numbers.' },
  { type: 'DecimalComparison', kind: 'DECIMAL', value: 'Decimal', description: 'Compares exact numbers.' },
  { type: 'BooleanComparison', kind: 'FLAG', value: 'Boolean', description: 'Compares true and false.' },
  { type: 'DateComparison', kind: 'TIME', value: 'Date', description: 'Compares days.' },
  { type: 'DateTimeComparison', kind: 'TIME', value: 'DateTime', description: 'Compares instants.' },
  { type: 'IDComparison', kind: 'ID', value: 'ID', description: 'Compares ids.' },
  {
    type: 'JSONComparison',
    kind: 'DOCUMENT',
    value: 'JSON',
    description: 'Compares whole JSON values; the order of members does not matter.',
  },
];

/** Names of the types that do not depend on a tenant; none of them can be a tenant's. */
export const staticFilterTypeNames: readonly string[] = [
  'Decimal',
  'FileComparison',
  'TextMode',
  ...staticComparisons.map((comparison) => comparison.type),
];

/** The comparison inputs that all tenants share, the enum `TextMode` and the scalar `Decimal`. */
export function comparisonInputsSdl(): string {
  const inputs = staticComparisons.map(({ type, kind, value, description }) =>
    comparisonSdl(type, kind, value, description),
  );
  return `"""
An exact decimal number, as text: "1234.50". Numbers of up to 15 digits are taken as well; give longer ones as text.
"""
scalar Decimal

"""How text is compared."""
enum TextMode {
  "Exactly."
  DEFAULT
  "Without regard to case and accents."
  INSENSITIVE
}

${[...inputs, fileComparisonSdl].join('\n\n')}`;
}

function comparisonSdl(name: string, kind: ComparisonKind, value: string, description: string): string {
  const members = operatorsOf[kind].map((operator) => {
    const type = operator === 'isNull' ? 'Boolean' : listOperators.has(operator) ? `[${value}!]` : value;
    return `  "${operatorDescriptions[operator satisfies Operator]}"\n  ${operator}: ${type}`;
  });
  if (kind === 'TEXT')
    members.push('  "Applies to all but `lt lte gt gte`; DEFAULT where absent."\n  mode: TextMode');
  return `${describe(`${description} Members that are given must all hold.`)}input ${name} {\n${members.join('\n')}\n}`;
}

/** `ContactFilter`, `ContactListFilter`, and the comparisons of the entity's filterable SELECT and MULTI_SELECT fields. */
export function filterSdl(model: TenantModel, entity: EntityDefinition): string {
  const name = filterTypeName(entity);
  const members = [
    `  "All of these hold."\n  and: [${name}!]`,
    `  "At least one of these holds."\n  or: [${name}!]`,
    `  "This does not hold."\n  not: ${name}`,
    ...(isTaken(model, entity, 'is') ? [] : [`  "This holds; the same as its members here."\n  is: ${name}`]),
    ...(isTaken(model, entity, 'isNot')
      ? []
      : [
          `  "This does not hold; through a relation also where there is no record at its other end."\n  isNot: ${name}`,
        ]),
    ...Object.entries(systemFilterMembers).map(
      ([member, rule]) => `  "${rule.description}"\n  ${member}: ${rule.type}`,
    ),
  ];
  const choices: string[] = [];
  for (const field of entity.fields) {
    if (!field.isFilterable) continue;
    const description = describe(field.description ?? field.label, '  ');
    const deprecated = deprecation(field);
    const comparison = fieldTypeRules[field.type].comparisonType(entity, field);
    if (field.type === 'RELATION') {
      const names = unionNames(entity, field);
      const filter = isUnion(field) ? names.filter : filterTypeName(getTarget(model, field));
      members.push(`${description}  ${field.name}: ${filter}${deprecated}`);
      members.push(
        `  "The id of ${field.name}."\n  ${relationIdName(field.name)}: ${comparison}${deprecated}`,
      );
      if (!isUnion(field)) continue;
      members.push(
        `  "What ${field.name} is."\n  ${relationTypeName(field.name)}: ${names.comparison}${deprecated}`,
      );
      choices.push(unionFilterSdl(model, entity, field));
      continue;
    }
    if (isManyToMany(field)) {
      members.push(
        `${description}  ${field.name}: ${listFilterTypeName(getTarget(model, field))}${deprecated}`,
      );
      continue;
    }
    members.push(`${description}  ${field.name}: ${comparison}${deprecated}`);
    if (field.type === 'SELECT' || field.type === 'MULTI_SELECT')
      choices.push(choiceComparisonSdl(entity, field));
  }
  for (const inverse of inversesOf(model, entity)) {
    if (inverse.name === null || !inverse.field.isFilterable) continue;
    if (isSingleInverse(inverse)) {
      members.push(
        `  "There is a ${typeName(inverse.entity)} record whose ${inverse.field.name} this is, and it matches."\n  ${inverse.name}: ${filterTypeName(inverse.entity)}`,
      );
      continue;
    }
    members.push(
      `  "The ${typeName(inverse.entity)} records whose ${inverse.field.name} this is."\n  ${inverse.name}: ${listFilterTypeName(inverse.entity)}`,
    );
  }
  return [
    `"""Chooses among ${typeName(entity)} records. Members that are given must all hold."""\ninput ${name} {\n${members.join('\n')}\n}`,
    `"""Chooses by the ${typeName(entity)} records at the other end of a relation."""
input ${listFilterTypeName(entity)} {
  "At least one of them matches."
  some: ${name}
  "None of them matches."
  none: ${name}
  "All of them match, or there are none."
  every: ${name}
}`,
    ...choices,
  ].join('\n\n');
}

/** `ActivitySubjectFilter` and `ActivitySubjectTypeComparison`. */
function unionFilterSdl(model: TenantModel, entity: EntityDefinition, field: FieldDefinition): string {
  const { filter, type, comparison } = unionNames(entity, field);
  const targets = targetMembers(model, field);
  const members = targets.map(
    ({ name, target, deprecated }) =>
      `  "It is a ${typeName(target)}, and matches."\n  ${name}: ${filterTypeName(target)}${deprecated}`,
  );
  if (!targets.some(({ name }) => name === 'isNull'))
    members.push('  "True: it is nothing. False: it is something."\n  isNull: Boolean');
  const what = `Compares what ${field.name} of ${typeName(entity)} is.`;
  return `"Chooses by ${field.name} of ${typeName(entity)}. Members that are given must all hold."
input ${filter} {
${members.join('\n')}
}

${comparisonSdl(comparison, 'TARGET', type, what)}`;
}

function choiceComparisonSdl(entity: EntityDefinition, field: FieldDefinition): string {
  return comparisonSdl(
    selectComparisonName(entity, field),
    fieldTypeRules[field.type].comparisonKind,
    selectEnumName(entity, field),
    `Compares the field ${field.name} of ${typeName(entity)}.`,
  );
}
