/** One JSON text that has to be an object. */
import { type RowContent, maxColumns } from './source-row.ts';

/** What is nested deeper is no data, and would exhaust the stack of whoever walks it. */
const maxDepth = 100;

export function readObject(line: number, text: string): RowContent {
  if (text.length > maxDepth && isTooDeep(text)) {
    return broken(line, 'depth', `A row is nested at most ${maxDepth} levels deep`);
  }
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

/** Brackets within texts count as well where quotes are odd: what is no JSON is refused anyway. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at += 1;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (character === '}' || character === ']') depth -= 1;
  }
  return false;
}

function broken(line: number, rule: string, message: string): RowContent {
  return { line, problem: { rule, message: message.toWellFormed() } };
}
