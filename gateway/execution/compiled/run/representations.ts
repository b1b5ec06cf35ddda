/** Builds what `_entities` is asked with: an object's key and required fields, each different one once. */
import type { Requirement, Rewrite } from '../recipe.ts';
import { readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';
import { createSelector } from './representation-selector.ts';
import { applyRewrites } from './rewrites.ts';

export interface Representations {
  readonly values: ResponseObject[];
  /** For each object the index in `values`, or -1 where it lacks something required and so is not asked for. */
  readonly indexes: number[];
}

export type RepresentationBuilder = (objects: readonly ResponseObject[]) => Representations;

/** Objects whose representations are equal by value share one. */
export function createRepresentationBuilder(
  requires: readonly Requirement[],
  inputRewrites: readonly Rewrite[],
): RepresentationBuilder {
  const select = createSelector(requires);
  const flatKeys = readFlatKeys(requires);
  return (objects) => {
    const values: ResponseObject[] = [];
    const indexes: number[] = [];
    const byTypename = new Map<unknown, Map<unknown, number>>();

    for (const object of objects) {
      const typename = object.__typename;
      const keys = flatKeys.get(typename);
      const representation = keys ? null : select(object);
      const identity = keys ? flatIdentity(object, keys) : representation && JSON.stringify(representation);
      let known = byTypename.get(typename);
      if (!known) byTypename.set(typename, (known = new Map()));
      let index = known.get(identity);
      if (index === undefined) {
        const added = representation ?? select(object);
        index = -1;
        if (added?.__typename) {
          applyRewrites(inputRewrites, added);
          index = values.push(added) - 1;
        }
        known.set(identity, index);
      }
      indexes.push(index);
    }
    return { values, indexes };
  };
}

/**
 * By type name, the fields beside `__typename` that a representation of such an object consists of, where they have no
 * selections: objects are then told apart by their values, before anything is built.
 */
function readFlatKeys(requires: readonly Requirement[]): Map<unknown, readonly string[]> {
  const keys = new Map<unknown, readonly string[]>();
  const several = new Set<unknown>();
  for (const requirement of requires) {
    if (requirement.kind !== 'fragment' || !requirement.typenames) return new Map();
    const { selections, typenames } = requirement;
    const fields = selections.filter((selection) => selection.kind === 'field' && !selection.selections);
    const names = fields.flatMap((field) =>
      field.kind === 'field' && field.key !== '__typename' ? [field.key] : [],
    );
    for (const typename of typenames) {
      if (fields.length < selections.length || keys.has(typename)) several.add(typename);
      else keys.set(typename, names);
    }
  }
  // What several fragments select together is compared as a whole.
  for (const typename of several) keys.delete(typename);
  return keys;
}

/** Equal for equal values: one is its own identity, of several each carries its length or ends by itself. */
function flatIdentity(object: ResponseObject, keys: readonly string[]): unknown {
  const [only] = keys;
  if (keys.length === 1 && only !== undefined) return readOwn(object, only);
  let identity = '';
  for (const key of keys) {
    const value = readOwn(object, key);
    identity += typeof value === 'string' ? `${value.length}:${value}` : `${JSON.stringify(value)};`;
  }
  return identity;
}
