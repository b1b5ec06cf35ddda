/** What records are written with: `CreateContactInput` and `UpdateContactInput`. */
import { deprecateMembers } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { describeDefault, hasDefault } from '#subgraphs/model/computed-defaults.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import {
  createInputName,
  relationIdName,
  relationTypeName,
  unionNames,
  typeName,
  updateInputName,
  updateManyInputName,
} from '#subgraphs/model/names.ts';
import { isManyToMany } from '#subgraphs/model/relations.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { describe } from '#subgraphs/model/sdl-text.ts';
import { inverseMembersSdl, linkedMemberSdl, relationMemberSdl } from './nested-inputs.ts';
import { describeField } from './types.ts';

/** Empty for an entity without fields: GraphQL has no input without members. */
export function recordInputsSdl(model: TenantModel, entity: EntityDefinition): string {
  if (entity.fields.length === 0) return '';
  const type = typeName(entity);
  const create = entity.fields.map((field) =>
    deprecateMembers(field, memberSdl(model, entity, field, isDemanded(field), describeDefault(field))),
  );
  const update = entity.fields.map((field) =>
    deprecateMembers(field, memberSdl(model, entity, field, false, null)),
  );
  const inverses = inverseMembersSdl(model, entity);
  return `"A new ${type}: what is absent gets its default value."
input ${createInputName(entity)} {
${[...create, ...inverses].join('\n')}
}

"What to change of a ${type}: what is absent stays, null clears."
input ${updateInputName(entity)} {
${[...update, ...inverses].join('\n')}
}

"One of several ${type} records to change."
input ${updateManyInputName(entity)} {
  "The record's id."
  id: ID!
  "What to change."
  input: ${updateInputName(entity)}!
  "Refused with VERSION_CONFLICT where its version is another by now."
  expectedVersion: Int
}`;
}

/** Under several names none of them can be demanded: that one is given is checked when the record is written. */
function isDemanded(field: FieldDefinition): boolean {
  const hasOneName = field.aliases.length === 0 && field.aliasOf === undefined;
  return field.isRequired && !hasDefault(field) && hasOneName;
}

function memberSdl(
  model: TenantModel,
  entity: EntityDefinition,
  field: FieldDefinition,
  isRequired: boolean,
  absent: string | null,
): string {
  const type = ruleOf(field).inputType(entity, field);
  if (isManyToMany(field)) return linkedMemberSdl(model, field);
  if (field.type === 'RELATION')
    return [
      `  "The id of ${field.name}."\n  ${relationIdName(field.name)}: ${type}`,
      ...(isUnion(field)
        ? [
            `  "What ${field.name} is; together with its id."\n  ${relationTypeName(field.name)}: ${unionNames(entity, field).type}`,
          ]
        : []),
      relationMemberSdl(model, entity, field),
    ].join('\n');
  const description = [describeField(field), absent ?? []].flat().join('\n');
  return `${describe(description, '  ')}  ${field.name}: ${type}${isRequired ? '!' : ''}`;
}
