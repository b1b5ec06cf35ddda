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
  const keys = singleKeys(requires);
  return (objects) => {
    const values: ResponseObject[] = [];
    const indexes: number[] = [];
    const byKey = new Map<unknown, Map<unknown, number>>();
    const byIdentity = new Map<string, number>();

    /** -1: nothing to ask with. */
    const add = (representation: ResponseObject | null): number => {
      if (!representation?.__typename) return -1;
      if (inputRewrites.length > 0) applyRewrites(inputRewrites, representation);
      return values.push(representation) - 1;
    };
    const addByKey = (object: ResponseObject, key: string): number => {
      const typename = object.__typename;
      const value = readOwn(object, key);
      let known = byKey.get(typename);
      if (!known) byKey.set(typename, (known = new Map()));
      const index = known.get(value) ?? add(select(object));
      known.set(value, index);
      return index;
    };
    const addByIdentity = (object: ResponseObject): number => {
      const representation = select(object);
      if (!representation) return -1;
      const identity = identityOf(representation);
      const index = byIdentity.get(identity) ?? add(representation);
      byIdentity.set(identity, index);
      return index;
    };

    for (const object of objects) {
      const key = keys.get(object.__typename);
      indexes.push(key === undefined ? addByIdentity(object) : addByKey(object, key));
    }
    return { values, indexes };
  };
}

/**
 * By type name, the one field beside `__typename` that a representation of such an object consists of, where it is a
 * leaf: objects are then told apart by its value alone, before anything is built.
 */
function singleKeys(requires: readonly Requirement[]): Map<unknown, string> {
  const keys = new Map<unknown, string>();
  const several = new Set<unknown>();
  for (const requirement of requires) {
    if (requirement.kind !== 'fragment' || !requirement.typenames) return new Map();
    const [first, second, ...more] = requirement.selections.filter(
      (selection) => selection.kind !== 'field' || selection.key !== '__typename',
    );
    const isSingle = first?.kind === 'field' && !first.selections && !second && more.length === 0;
    for (const typename of requirement.typenames) {
      if (!isSingle || (keys.has(typename) && keys.get(typename) !== first.key)) several.add(typename);
      else keys.set(typename, first.key);
    }
  }
  for (const typename of several) keys.delete(typename);
  return keys;
}

/** Equal for equal values of one selection: members are always in the same order. */
function identityOf(representation: ResponseObject): string {
  let identity = '';
  for (const key in representation) {
    const value = representation[key];
    // Lengths keep "a","bc" apart from "ab","c".
    identity +=
      typeof value === 'string'
        ? `${key.length}${key}${value.length}:${value}`
        : `${key.length}${key}=${JSON.stringify(value)};`;
  }
  return identity;
}
