/** The value types that entities and realtime both publish beside the filters: scalars and the enums of SELECT fields. */
import type { EntityDefinition } from './definition.ts';
import { selectEnumName, typeName } from './names.ts';
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

/** The enums of the entity's SELECT and MULTI_SELECT fields; empty where it has none. */
export function selectEnumsSdl(entity: EntityDefinition): string {
  return entity.fields
    .filter((field) => field.type === 'SELECT' || field.type === 'MULTI_SELECT')
    .map((field) => {
      const values = (field.options ?? []).map(
        (option) => `${describe(option.label, '  ')}  ${option.value}`,
      );
      return `"""The options of ${field.name} of ${typeName(entity)}."""\nenum ${selectEnumName(entity, field)} {\n${values.join('\n')}\n}`;
    })
    .join('\n\n');
}
