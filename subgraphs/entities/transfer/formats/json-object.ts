/** One JSON text that has to be an object. */
import { type RowContent, maxColumns } from './source-row.ts';

export function readObject(line: number, text: string): RowContent {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return broken(line, 'syntax', `This is not JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return broken(line, 'object', 'A row must be an object { "column": value, … }');
  }
  if (Object.keys(value).length > maxColumns) {
    return broken(line, 'columns', `A row has at most ${maxColumns} columns`);
  }
  return { line, values: value as Record<string, unknown> };
}

function broken(line: number, rule: string, message: string): RowContent {
  return { line, problem: { rule, message: message.toWellFormed() } };
}
