/** Arguments that a subgraph takes from what lies above an object (`@fromContext`): read there, and told apart by value. */
import type { ContextArgument, PathSegment } from '../recipe.ts';
import { isObject, readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';

/** Objects that are asked for with the same arguments. */
export interface ContextGroup {
  readonly objects: ResponseObject[];
  readonly variables: Readonly<Record<string, unknown>>;
}

/** The objects at `path`, in groups of equal values. */
export function collectGroups(
  root: ResponseObject,
  path: readonly PathSegment[],
  contexts: readonly ContextArgument[],
): ContextGroup[] {
  const groups = new Map<string, ContextGroup>();
  /** From the root to the object, one for each field of the path. */
  const walk = (value: unknown, index: number, chain: readonly ResponseObject[]): void => {
    const segment = path[index];
    if (Array.isArray(value)) {
      const next = segment?.key === null ? index + 1 : index;
      for (const element of value) {
        if (segment?.key !== null || admits(segment, element)) walk(element, next, chain);
      }
    } else if (!isObject(value) || segment?.key === null) {
      return;
    } else if (!segment) {
      const variables = readContexts([...chain, value], contexts);
      const key = JSON.stringify(variables);
      const group = groups.get(key);
      if (group) group.objects.push(value);
      else groups.set(key, { objects: [value], variables });
    } else {
      const next = segment.key === '' ? value : readOwn(value, segment.key);
      if (admits(segment, next)) walk(next, index + 1, segment.key === '' ? chain : [...chain, value]);
    }
  };
  walk(root, 0, []);
  return [...groups.values()];
}

function admits(segment: PathSegment, value: unknown): boolean {
  if (!segment.typenames || !isObject(value)) return true;
  return segment.typenames.includes(value.__typename as string);
}

/** A context may be set by several types: the first that is there has the say. */
function readContexts(
  chain: readonly ResponseObject[],
  contexts: readonly ContextArgument[],
): Record<string, unknown> {
  const variables: Record<string, unknown> = {};
  for (const { variable, up, path } of contexts) {
    if (variables[variable] !== undefined) continue;
    const value = readAt(chain[chain.length - 1 - up], path);
    if (value !== undefined) variables[variable] = value;
  }
  return variables;
}

function readAt(from: unknown, path: ContextArgument['path']): unknown {
  let value = from;
  for (const step of path) {
    if (value === null) return null;
    if (!isObject(value)) return undefined;
    if (typeof step === 'string') value = readOwn(value, step);
    else if (value.__typename !== undefined && !step.includes(value.__typename as string)) return undefined;
  }
  return value;
}
