/** The stored form of records (model/stored-form.ts), with the converted values of fields that are becoming another type. */
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import {
  slotColumns as ownColumns,
  slotValues as ownValues,
  toStoredData as ownData,
  foldedMember,
} from '#subgraphs/model/stored-form.ts';
import { type Becoming, becomingFields } from '../definitions/becoming.ts';
import { convertValue } from '../definitions/value-conversion.ts';

type Data = Readonly<Record<string, unknown>>;

export function slotColumns(entity: EntityDefinition): string[] {
  return [...ownColumns(entity), ...becomingFields(entity).flatMap(({ after }) => after.slot ?? [])];
}

export function slotValues(entity: EntityDefinition, data: Data): Record<string, string | number | null> {
  const values = ownValues(entity, data);
  for (const becoming of becomingFields(entity)) {
    Object.assign(values, ownValues(alone(entity, becoming.after), convertedData(becoming, data)));
  }
  return values;
}

export function toStoredData(entity: EntityDefinition, data: Data): Record<string, unknown> {
  const stored = ownData(entity, data);
  for (const becoming of becomingFields(entity)) {
    const { key } = becoming.after;
    // What was converted before is another value's by now.
    delete stored[key];
    delete stored[foldedMember(key)];
    Object.assign(stored, ownData(alone(entity, becoming.after), convertedData(becoming, data)));
  }
  return stored;
}

/** The record's data without what nobody reads yet. */
export function withoutConverted(entity: EntityDefinition | undefined, data: Data): Data {
  const becoming = entity ? becomingFields(entity) : [];
  if (becoming.length === 0) return data;
  const keys = new Set(becoming.map(({ after }) => after.key));
  return Object.fromEntries(Object.entries(data).filter(([key]) => !keys.has(key)));
}

function convertedData({ before, after }: Becoming, data: Data): Data {
  const value = data[before.key] ?? null;
  const conversion = value === null ? { stored: null } : convertValue(before, after, value);
  return 'stored' in conversion && conversion.stored !== null ? { [after.key]: conversion.stored } : {};
}

function alone(entity: EntityDefinition, field: FieldDefinition): EntityDefinition {
  return { ...entity, fields: [field], inactiveFields: [] };
}
