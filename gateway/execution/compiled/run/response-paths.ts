/** Finds the objects that a fetch extends, and where each is in the response. */
import type { PathSegment } from '../recipe.ts';
import { isObject, readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';

export type ResponsePath = readonly (string | number)[];

export interface ResponsePlace {
  readonly object: ResponseObject;
  readonly path: ResponsePath;
}

/**
 * The objects at `path` below `root`, in order; lists are entered at their segment. Nulls and what is not there (a
 * failed fetch, a faulty answer) are passed over. Entities that are equal share what was fetched for them: a list that
 * several objects share is entered once, or deeply nested answers would be walked once for every way that leads to them.
 */
export function collectObjects(root: ResponseObject, path: readonly PathSegment[]): ResponseObject[] {
  const found: ResponseObject[] = [];
  if (path.length === 0) found.push(root);
  else collect(root, path, 0, { objects: found, entered: [] });
  return found;
}

interface Collection {
  readonly objects: ResponseObject[];
  /** Lists entered, by the segment that they were met at. The first segment of a path meets one list only. */
  readonly entered: Set<unknown>[];
}

function collect(from: unknown, path: readonly PathSegment[], start: number, found: Collection): void {
  let value = from;
  for (let index = start; index < path.length; index++) {
    const segment = path[index] as PathSegment;
    if (segment.key === null) {
      if (!Array.isArray(value)) return;
      if (start > 0) {
        const entered = (found.entered[index] ??= new Set());
        if (entered.has(value)) return;
        entered.add(value);
      }
      for (const element of value) {
        if (admits(segment, element)) collect(element, path, index + 1, found);
      }
      return;
    }
    if (!isObject(value)) return;
    if (segment.key !== '') value = readOwn(value, segment.key);
    if (!admits(segment, value)) return;
  }
  if (isObject(value)) found.objects.push(value);
  else if (Array.isArray(value)) for (const element of value) collect(element, path, path.length, found);
}

function admits(segment: PathSegment, value: unknown): boolean {
  if (!segment.typenames || !isObject(value)) return true;
  return segment.typenames.includes(value.__typename as string);
}

/** Every place where an object that `collectObjects` finds is in the response, in order. Only errors ask. */
export function collectPlaces(root: ResponseObject, path: readonly PathSegment[]): ResponsePlace[] {
  const found: ResponsePlace[] = [];
  const walk = (value: unknown, index: number, at: (string | number)[]) => {
    const segment = path[index];
    if (!segment) {
      if (isObject(value)) found.push({ object: value, path: at });
      else if (Array.isArray(value))
        value.forEach((element, position) => walk(element, index, [...at, position]));
    } else if (segment.key === null) {
      if (!Array.isArray(value)) return;
      value.forEach((element, position) => {
        if (admits(segment, element)) walk(element, index + 1, [...at, position]);
      });
    } else if (isObject(value)) {
      const next = segment.key === '' ? value : readOwn(value, segment.key);
      if (admits(segment, next)) walk(next, index + 1, segment.key === '' ? at : [...at, segment.key]);
    }
  };
  walk(root, 0, []);
  return found;
}

/** The part of a path that is known without data: up to its first list. */
export function fixedPath(path: readonly PathSegment[]): ResponsePath {
  const fixed: string[] = [];
  for (const { key } of path) {
    if (key === null) break;
    if (key !== '') fixed.push(key);
  }
  return fixed;
}
