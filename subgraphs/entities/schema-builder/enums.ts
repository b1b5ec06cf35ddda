/** The enum that names an entity's unique fields, for upserts. Enums of SELECT fields: subgraphs/model. */
import { deprecation, withFieldAliases } from '#subgraphs/model/aliases.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { enumValueOf, typeName, uniqueFieldEnumName } from '#subgraphs/model/names.ts';

/** With a view under old names (aliases.ts) also these. */
export function uniqueFields(entity: EntityDefinition): FieldDefinition[] {
  return entity.fields.filter((field) => field.isUnique);
}

/** The field that a value of the enum names. */
export function findUniqueField(entity: EntityDefinition, enumValue: string): FieldDefinition | undefined {
  return uniqueFields(withFieldAliases(entity)).find((field) => enumValueOf(field.name) === enumValue);
}

/** Empty where no field is unique: GraphQL has no enum without values. */
export function uniqueFieldEnumSdl(entity: EntityDefinition): string {
  const unique = uniqueFields(entity);
  if (unique.length === 0) return '';
  const values = unique.map(
    (field) => `  "The field ${field.name}."\n  ${enumValueOf(field.name)}${deprecation(field)}`,
  );
  return `"The unique fields of ${typeName(entity)}."\nenum ${uniqueFieldEnumName(entity)} {\n${values.join('\n')}\n}`;
}
