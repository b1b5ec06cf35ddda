/** How records along relations are written with a record: `CompanyRelationInput` (one) and `ProjectListInput` (many). */
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import {
  createInputName,
  listInputName,
  relationInputName,
  typeName,
  unionNames,
} from '#subgraphs/model/names.ts';
import {
  getTarget,
  inversesOf,
  isManyToMany,
  isSingleInverse,
  targetMembers,
} from '#subgraphs/model/relations.ts';
import { isUnion, isUnionView } from '#subgraphs/model/union-relations.ts';
import { nestedLimits } from '#subgraphs/model/values/nested-planning.ts';

/** A to-one relation's own member, beside its id's. */
export function relationMemberSdl(
  model: TenantModel,
  entity: EntityDefinition,
  field: FieldDefinition,
): string {
  const type = isUnion(field) ? unionNames(entity, field).input : relationInputName(getTarget(model, field));
  return `  "The record that is ${field.name}, found or created; not together with its id."\n  ${field.name}: ${type}`;
}

/** `ActivitySubjectRelationInput`, and what it connects and creates, for each relation to several entities. */
export function unionInputsSdl(model: TenantModel, entity: EntityDefinition): string {
  return entity.fields
    .filter(isUnion)
    .map((field) => {
      const names = unionNames(entity, field);
      const members = targetMembers(model, field);
      const connect = members.map(
        ({ name, target, deprecated }) => `  "The id of a ${typeName(target)}."\n  ${name}: ID${deprecated}`,
      );
      // GraphQL has no input without members: an entity without fields is not created here.
      const create = members
        .filter(({ target }) => target.fields.length > 0)
        .map(
          ({ name, target, deprecated }) =>
            `  "A new ${typeName(target)}."\n  ${name}: ${createInputName(target)}${deprecated}`,
        );
      const created = `"A new record of exactly one of these."\ninput ${names.create} {\n${create.join('\n')}\n}`;
      return `"What ${field.name} of ${typeName(entity)} is: one of these."
input ${names.input} {
  "One that is there."
  connect: ${names.connect}${create.length === 0 ? '' : `\n  "A new one."\n  create: ${names.create}`}
  "True: nothing any more."
  disconnect: Boolean
}

"The id of a record of exactly one of these."
input ${names.connect} {
${connect.join('\n')}
}${create.length === 0 ? '' : `\n\n${created}`}`;
    })
    .join('\n\n');
}

/** A many-to-many relation's member. */
export function linkedMemberSdl(model: TenantModel, field: FieldDefinition): string {
  const target = getTarget(model, field);
  return `  "Which ${typeName(target)} records are among ${field.name}."\n  ${field.name}: ${listInputName(target)}`;
}

/** The members for records that point at this entity's. */
export function inverseMembersSdl(model: TenantModel, entity: EntityDefinition): string[] {
  return inversesOf(model, entity).flatMap((inverse) => {
    const { name, entity: child, field } = inverse;
    if (name === null) return [];
    return isSingleInverse(inverse)
      ? `  "The ${typeName(child)} record whose ${field.name} this is; null lets it go."\n  ${name}: ${relationInputName(child)}`
      : `  "${typeName(child)} records whose ${field.name} this is."\n  ${name}: ${listInputName(child)}`;
  });
}

/** The inputs that other entities' inputs refer to this one's records by; empty where none does. */
export function nestedInputsSdl(model: TenantModel, entity: EntityDefinition): string {
  if (entity.aliasOf !== undefined) return '';
  const type = typeName(entity);
  const inverses = entity.fields.filter(
    (field) => (field.targetEntityId !== null || isUnion(field)) && field.inverseName !== null,
  );
  const pointing = inversesOf(model, entity);
  const isTarget = pointing.some(({ field }) => !isManyToMany(field) && !isUnionView(field));
  const inputs: string[] = [];
  if (isTarget || inverses.some((field) => isSingleInverse({ field }))) {
    inputs.push(`"One ${type} record at the other end of a relation: one of these."
input ${relationInputName(entity)} {
  "The id of one that is there."
  connect: ID${createSdl(entity, createInputName(entity), 'A new one.')}
  "True: none any more."
  disconnect: Boolean
}`);
  }
  if (
    inverses.some((field) => !isSingleInverse({ field })) ||
    pointing.some(({ field }) => isManyToMany(field))
  ) {
    inputs.push(`"${type} records at the other end of a relation. At most ${nestedLimits.levels} levels, and ${nestedLimits.records} records in all."
input ${listInputName(entity)} {
  "Ids of some that are there, wherever they were before."
  connect: [ID!]${createSdl(entity, `[${createInputName(entity)}!]`, 'New ones.')}
  "Ids of some to let go."
  disconnect: [ID!]
  "Ids of all that are to be there, beside those that are created: others are let go."
  set: [ID!]
}`);
  }
  return inputs.join('\n\n');
}

/** GraphQL has no input without members: an entity without fields is not created here. */
function createSdl(entity: EntityDefinition, type: string, description: string): string {
  return entity.fields.length === 0 ? '' : `\n  "${description}"\n  create: ${type}`;
}
