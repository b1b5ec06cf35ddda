/** An entity's members of Query. */
import { deprecateMembers } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import {
  aggregateNames,
  aggregateTypeName,
  connectionTypeName,
  filterTypeName,
  groupByTypeName,
  orderTypeName,
  rootNames,
  typeName,
  uniqueQueryName,
} from '#subgraphs/model/names.ts';
import { describe } from '#subgraphs/model/sdl-text.ts';
import { memberName, uniqueGroupsOf, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import { uniqueFields } from './enums.ts';
import { historyQuerySdl } from './history-sdl.ts';

export function queriesSdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  const names = rootNames(entity);
  return `  "One ${type}; null where it is unknown or deleted."
  ${names.one}(
    "The record's id."
    id: ID!
  ): ${type}
${uniqueFields(entity)
  .map((field) => `${deprecateUnless(entity, field)}\n`)
  .join('')}${uniqueGroupsOf(entity)
  .map(({ key }) => `${groupQuerySdl(entity, key)}\n`)
  .join('')}${describe(entity.description ?? entity.label ?? `${type} records.`, '  ')}  ${names.many}(
    "How many from the start, 1 to 1,000; 50 where absent."
    first: Int
    "The cursor to go on from."
    after: String
    "How many from the end, 1 to 1,000."
    last: Int
    "The cursor to end before."
    before: String
    "How many to skip; not together with a cursor."
    offset: Int
    "Which ones."
    filter: ${filterTypeName(entity)}
    "In which order; where absent the best answers to \`search\` first, else by creation."
    orderBy: [${orderTypeName(entity)}!]
    "Words that the searchable fields contain, all of them, without regard to case and accents: whole words rank before beginnings of words, those before parts."
    search: String
    "Whether deleted records are listed too; for USER and above."
    includeDeleted: Boolean
  ): ${connectionTypeName(entity)}!
  "Figures over ${type} records: one group of all of them, or one for each different value of \`groupBy\`."
  ${names.aggregate}(
    "Which records."
    filter: ${filterTypeName(entity)}
    "Words to look for in the searchable fields."
    search: String
    "Whether deleted records count too; for USER and above."
    includeDeleted: Boolean
    "What the records of a group share, up to 5; all records are one group where absent."
    groupBy: [${groupByTypeName(entity)}!]
    "Which groups."
    having: ${aggregateNames(entity).having}
    "In which order; by what the groups share where absent."
    orderBy: [${aggregateNames(entity).order}!]
    "How many groups from the start, 1 to 1,000; 1,000 where absent."
    first: Int
    "How many groups to skip."
    offset: Int
  ): [${aggregateTypeName(entity)}!]!${historyQuerySdl(entity)}`;
}

/** Under an old name of the entity all its queries are deprecated together. */
function deprecateUnless(entity: EntityDefinition, field: FieldDefinition): string {
  const sdl = uniqueQuerySdl(entity, field);
  return entity.aliasOf === undefined ? deprecateMembers(field, sdl) : sdl;
}

function uniqueQuerySdl(entity: EntityDefinition, field: FieldDefinition): string {
  return `  "The ${typeName(entity)} with this ${field.name}; null where there is none."
  ${uniqueQueryName(entity, field)}(
    "The value."
    ${memberName(field)}: ${ruleOf(field).inputType(entity, field)}!
  ): ${typeName(entity)}`;
}

function groupQuerySdl(entity: EntityDefinition, key: UniqueKey): string {
  const members = key.fields.map(
    (field) => `    "The ${field.name}."
    ${memberName(field)}: ${ruleOf(field).inputType(entity, field)}!`,
  );
  return `  "The ${typeName(entity)} with these values of ${key.fields.map(memberName).join(' and ')}; null where there is none."
  ${uniqueQueryName(entity, key)}(
${members.join('\n')}
  ): ${typeName(entity)}`;
}
