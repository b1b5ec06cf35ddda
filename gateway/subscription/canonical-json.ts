import { DomainError } from '#schema/errors.ts';

/** Deeper variables are refused: no input type of ours is, and each level costs stack. */
const maxDepth = 200;

/**
 * A text that is equal for equal JSON values, whatever the order of their members. It is made by concatenation, never by
 * assignment to an object, so that a member named `__proto__` counts like any other. Throws BAD_USER_INPUT.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > maxDepth) throw new DomainError('BAD_USER_INPUT', 'The variables are nested too deeply.');
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join()}]`;
  const members = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return `{${members.map(([name, item]) => `${JSON.stringify(name)}:${canonicalJson(item, depth + 1)}`).join()}}`;
}
