/** Builds what `_entities` is asked with: an object's key and required fields, each different one once. */
import type { Requirement, Rewrite } from '../recipe.ts';
import { isObject, mergeInto, readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';
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
  return (objects) => {
    const values: ResponseObject[] = [];
    const indexes: number[] = [];
    const known = new Map<string, number>();
    for (const object of objects) {
      const representation = select(object);
      if (!representation?.__typename) {
        indexes.push(-1);
        continue;
      }
      if (inputRewrites.length > 0) applyRewrites(inputRewrites, representation);
      if (objects.length === 1) return { values: [representation], indexes: [0] };
      const identity = identityOf(representation);
      let index = known.get(identity);
      if (index === undefined) {
        index = values.push(representation) - 1;
        known.set(identity, index);
      }
      indexes.push(index);
    }
    return { values, indexes };
  };
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

/** Null: the object lacks a member that is required. */
type Selector = (object: ResponseObject) => ResponseObject | null;

function createSelector(requirements: readonly Requirement[]): Selector {
  const only = requirements.length === 1 ? requirements[0] : undefined;
  if (only?.kind === 'fragment') {
    const select = createFieldsSelector(only.selections);
    const applies = createTypeTest(only.typenames);
    return (object) => (applies(object) ? select(object) : {});
  }
  return createFieldsSelector(requirements);
}

function createFieldsSelector(requirements: readonly Requirement[]): Selector {
  const parts = requirements.map(createPart);
  return (object) => {
    const selected: ResponseObject = {};
    for (const part of parts) if (!part(object, selected)) return null;
    return selected;
  };
}

/** Adds its part to `selected`; false where it is missing. */
type Part = (object: ResponseObject, selected: ResponseObject) => boolean;

function createPart(requirement: Requirement): Part {
  if (requirement.kind === 'fragment') {
    const select = createFieldsSelector(requirement.selections);
    const applies = createTypeTest(requirement.typenames);
    return (object, selected) => {
      // A fragment that lacks something adds nothing; another may still make the representation.
      const inner = applies(object) ? select(object) : null;
      if (inner) mergeInto(selected, inner);
      return true;
    };
  }
  const { key, selections } = requirement;
  const select = selections && createSelector(selections);
  return (object, selected) => {
    const value = readOwn(object, key);
    if (value === undefined) return false;
    selected[key] = select ? selectValue(select, value) : value;
    return true;
  };
}

function selectValue(select: Selector, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((element) => selectValue(select, element));
  return isObject(value) ? select(value) : value;
}

function createTypeTest(typenames: readonly string[] | null): (object: ResponseObject) => boolean {
  if (!typenames) return () => true;
  if (typenames.length === 1) {
    const [name] = typenames;
    return (object) => object.__typename === name;
  }
  const names = new Set<unknown>(typenames);
  return (object) => names.has(object.__typename);
}
