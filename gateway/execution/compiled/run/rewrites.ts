/** Applies the planner's rewrites to a representation or an answer, in place. */
import type { Rewrite } from '../recipe.ts';
import { isObject, readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';

export function applyRewrites(rewrites: readonly Rewrite[], value: ResponseObject): void {
  for (const rewrite of rewrites) applyAt(rewrite, 0, value);
}

function applyAt(rewrite: Rewrite, index: number, value: unknown): void {
  if (Array.isArray(value)) {
    for (const element of value) applyAt(rewrite, index, element);
    return;
  }
  if (!isObject(value)) return;
  const step = rewrite.path[index];
  if (step === undefined) {
    applyTo(rewrite, value);
  } else if (typeof step === 'string') {
    applyAt(rewrite, index + 1, readOwn(value, step));
  } else if (!value.__typename || step.includes(value.__typename as string)) {
    // An object of unknown type is taken to be of the right one, as the planner only asks where it matters.
    applyAt(rewrite, index + 1, value);
  }
}

function applyTo(rewrite: Rewrite, object: ResponseObject): void {
  if (rewrite.kind === 'set') {
    object[rewrite.key] = rewrite.value;
    return;
  }
  const value = readOwn(object, rewrite.key);
  // Undefined members are passed over by merging; deleting would slow the object down.
  if (value === undefined) return;
  object[rewrite.to] = value;
  object[rewrite.key] = undefined;
}

/** An error's path within an answer, by the names that its fields have once the answer is rewritten. */
export function rewrittenPath(
  rewrites: readonly Rewrite[],
  path: readonly (string | number)[],
): readonly (string | number)[] {
  let renamed = path;
  for (const rewrite of rewrites) {
    if (rewrite.kind !== 'rename') continue;
    const fields = [...rewrite.path.filter((step) => typeof step === 'string'), rewrite.key];
    let matched = 0;
    for (const [index, part] of renamed.entries()) {
      if (typeof part === 'number') continue;
      if (part !== fields[matched]) break;
      if (++matched === fields.length) {
        renamed = renamed.with(index, rewrite.to);
        break;
      }
    }
  }
  return renamed;
}
