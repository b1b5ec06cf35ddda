/** The enum that names an entity's unique fields and groups, for upserts. Enums of SELECT fields: subgraphs/model. */
import { deprecation, withFieldAliases } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import { enumValueOf, typeName, uniqueFieldEnumName } from '#subgraphs/model/names.ts';
import { memberName, uniqueGroupsOf } from '#subgraphs/model/unique-keys.ts';

/** Those that a record is found by: a relation to several entities is none. With a view under old names (aliases.ts) also these. */
export function uniqueFields(entity: EntityDefinition): FieldDefinition[] {
  return entity.fields.filter((field) => field.isUnique && !isUnion(field));
}

/** Whether records can be found, and upserted, by anything but their id. */
export function hasUniqueKeys(entity: EntityDefinition): boolean {
  return uniqueFields(entity).length > 0 || uniqueGroupsOf(entity).length > 0;
}

/** The name of the field or group that a value of the enum names. */
export function findUniqueName(entity: EntityDefinition, enumValue: string): string | undefined {
  const fields = uniqueFields(withFieldAliases(entity));
  const groups = uniqueGroupsOf(entity).map(({ group }) => group);
  return [...fields, ...groups].find(({ name }) => enumValueOf(name) === enumValue)?.name;
}

/** Empty where nothing is unique: GraphQL has no enum without values. */
export function uniqueFieldEnumSdl(entity: EntityDefinition): string {
  if (!hasUniqueKeys(entity)) return '';
  const values = uniqueFields(entity).map(
    (field) => `  "The field ${field.name}."\n  ${enumValueOf(field.name)}${deprecation(field)}`,
  );
  for (const { group, key } of uniqueGroupsOf(entity)) {
    const members = key.fields.map(memberName).join(' and ');
    values.push(`  "The fields ${members} together."\n  ${enumValueOf(group.name)}`);
  }
  return `"The unique fields and groups of fields of ${typeName(entity)}."\nenum ${uniqueFieldEnumName(entity)} {\n${values.join('\n')}\n}`;
}
