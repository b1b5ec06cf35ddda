/**
 * What of a record is kept beside its data, so that the database can filter, order and search without folding text
 * itself: the slots, the folded remainders and the search text. All three follow from the data alone.
 */
import { storedFields } from './activation.ts';
import type { EntityDefinition, FieldDefinition } from './definition.ts';
import { ruleOf } from './field-types.ts';
import { countCodePoints, foldKeyLength, foldText } from './fold.ts';

/**
 * A member of the stored data that is no field's: the whole folded text of the field with this key. It is there only
 * where neither the field's slot (its first 200 code points) nor the text itself already is the folded text.
 * Field keys are GraphQL names, so none begins with a tilde.
 */
export function foldedMember(key: string): string {
  return `~${key}`;
}

/** Code points of search text kept for one field. */
const searchLimit = 20_000;

/** Whether comparisons of the field may need its folded text, now or once somebody lets lists be filtered by it. */
function isFolded(field: FieldDefinition): boolean {
  return ruleOf(field).comparisonKind === 'TEXT';
}

/** The slot that writers fill, whether it is read from already or not. */
function writtenSlot(field: FieldDefinition): string | null {
  return field.slot ?? field.pendingSlot;
}

/** Slot columns of an entity's fields, those that are being filled included. */
export function slotColumns(entity: EntityDefinition): string[] {
  return storedFields(entity).flatMap((field) => writtenSlot(field) ?? []);
}

/** Values by slot column, null where the field has none. */
export function slotValues(
  entity: EntityDefinition,
  data: Readonly<Record<string, unknown>>,
): Record<string, string | number | null> {
  const values: Record<string, string | number | null> = {};
  for (const field of storedFields(entity)) {
    const slot = writtenSlot(field);
    if (slot === null) continue;
    const stored = data[field.key] ?? null;
    values[slot] = stored === null ? null : ruleOf(field).toSlot(stored);
  }
  return values;
}

/** The data as the column `data` holds it: no nulls, and the folded remainders added. */
export function toStoredData(
  entity: EntityDefinition,
  data: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const stored: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(data))
    if (value !== null && value !== undefined) stored[key] = value;
  for (const field of storedFields(entity)) {
    const text = stored[field.key];
    if (typeof text !== 'string' || !isFolded(field)) continue;
    const folded = foldText(text);
    const isWholeInSlot =
      field.slot !== null && (folded.length < foldKeyLength || countCodePoints(folded) < foldKeyLength);
    if (!isWholeInSlot && folded !== text) stored[foldedMember(field.key)] = folded;
  }
  return stored;
}

/** The record's own data out of the column `data`. */
export function fromStoredData(stored: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  for (const key in stored) {
    if (key.startsWith('~')) {
      return Object.fromEntries(Object.entries(stored).filter(([name]) => !name.startsWith('~')));
    }
  }
  return stored;
}

/** What a record is found by. */
export interface SearchForm {
  /** The folded text of the searchable fields, one after another, each from a new line; null where there is none. */
  readonly search: string | null;
  /** By field key where its text lies, `[first, count]` in code points from 1; under `~v` the record's version. */
  readonly search_parts: Readonly<Record<string, number | readonly [number, number]>> | null;
}

export function searchForm(
  entity: EntityDefinition,
  record: { readonly data: Readonly<Record<string, unknown>>; readonly version: number },
): SearchForm {
  const lines: string[] = [];
  const parts: Record<string, number | readonly [number, number]> = { '~v': record.version };
  let first = 1;
  for (const field of entity.fields) {
    const value = field.isSearchable ? record.data[field.key] : null;
    if (value === null || value === undefined) continue;
    const text = foldText(searchable(field, value));
    const line = text.length > searchLimit ? text.slice(0, searchLimit).toWellFormed() : text;
    const count = countCodePoints(line);
    lines.push(line);
    parts[field.key] = [first, count];
    first += count + 1;
  }
  return lines.length === 0
    ? { search: null, search_parts: null }
    : { search: lines.join('\n'), search_parts: parts };
}

/** Options are found by their labels, as people see them, and by their values. */
function searchable(field: FieldDefinition, value: unknown): string {
  const values = Array.isArray(value) ? value : [value];
  return values
    .map((item) => {
      const label = field.options?.find((option) => option.value === item)?.label;
      return label === undefined ? String(item) : `${label} ${item}`;
    })
    .join(' ');
}
