/** The value types that entities and realtime both publish beside the filters: scalars and enums of fields. */
import type { EntityDefinition, FieldDefinition } from './definition.ts';
import { deprecation } from './aliases.ts';
import { enumValueOf, selectEnumName, typeName, unionNames } from './names.ts';
import { activeTargets, isUnion, targetValue } from './union-relations.ts';
import { describe } from './sdl-text.ts';

/** `Date`, `DateTime` and `JSON`. */
export function scalarsSdl(): string {
  return `"""A day of the calendar: \`YYYY-MM-DD\`."""
scalar Date

"""An instant: RFC 3339 with an offset in, UTC with milliseconds out. Finer fractions are cut off."""
scalar DateTime

"""Any JSON value."""
scalar JSON`;
}

/** The enums of the entity's SELECT and MULTI_SELECT fields, and of its unions; empty where it has none. */
export function fieldEnumsSdl(entity: EntityDefinition): string {
  const selects = entity.fields
    .filter((field) => field.type === 'SELECT' || field.type === 'MULTI_SELECT')
    .map((field) => {
      const values = (field.options ?? []).map(
        (option) => `${describe(option.label, '  ')}  ${option.value}`,
      );
      return `"""The options of ${field.name} of ${typeName(entity)}."""\nenum ${selectEnumName(entity, field)} {\n${values.join('\n')}\n}`;
    });
  return [...selects, ...entity.fields.filter(isUnion).map((field) => typeEnumSdl(entity, field))].join(
    '\n\n',
  );
}

/** The entities that a union may point at, under their old names too: these can be given, and are never answered. */
function typeEnumSdl(entity: EntityDefinition, field: FieldDefinition): string {
  const values = new Map<string, string>();
  for (const target of activeTargets(field)) {
    values.set(targetValue(target), `  "${typeName(target)}."\n  ${targetValue(target)}`);
    for (const alias of target.aliases) {
      const value = enumValueOf(alias);
      const old = `  "An old name of ${typeName(target)}."\n  ${value}${deprecation({ aliasOf: target.name })}`;
      if (!values.has(value)) values.set(value, old);
    }
  }
  return `"What ${field.name} of ${typeName(entity)} may be."\nenum ${unionNames(entity, field).type} {\n${[...values.values()].join('\n')}\n}`;
}
