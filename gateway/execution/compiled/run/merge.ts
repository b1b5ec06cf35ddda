/** Merges what subgraphs answer. Nothing is copied: objects are taken over, so an answer belongs to whoever merges it. */
import type { ResponseObject } from './operation-run.ts';

/**
 * Adds the members of `source` to `target`, deeply. Lists of equal length merge element by element, others replace;
 * null replaces, undefined does not. A member named `__proto__` is dropped: no answer may reach a prototype.
 */
export function mergeInto(target: ResponseObject, source: ResponseObject): void {
  for (const key in source) {
    const value = source[key];
    if (value === undefined || key === '__proto__') continue;
    const existing = target[key];
    // A function can only be inherited (`constructor`): JSON has none.
    if (typeof value !== 'object' || value === null || !existing || typeof existing !== 'object') {
      target[key] = value;
    } else if (!Array.isArray(value)) {
      mergeInto(existing as ResponseObject, value as ResponseObject);
    } else if (Array.isArray(existing) && existing.length === value.length) {
      mergeLists(existing, value);
    } else {
      target[key] = value;
    }
  }
}

function mergeLists(target: unknown[], source: readonly unknown[]): void {
  for (let index = 0; index < source.length; index++) {
    const value = source[index];
    const existing = target[index];
    if (Array.isArray(value) && Array.isArray(existing) && existing.length === value.length) {
      mergeLists(existing, value);
    } else if (isObject(value) && isObject(existing)) {
      mergeInto(existing, value);
    } else {
      target[index] = value;
    }
  }
}

/** A JSON object: neither null nor a list. */
export function isObject(value: unknown): value is ResponseObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads a member that an answer may lack, although every object inherits one of that name (`constructor`, `toString`). */
export function readOwn(object: ResponseObject, key: string): unknown {
  const value = object[key];
  return typeof value === 'function' ? undefined : value;
}
