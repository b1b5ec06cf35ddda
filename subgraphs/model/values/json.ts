/** JSON: any value, kept with its meaning (the order of an object's members is not kept). */
import { isStorableText } from './report.ts';
import type { Report } from './report.ts';

/** `size` in UTF-16 units of the value written as JSON. */
export const jsonLimits = { depth: 64, size: 1_000_000 } as const;

export function parseJson(value: unknown, _field: unknown, report: Report): unknown {
  let isGood = true;
  const complain: Report = (rule, sentence) => {
    if (isGood) report(rule, sentence);
    isGood = false;
  };
  check(value, 1, complain);
  if (!isGood) return undefined;
  const text = JSON.stringify(value);
  if (text === undefined) complain('type', 'must be a JSON value');
  else if (text.length > jsonLimits.size) {
    complain('size', `must be at most ${jsonLimits.size} characters of JSON, is ${text.length}`);
  }
  // Parsed again: no prototype, no negative zero, nothing that shares memory with the request.
  return isGood ? JSON.parse(text) : undefined;
}

function check(value: unknown, depth: number, report: Report): void {
  if (depth > jsonLimits.depth)
    return report('depth', `must not be nested deeper than ${jsonLimits.depth} levels`);
  if (typeof value === 'string') {
    isStorableText(value, report);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) report('type', 'must hold only finite numbers');
  } else if (Array.isArray(value)) {
    for (const item of value) check(item, depth + 1, report);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      isStorableText(name, report);
      check(member, depth + 1, report);
    }
  } else if (typeof value !== 'boolean' && value !== null) {
    report('type', `must be a JSON value, not a ${typeof value}`);
  }
}

/** Equal as JSON values: members in any order, numbers by value. As jsonb's `=`. */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    return (
      Array.isArray(a) &&
      Array.isArray(b) &&
      a.length === b.length &&
      a.every((item, i) => isSameJson(item, b[i]))
    );
  }
  const names = Object.keys(a);
  return (
    names.length === Object.keys(b).length &&
    names.every(
      (name) =>
        Object.hasOwn(b, name) &&
        isSameJson((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]),
    )
  );
}
