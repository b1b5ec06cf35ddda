/** An entity's object type: `type Contact @key(fields: "id") { … }`. */
import { deprecateMembers } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import {
  connectionTypeName,
  filterTypeName,
  orderTypeName,
  relationIdName,
  relationTypeName,
  typeName,
  unionNames,
} from '#subgraphs/model/names.ts';
import {
  getTarget,
  type Inverse,
  inversesOf,
  isManyToMany,
  isSingleInverse,
} from '#subgraphs/model/relations.ts';
import { isUnion, relationViews } from '#subgraphs/model/union-relations.ts';
import { describe } from '#subgraphs/model/sdl-text.ts';

export function objectTypeSdl(model: TenantModel, entity: EntityDefinition): string {
  const members = [
    `  "The record's id."\n  id: ID!`,
    ...entity.fields.map((field) => deprecateMembers(field, fieldSdl(model, entity, field))),
    ...inversesOf(model, entity).flatMap((inverse) =>
      inverse.name === null ? [] : [inverseSdl(inverse.name, inverse)],
    ),
    `  "Rises with each change; 1 at first."\n  version: Int!`,
    '  "When it was created."\n  createdAt: DateTime!',
    '  "When it last changed."\n  updatedAt: DateTime!',
    '  "Who created it; null where no user did."\n  createdBy: User',
    '  "When it was deleted; null while it is not."\n  deletedAt: DateTime',
  ];
  const description = entity.description ?? entity.label ?? `A record of ${entity.name}.`;
  return `${describe(description)}type ${typeName(entity)} @key(fields: "id") {\n${members.join('\n')}\n}`;
}

function fieldSdl(model: TenantModel, entity: EntityDefinition, field: FieldDefinition): string {
  const description = describe(describeField(field), '  ');
  const type = ruleOf(field).outputType(entity, field);
  if (isManyToMany(field)) return listSdl(`${description}  ${field.name}`, getTarget(model, field));
  if (field.type !== 'RELATION')
    return `${description}  ${field.name}: ${type}${field.isRequired ? '!' : ''}`;
  const names = unionNames(entity, field);
  // Null where the other record was deleted, so never `!`.
  return [
    `${description}  ${field.name}: ${isUnion(field) ? names.union : typeName(getTarget(model, field))}`,
    `  "The id of ${field.name}."\n  ${relationIdName(field.name)}: ${type}`,
    ...(isUnion(field)
      ? [`  "What ${field.name} is."\n  ${relationTypeName(field.name)}: ${names.type}`]
      : []),
  ].join('\n');
}

/** The unions of the entity's relations to several entities: `union ActivitySubject = Client | Project`. */
export function unionsSdl(model: TenantModel, entity: EntityDefinition): string {
  return entity.fields
    .filter(isUnion)
    .map((field) => {
      const members = relationViews(field).map((view) => typeName(getTarget(model, view)));
      return `"What ${field.name} of ${typeName(entity)} may be."\nunion ${unionNames(entity, field).union} = ${members.join(' | ')}`;
    })
    .join('\n\n');
}

function inverseSdl(name: string, inverse: Inverse): string {
  const { entity, field } = inverse;
  if (isSingleInverse(inverse)) {
    return `  "The ${typeName(entity)} record whose ${field.name} this is; null where there is none."\n  ${name}: ${typeName(entity)}`;
  }
  const whose = isManyToMany(field)
    ? `that have this among their ${field.name}`
    : `whose ${field.name} this is`;
  return listSdl(`  "The ${typeName(entity)} records ${whose}."\n  ${name}`, entity);
}

/** A list of other records in a record: `begin` is its description and name. */
function listSdl(begin: string, entity: EntityDefinition): string {
  return `${begin}(
    "How many, 1 to 1,000; 50 where absent."
    first: Int
    "The cursor to go on from."
    after: String
    "Which ones."
    filter: ${filterTypeName(entity)}
    "In which order; by creation where absent."
    orderBy: [${orderTypeName(entity)}!]
  ): ${connectionTypeName(entity)}!`;
}

/** What people wrote about a field, else its label, else its name. */
export function describeField(field: FieldDefinition): string {
  return field.description ?? field.label ?? `The field ${field.name}.`;
}
