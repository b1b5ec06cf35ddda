/** What a name, a label and a description may be, whatever else there is. Clashes with other names: clashes.ts. */
import type { BrokenRules } from './broken-rules.ts';

export const maxNameLength = 63;
export const maxLabelLength = 200;
export const maxDescriptionLength = 2000;
export const maxIconLength = 100;
/** Of the JSON text. */
export const maxUiConfigLength = 10_000;

const graphqlName = /^[_A-Za-z][_0-9A-Za-z]*$/;

/** Adds what is wrong with a name of an entity, a list, a field or an inverse. Answers whether it is good. */
export function checkName(rules: BrokenRules, field: string, name: string): boolean {
  if (name.length > maxNameLength) {
    rules.add(
      field,
      'maxLength',
      `${field} must have at most ${maxNameLength} characters; it has ${name.length}`,
    );
    return false;
  }
  if (graphqlName.test(name)) return true;
  const shown = JSON.stringify(name);
  rules.add(
    field,
    'name',
    `${field} must start with a letter or "_" and hold only letters, digits and "_" (A–Z, a–z, 0–9); it was ${shown}`,
  );
  return false;
}

/** Adds what is wrong with a label, a description or an icon's name. Null is fine. */
export function checkText(
  rules: BrokenRules,
  field: string,
  text: string | null | undefined,
  maxLength: number,
): void {
  if (text === null || text === undefined) return;
  if (text.length > maxLength)
    rules.add(
      field,
      'maxLength',
      `${field} must have at most ${maxLength} characters; it has ${text.length}`,
    );
  if (text.includes('\u0000') || !text.isWellFormed())
    rules.add(field, 'unicode', `${field} must be well-formed Unicode without U+0000`);
}

/** Any JSON that PostgreSQL can keep. */
export function checkJson(rules: BrokenRules, field: string, value: unknown, maxLength: number): void {
  if (value === null || value === undefined) return;
  const text = JSON.stringify(value);
  if (text.length > maxLength)
    rules.add(
      field,
      'maxLength',
      `${field} must have at most ${maxLength} characters of JSON; it has ${text.length}`,
    );
  // JSON.stringify writes U+0000 and lone surrogates as escapes; an even number of backslashes before it would be another text.
  if (/(?<!\\)(\\\\)*\\u(0000|d[89a-f][0-9a-f]{2})/i.test(text)) {
    rules.add(field, 'unicode', `${field} must hold well-formed Unicode without U+0000`);
  }
}
