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

/** `conditions`: variables that a skip or include reads, which have to be booleans. */
export function coerceVariables(
  variables: readonly VariableRecipe[],
  types: InputTypes,
  conditions: readonly string[],
  provided: Readonly<Record<string, unknown>>,
): CoercedVariables {
  const values: Record<string, unknown> = {};
  const errors: GraphQLError[] = [];
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
    const input = new Input(name, types, errors);
    values[name] = input.coerce(type, value, null);
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
}

class Input {
  readonly #variable: string;
  readonly #types: InputTypes;
  readonly #errors: GraphQLError[];

  constructor(variable: string, types: InputTypes, errors: GraphQLError[]) {
    this.#variable = variable;
    this.#types = types;
    this.#errors = errors;
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
      return value.map((element, key) => this.coerce(list, element, { outer: place, key }));
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
    const given = value as Record<string, unknown>;
    const coerced: Record<string, unknown> = {};
    let known = 0;
    for (const [key, field] of type.fields) {
      const hasOwn = Object.hasOwn(given, key);
      if (hasOwn) known++;
      const fieldValue = hasOwn ? given[key] : undefined;
      if (fieldValue !== undefined) {
        coerced[key] = this.coerce(field.type, fieldValue, { outer: place, key });
      } else if (field.defaultValue !== undefined) {
        coerced[key] = field.defaultValue;
      } else if (field.type.nonNull) {
        const message = `Field "${key}" of required type "${typeName(field.type)}" was not provided`;
        this.#fail({ outer: place, key }, 'required', message);
      }
    }
    if (known < Object.keys(given).length) {
      for (const key of Object.keys(given)) {
        if (type.fields.has(key)) continue;
        this.#fail({ outer: place, key }, 'unknown', `Field ${shown(key)} is not defined by type "${name}"`);
      }
    }
    if (type.isOneOf) this.#oneOf(name, coerced, place);
    return coerced;
  }

  #oneOf(name: string, coerced: Record<string, unknown>, place: Place | null): void {
    const keys = Object.keys(coerced);
    const [only] = keys;
    if (keys.length !== 1 || only === undefined) {
      this.#fail(place, 'oneOf', `Exactly one key must be specified for OneOf type "${name}"`);
    } else if (coerced[only] === null) {
      this.#fail({ outer: place, key: only }, 'oneOf', `Field "${only}" must be non-null`);
    }
  }

  #scalar(name: string, leaf: BuiltInLeaf, value: unknown, place: Place | null): unknown {
    switch (leaf) {
      case 'Custom':
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

function typeName(ref: InputRef): string {
  return `${ref.list ? `[${typeName(ref.list)}]` : ref.named}${ref.nonNull ? '!' : ''}`;
}

/** Shortened, so that an answer never repeats a large input. */
function shown(value: unknown): string {
  const text =
    typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'an object') : JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`;
}
