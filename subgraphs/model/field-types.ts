/** One row for each type of field: its GraphQL types, where it is kept, what may be stored in it, how it is compared. */
import type { EntityDefinition, FieldDefinition, FieldType } from './definition.ts';
import { foldKey } from './fold.ts';
import { selectComparisonName, selectEnumName } from './names.ts';
import { pointedAt, storedId } from './union-relations.ts';
import { parseMultiRelation, parseMultiSelect, parseRelation, parseSelect } from './values/choice.ts';
import { parseDate, parseDateTime } from './values/date.ts';
import { parseDecimal, showDecimal } from './values/decimal.ts';
import { parseFile, showFile } from './values/file.ts';
import { parseJson } from './values/json.ts';
import { parseBoolean, parseInteger, parseNumber } from './values/number.ts';
import { checkEmail, checkPhone, checkUrl, textLimits, textParser } from './values/text.ts';
import type { Report } from './values/report.ts';

/** The columns of `records` that a type may use: text, float8, timestamptz, uuid. */
export type SlotKind = 't' | 'n' | 'd' | 'r';

/** How many slots of a kind a record has. */
export const slotCounts: Readonly<Record<SlotKind, number>> = { t: 20, n: 10, d: 10, r: 10 };

/**
 * Which comparisons apply. TEXT: folded order, substrings. NUMBER, DECIMAL and TIME: ordered. CHOICE: equality of one of a few
 * values; TARGET: of the entities that a union may point at. CHOICES: `some none every`. FLAG, ID, DOCUMENT: equality. FILE:
 * by its members.
 */
export type ComparisonKind =
  | 'TEXT'
  | 'NUMBER'
  | 'DECIMAL'
  | 'TIME'
  | 'CHOICE'
  | 'CHOICES'
  | 'FLAG'
  | 'ID'
  | 'FILE'
  | 'TARGET'
  | 'DOCUMENT';

type Owner = Pick<EntityDefinition, 'name' | 'pluralName'>;

export interface FieldTypeRule {
  /** The GraphQL type of the field in answers, without `!`. For RELATION that of its id member. */
  readonly outputType: (entity: Owner, field: FieldDefinition) => string;
  /** The GraphQL type in inputs, without `!`. For RELATION that of its id member. */
  readonly inputType: (entity: Owner, field: FieldDefinition) => string;
  readonly slotKind: SlotKind | null;
  readonly comparisonKind: ComparisonKind;
  /** The filter's input type for the field (for RELATION: for its id member). */
  readonly comparisonType: (entity: Owner, field: FieldDefinition) => string;
  /** From an input value (never null) to its stored form; undefined where a broken rule was reported. */
  readonly parse: (value: unknown, field: FieldDefinition, report: Report) => unknown;
  /** From the stored form (never null) to the slot's value; null for types without slots. */
  readonly toSlot: (stored: unknown) => string | number | null;
  /** From the stored form (null or absent: none) to what the GraphQL type serialises. */
  readonly toOutput: (stored: unknown, field: FieldDefinition) => unknown;
  readonly isOrderable: boolean;
  readonly canBeUnique: boolean;
  readonly canBeSearched: boolean;
}

const always = (name: string) => () => name;
const sameValue = (stored: unknown): unknown => stored ?? null;

function textType(limit: number, format?: Parameters<typeof textParser>[1]): FieldTypeRule {
  return {
    outputType: always('String'),
    inputType: always('String'),
    slotKind: 't',
    comparisonKind: 'TEXT',
    comparisonType: always('StringComparison'),
    parse: textParser(limit, format),
    toSlot: (stored) => foldKey(stored as string),
    toOutput: sameValue,
    isOrderable: true,
    canBeUnique: true,
    canBeSearched: true,
  };
}

function numberType(name: 'Int' | 'Float', parse: FieldTypeRule['parse']): FieldTypeRule {
  return {
    outputType: always(name),
    inputType: always(name),
    slotKind: 'n',
    comparisonKind: 'NUMBER',
    comparisonType: always(`${name}Comparison`),
    parse,
    toSlot: (stored) => stored as number,
    toOutput: sameValue,
    isOrderable: true,
    canBeUnique: true,
    canBeSearched: true,
  };
}

function timeType(name: 'Date' | 'DateTime', parse: FieldTypeRule['parse']): FieldTypeRule {
  return {
    outputType: always(name),
    inputType: always(name),
    slotKind: 'd',
    comparisonKind: 'TIME',
    comparisonType: always(`${name}Comparison`),
    parse,
    // A day is its first instant in UTC.
    toSlot: (stored) => (name === 'Date' ? `${stored as string}T00:00:00.000Z` : (stored as string)),
    toOutput: sameValue,
    isOrderable: true,
    canBeUnique: true,
    canBeSearched: false,
  };
}

const isOption = (field: FieldDefinition, value: unknown): boolean =>
  field.options?.some((option) => option.value === value) ?? false;

export const fieldTypeRules: Readonly<Record<FieldType, FieldTypeRule>> = {
  TEXT: textType(textLimits.TEXT),
  LONG_TEXT: { ...textType(textLimits.LONG_TEXT), canBeUnique: false },
  EMAIL: textType(textLimits.EMAIL, checkEmail),
  URL: textType(textLimits.URL, checkUrl),
  PHONE: textType(textLimits.PHONE, checkPhone),
  INTEGER: numberType('Int', parseInteger),
  NUMBER: numberType('Float', parseNumber),
  DECIMAL: {
    outputType: always('Decimal'),
    inputType: always('Decimal'),
    slotKind: 'n',
    comparisonKind: 'DECIMAL',
    comparisonType: always('DecimalComparison'),
    parse: parseDecimal,
    // Only narrows: different decimals may be the same double.
    toSlot: Number,
    toOutput: (stored, field) => (typeof stored === 'string' ? showDecimal(stored, field) : null),
    isOrderable: true,
    canBeUnique: true,
    canBeSearched: false,
  },
  BOOLEAN: {
    outputType: always('Boolean'),
    inputType: always('Boolean'),
    slotKind: 'n',
    comparisonKind: 'FLAG',
    comparisonType: always('BooleanComparison'),
    parse: parseBoolean,
    toSlot: (stored) => (stored === true ? 1 : 0),
    toOutput: sameValue,
    isOrderable: true,
    canBeUnique: false,
    canBeSearched: false,
  },
  DATE: timeType('Date', parseDate),
  DATETIME: timeType('DateTime', parseDateTime),
  JSON: {
    outputType: always('JSON'),
    inputType: always('JSON'),
    slotKind: null,
    comparisonKind: 'DOCUMENT',
    comparisonType: always('JSONComparison'),
    parse: parseJson,
    toSlot: () => null,
    toOutput: sameValue,
    isOrderable: false,
    canBeUnique: false,
    canBeSearched: false,
  },
  SELECT: {
    outputType: selectEnumName,
    inputType: selectEnumName,
    slotKind: 't',
    comparisonKind: 'CHOICE',
    comparisonType: selectComparisonName,
    parse: parseSelect,
    // Not folded: two options may differ in case alone.
    toSlot: (stored) => stored as string,
    // An option that was removed since would fail the enum: it reads as none.
    toOutput: (stored, field) => (isOption(field, stored) ? stored : null),
    isOrderable: true,
    canBeUnique: true,
    canBeSearched: true,
  },
  MULTI_SELECT: {
    outputType: (entity, field) => `[${selectEnumName(entity, field)}!]`,
    inputType: (entity, field) => `[${selectEnumName(entity, field)}!]`,
    slotKind: null,
    comparisonKind: 'CHOICES',
    comparisonType: selectComparisonName,
    parse: parseMultiSelect,
    toSlot: () => null,
    toOutput: (stored, field) =>
      Array.isArray(stored) ? stored.filter((value) => isOption(field, value)) : null,
    isOrderable: false,
    canBeUnique: false,
    canBeSearched: true,
  },
  // An input names it by its id; the store puts what is known of the file in its place.
  FILE: {
    outputType: always('File'),
    inputType: always('ID'),
    slotKind: null,
    comparisonKind: 'FILE',
    comparisonType: always('FileComparison'),
    parse: parseFile,
    toSlot: () => null,
    toOutput: showFile,
    isOrderable: false,
    canBeUnique: false,
    canBeSearched: false,
  },
  RELATION: {
    outputType: always('ID'),
    inputType: always('ID'),
    slotKind: 'r',
    comparisonKind: 'ID',
    comparisonType: always('IDComparison'),
    parse: parseRelation,
    toSlot: (stored) => storedId(stored as string),
    toOutput: (stored, field) =>
      field.targets === undefined ? (stored ?? null) : (pointedAt(field, stored)?.id ?? null),
    isOrderable: false,
    canBeUnique: true,
    canBeSearched: false,
  },
  // Its links are rows of `record_links`; the list of ids in the data is what events, history and exports see.
  MULTI_RELATION: {
    outputType: always('[ID!]'),
    inputType: always('[ID!]'),
    slotKind: null,
    comparisonKind: 'DOCUMENT',
    comparisonType: always('IDComparison'),
    parse: parseMultiRelation,
    toSlot: () => null,
    toOutput: sameValue,
    isOrderable: false,
    canBeUnique: false,
    canBeSearched: false,
  },
};

/** The rule row of a field's type. */
export function ruleOf(field: Pick<FieldDefinition, 'type'>): FieldTypeRule {
  return fieldTypeRules[field.type];
}
