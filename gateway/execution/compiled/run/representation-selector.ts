/** Picks from an object what its representation holds. */
import type { Requirement } from '../recipe.ts';
import { isObject, mergeInto, readOwn } from './merge.ts';
import type { ResponseObject } from './operation-run.ts';

/** Null: the object lacks a member that is required. */
export type Selector = (object: ResponseObject) => ResponseObject | null;

/** An object that none of the fragments is for gives an empty representation. */
export function createSelector(requirements: readonly Requirement[]): Selector {
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
