/** Coerces variables by the specification, from recipes of types instead of a schema. */
import type { GraphQLError } from 'graphql';
import type { FieldError } from '#schema/errors.ts';
import type { BuiltInLeaf, InputRef, InputTypeRecipe, InputTypes, VariableRecipe } from '../recipe.ts';
import { badRequest } from './errors.ts';

export type CoercedVariables =
  | { readonly values: Readonly<Record<string, unknown>>; readonly errors: null }
  | { readonly values: null; readonly errors: readonly GraphQLError[] };

/** A request with more mistakes than this is told of the first ones only. */
const maxErrors = 50;
/** Objects and lists nested in each other, JSON values included: what comes after us may walk them by recursion. */
const maxDepth = 200;
/**
 * Input objects and elements of lists, of all variables together. A thousand records need a few thousand; a body of `{},`
 * would hold a million, each of which costs a subgraph 10 µs without a pause.
 */
const maxValues = 50_000;

/** `conditions`: variables that a skip or include reads, which have to be booleans. */
export function coerceVariables(
  variables: readonly VariableRecipe[],
  types: InputTypes,
  conditions: readonly string[],
  provided: Readonly<Record<string, unknown>>,
): CoercedVariables {
  const values: Record<string, unknown> = {};
  const errors: GraphQLError[] = [];
  const budget = { left: maxValues };
  for (const { name, type, ...rest } of variables) {
    const value = Object.hasOwn(provided, name) ? provided[name] : undefined;
    if (value === undefined) {
      if ('defaultValue' in rest) values[name] = rest.defaultValue;
      else if (type.nonNull) {
        errors.push(
          invalidVariable(name, '', 'required', `of required type "${typeName(type)}" was not provided`),
        );
      }
      continue;
    }
    if (value === null && type.nonNull) {
      errors.push(
        invalidVariable(name, '', 'required', `of non-null type "${typeName(type)}" must not be null`),
      );
      continue;
    }
    try {
      values[name] = new Input(name, types, errors, budget).coerce(type, value, null);
    } catch (error) {
      if (error instanceof TooMuch) return { values: null, errors: [error.answer] };
      throw error;
    }
    if (errors.length >= maxErrors) break;
  }
  if (errors.length === 0) {
    for (const name of conditions) {
      if (typeof values[name] === 'boolean') continue;
      errors.push(
        invalidVariable(name, '', 'required', 'decides what is answered, so it must be true or false'),
      );
    }
  }
  return errors.length > 0 ? { values: null, errors } : { values, errors: null };
}

/** Where in a variable's value something is: innermost first. */
interface Place {
  readonly outer: Place | null;
  readonly key: string | number;
  /** How many places lie around it, and 1. */
  readonly depth: number;
}

function inside(outer: Place | null, key: string | number): Place {
  return { outer, key, depth: (outer?.depth ?? 0) + 1 };
}

/** Ends the walk: the rest would cost what the limit is there to save. */
class TooMuch extends Error {
  readonly answer: GraphQLError;

  constructor(variable: string, rule: string, message: string) {
    super(message);
    this.answer = invalidVariable(variable, '', rule, message);
  }
}

class Input {
  readonly #variable: string;
  readonly #types: InputTypes;
  readonly #errors: GraphQLError[];
  readonly #budget: { left: number };

  constructor(variable: string, types: InputTypes, errors: GraphQLError[], budget: { left: number }) {
    this.#variable = variable;
    this.#types = types;
    this.#errors = errors;
    this.#budget = budget;
  }

  #spend(place: Place | null, values: number): void {
    if (place !== null && place.depth > maxDepth) this.#tooDeep();
    this.#budget.left -= values;
    if (this.#budget.left < 0)
      throw new TooMuch(
        this.#variable,
        'maxValues',
        `holds more than ${maxValues} objects and list elements`,
      );
  }

  #tooDeep(): never {
    throw new TooMuch(this.#variable, 'depth', `is nested deeper than ${maxDepth} levels`);
  }

  coerce(ref: InputRef, value: unknown, place: Place | null): unknown {
    if (value === null || value === undefined) {
      if (ref.nonNull)
        this.#fail(place, 'required', `Expected non-nullable type "${typeName(ref)}" not to be null`);
      return null;
    }
    if (ref.list) {
      const { list } = ref;
      if (!Array.isArray(value)) return [this.coerce(list, value, place)];
      this.#spend(place, value.length);
      return value.map((element, key) => this.coerce(list, element, inside(place, key)));
    }
    const type = this.#types.get(ref.named);
    switch (type?.kind) {
      case undefined:
        return value;
      case 'object':
        return this.#object(ref.named, type, value, place);
      case 'enum':
        if (typeof value === 'string' && type.values.has(value)) return value;
        this.#fail(place, 'enum', `Value ${shown(value)} does not exist in "${ref.named}" enum`);
        return undefined;
      case 'scalar':
        return this.#scalar(ref.named, type.leaf, value, place);
    }
  }

  #object(
    name: string,
    type: Extract<InputTypeRecipe, { kind: 'object' }>,
    value: unknown,
    place: Place | null,
  ): unknown {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#fail(place, 'object', `Expected type "${name}" to be an object`);
      return undefined;
    }
    this.#spend(place, 1);
    const given = value as Record<string, unknown>;
    const coerced: Record<string, unknown> = {};
    let known = 0;
    for (const [key, field] of type.fields) {
      const hasOwn = Object.hasOwn(given, key);
      if (hasOwn) known++;
      const fieldValue = hasOwn ? given[key] : undefined;
      if (fieldValue !== undefined) {
        coerced[key] = this.coerce(field.type, fieldValue, inside(place, key));
      } else if (field.defaultValue !== undefined) {
        coerced[key] = field.defaultValue;
      } else if (field.type.nonNull) {
        const message = `Field "${key}" of required type "${typeName(field.type)}" was not provided`;
        this.#fail(inside(place, key), 'required', message);
      }
    }
    if (known < Object.keys(given).length) {
      for (const key of Object.keys(given)) {
        if (type.fields.has(key)) continue;
        this.#fail(inside(place, key), 'unknown', `Field ${shown(key)} is not defined by type "${name}"`);
      }
    }
    if (type.isOneOf) this.#oneOf(name, coerced, place);
    return coerced;
  }

  #oneOf(name: string, coerced: Record<string, unknown>, place: Place | null): void {
    const keys = Object.keys(coerced);
    const [only] = keys;
    if (keys.length !== 1) {
      this.#fail(place, 'oneOf', `Exactly one key must be specified for OneOf type "${name}"`);
    }
    if (only !== undefined && coerced[only] === null) {
      this.#fail(inside(place, only), 'oneOf', `Field "${only}" must be non-null`);
    }
  }

  #scalar(name: string, leaf: BuiltInLeaf, value: unknown, place: Place | null): unknown {
    switch (leaf) {
      case 'Custom':
        if (!isWithin(value, maxDepth - (place?.depth ?? 0))) this.#tooDeep();
        return value;
      case 'String':
        if (typeof value === 'string') return value;
        break;
      case 'Boolean':
        if (typeof value === 'boolean') return value;
        break;
      case 'Int':
        if (typeof value === 'number' && (value | 0) === value) return value;
        break;
      case 'Float':
        if (typeof value === 'number' && Number.isFinite(value)) return value;
        break;
      case 'ID':
        if (typeof value === 'string') return value;
        if (typeof value === 'number' && Number.isInteger(value)) return String(value);
        break;
    }
    this.#fail(place, 'type', `${name} cannot represent ${shown(value)}`);
    return undefined;
  }

  #fail(place: Place | null, rule: string, message: string): void {
    if (this.#errors.length >= maxErrors) return;
    const keys: (string | number)[] = [];
    for (let at = place; at; at = at.outer) keys.unshift(at.key);
    const where = keys.map((key) => (typeof key === 'number' ? `[${key}]` : `.${key}`)).join('');
    const at = where === '' ? '' : ` at "${this.#variable}${where}"`;
    const field = [this.#variable, ...keys].join('.');
    this.#errors.push(invalidVariable(this.#variable, field, rule, `got an invalid value${at}; ${message}`));
  }
}

function invalidVariable(name: string, field: string, rule: string, message: string): GraphQLError {
  const text = `Variable "$${name}" ${message}.`;
  const fields: FieldError[] = [{ field: field || name, rule, message: text }];
  return badRequest(text, { fields });
}

/** Whether no more than `levels` objects and lists of the value are nested in each other. */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels <= 0) return false;
  return Object.values(value).every((member) => isWithin(member, levels - 1));
}

function typeName(ref: InputRef): string {
  return `${ref.list ? `[${typeName(ref.list)}]` : ref.named}${ref.nonNull ? '!' : ''}`;
}

/** Shortened, so that an answer never repeats a large input. */
function shown(value: unknown): string {
  const text =
    typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'an object') : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
