/** A stored value of one type as a value of another: what a retype does to every record. */
import type { FieldDefinition } from '#subgraphs/model/definition.ts';
import { parseFieldValue } from '#subgraphs/model/values/input.ts';
import { convertCell } from '../transfer/values/convert-cell.ts';

export type Conversion = { readonly stored: unknown } | { readonly problem: string };

const textTypes: ReadonlySet<string> = new Set(['TEXT', 'LONG_TEXT', 'EMAIL', 'URL', 'PHONE', 'DECIMAL']);

/** `stored` is not null. An empty text is no value of a type other than text. The new field's own rules apply. */
export function convertValue(from: FieldDefinition, to: FieldDefinition, stored: unknown): Conversion {
  const { stored: converted, errors } = parseFieldValue(to, candidateOf(from, to, stored), to.name);
  const [error] = errors;
  return error ? { problem: error.message } : { stored: converted };
}

function candidateOf(from: FieldDefinition, to: FieldDefinition, stored: unknown): unknown {
  if (from.type === 'DATE' && to.type === 'DATETIME') return `${stored as string}T00:00:00.000Z`;
  if (from.type === 'DATETIME' && to.type === 'DATE') return (stored as string).slice(0, 10);
  if (to.type === 'JSON') return stored;
  if (Array.isArray(stored)) {
    if (to.type === 'MULTI_SELECT') return stored;
    if (textTypes.has(to.type)) return stored.join(', ');
    return stored.length === 1 ? cell(stored[0], to) : stored;
  }
  if (typeof stored === 'object') return textTypes.has(to.type) ? JSON.stringify(stored) : stored;
  if (typeof stored === 'boolean' && (to.type === 'INTEGER' || to.type === 'NUMBER')) return stored ? 1 : 0;
  if (typeof stored !== 'string' && textTypes.has(to.type)) return JSON.stringify(stored);
  if (typeof stored !== 'string' && to.type === 'MULTI_SELECT') return cell(JSON.stringify(stored), to);
  return cell(stored, to);
}

function cell(value: unknown, to: FieldDefinition): unknown {
  return convertCell(value, to, { dateFormat: null, nullTexts: [], isTextOnly: false });
}
