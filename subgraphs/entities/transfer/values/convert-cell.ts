/**
 * A file's cell as the input value of a field. What does not fit is passed on as it is: the model's own rules then say
 * what is wrong with it, in the same words as for any other input.
 */
import type { FieldDefinition, FieldOption } from '#subgraphs/model/definition.ts';
import { isManyToMany } from '#subgraphs/model/relations.ts';
import { type DateFormat, plainDateFormats, readDay, readMoment } from './date-formats.ts';
import { readBooleanText, readNumberText } from './numeric-text.ts';

export interface CellRules {
  /** Null: every format that can be told from a single value. */
  readonly dateFormat: DateFormat | null;
  /** Texts that mean no value ("NA"). */
  readonly nullTexts: readonly string[];
  /** CSV: every value is text. In JSON a text is meant as one. */
  readonly isTextOnly: boolean;
}

/** Stands between the values of a MULTI_SELECT (or ids) in one cell. None of them holds it. */
export const listSeparator = ';';

export function convertCell(cell: unknown, field: FieldDefinition, rules: CellRules): unknown {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === 'string' && rules.nullTexts.includes(cell.trim())) return null;
  if (isManyToMany(field)) return convertIds(cell);
  switch (field.type) {
    case 'TEXT':
    case 'LONG_TEXT':
      return typeof cell === 'number' || typeof cell === 'boolean' ? String(cell) : cell;
    case 'JSON':
      return rules.isTextOnly && typeof cell === 'string' ? convertJson(cell) : cell;
    case 'MULTI_SELECT':
      return convertChoices(cell, field.options ?? []);
    default:
      return typeof cell === 'string' ? convertText(cell.trim(), field, rules) : convertPlain(cell, field);
  }
}

/** Text of a type in which an empty text is no value. */
function convertText(text: string, field: FieldDefinition, rules: CellRules): unknown {
  if (text === '') return null;
  switch (field.type) {
    case 'INTEGER':
    case 'NUMBER':
      return readNumberText(text) ?? text;
    case 'BOOLEAN':
      if (text === '0' || text === '1') return text === '1';
      return readBooleanText(text) ?? text;
    case 'DATE':
      return convertDate(text, rules.dateFormat, readDay);
    case 'DATETIME':
      return convertDate(text, rules.dateFormat, readMoment);
    case 'SELECT':
      return findOption(text, field.options ?? []) ?? text;
    default:
      return text;
  }
}

/** A number or truth value of a JSON file. */
function convertPlain(cell: unknown, field: FieldDefinition): unknown {
  if (field.type === 'BOOLEAN' && (cell === 0 || cell === 1)) return cell === 1;
  if (field.type === 'SELECT' && (typeof cell === 'number' || typeof cell === 'boolean'))
    return findOption(String(cell), field.options ?? []) ?? cell;
  if (field.type === 'PHONE' && typeof cell === 'number') return String(cell);
  return cell;
}

function convertDate(
  text: string,
  format: DateFormat | null,
  read: (text: string, format: DateFormat) => string | null,
): string {
  for (const candidate of format === null ? plainDateFormats : [format]) {
    const found = read(text, candidate);
    if (found !== null) return found;
  }
  return text;
}

function convertJson(text: string): unknown {
  if (text.trim() === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // People write plain words into such columns; a text is a JSON value too.
    return text;
  }
}

/** Ids of records. */
function convertIds(cell: unknown): unknown {
  if (typeof cell !== 'string') return cell;
  if (cell.trim() === '') return null;
  return splitList(cell.trim());
}

function convertChoices(cell: unknown, options: readonly FieldOption[]): unknown {
  const convert = (item: unknown): unknown =>
    typeof item === 'string' ? (findOption(item.trim(), options) ?? item) : item;
  if (Array.isArray(cell)) return cell.map(convert);
  if (typeof cell !== 'string') return cell;
  const text = cell.trim();
  if (text === '') return null;
  const whole = findOption(text, options);
  if (whole !== null) return [whole];
  return splitList(text).map(convert);
}

/** Items as an export writes them, or with commas as people do. */
function splitList(text: string): string[] {
  if (text === '[]') return [];
  return text
    .split(text.includes(listSeparator) ? listSeparator : ',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** By value, then by label as written, then by either without regard to case. */
function findOption(text: string, options: readonly FieldOption[]): string | null {
  const lower = text.toLowerCase();
  const found =
    options.find((option) => option.value === text) ??
    options.find((option) => option.label === text) ??
    options.find((option) => option.value.toLowerCase() === lower || option.label.toLowerCase() === lower);
  return found?.value ?? null;
}
