/** A record's input, by field name, checked against its definition and turned into stored data, by field key. */
import { invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import { type Author, computeDefault } from '../computed-defaults.ts';
import type { EntityDefinition, FieldDefinition } from '../definition.ts';
import { ruleOf } from '../field-types.ts';
import { memberNames, typeName } from '../names.ts';
import { findField, findMemberField, findRelationByIdName } from '../relations.ts';
import { isUnion } from '../union-relations.ts';
import { join, readFlatUnion, readUnion } from './union-input.ts';
import type { FlatUnion, Member } from './union-input.ts';

/** Stored values by field key; null clears. Only fields that the input (or a default) speaks of are members. */
export type InputData = Record<string, unknown>;

export interface InputOptions {
  /** An update: absent fields stay as they are, so no defaults and no complaint about what is not given. */
  partial: boolean;
  /** Put before each field's name in errors: `inputs.3`. */
  path?: string;
  /** Whom computed defaults speak of. Where absent, nobody writes yet: what they will come to is not looked at. */
  author?: Author | undefined;
}

/** Errors that one answer lists at most. */
export const maxFieldErrors = 100;

/** One field's input value in its stored form, or the rules it breaks. Null is no value: it breaks no rule here. */
export function parseFieldValue(
  field: FieldDefinition,
  value: unknown,
  path: string,
): { stored: unknown; errors: FieldError[] } {
  const errors: FieldError[] = [];
  if (value === null || value === undefined) return { stored: null, errors };
  const stored = ruleOf(field).parse(value, field, (rule, sentence) => {
    errors.push({ field: path, rule, message: `${path} ${sentence}` });
  });
  return { stored: stored ?? null, errors };
}

/** As `validateInput`, with the broken rules returned instead of thrown. */
export function checkInput(
  entity: EntityDefinition,
  input: Readonly<Record<string, unknown>>,
  options: InputOptions,
): { data: InputData; errors: FieldError[] } {
  const errors: FieldError[] = [];
  const data: InputData = {};
  const given = readMembers(entity, input, options.path, errors);
  for (const field of entity.fields) {
    const member = given.get(field);
    if (member === undefined && options.partial) continue;
    const path = member?.path ?? join(options.path, memberNames(field).at(-1) as string);
    const value = member === undefined ? defaultOf(field, options.author) : member.value;
    if (value === undefined) continue;
    const parsed = parseFieldValue(field, value, path);
    errors.push(...parsed.errors);
    if (parsed.stored === null && parsed.errors.length === 0 && field.isRequired && !member?.isBroken) {
      errors.push({ field: path, rule: 'required', message: `${path} is required` });
    }
    if (member !== undefined || parsed.stored !== null) data[field.key] = parsed.stored;
  }
  return { data, errors };
}

/** Undefined where it is not known yet: the number of a sequence, what depends on the author where nobody writes. */
function defaultOf(field: FieldDefinition, author: Author | undefined): unknown {
  if (field.defaultFrom === null) return field.defaultValue ?? null;
  return author && computeDefault(field.defaultFrom, field.type, author);
}

/** Stored data of an input. Throws BAD_USER_INPUT that lists every broken rule (the first hundred). */
export function validateInput(
  entity: EntityDefinition,
  input: Readonly<Record<string, unknown>>,
  options: InputOptions,
): InputData {
  const { data, errors } = checkInput(entity, input, options);
  if (errors.length > 0) throw invalidInput(errors.slice(0, maxFieldErrors));
  return data;
}

/** Which field each member of the input speaks of; `company: { connect: … }` and `companyId` speak of the same. */
function readMembers(
  entity: EntityDefinition,
  input: Readonly<Record<string, unknown>>,
  path: string | undefined,
  errors: FieldError[],
): Map<FieldDefinition, Member> {
  const given = new Map<FieldDefinition, Member>();
  const flat = new Map<FieldDefinition, FlatUnion>();
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue;
    const named = findField(entity, name);
    const field = findMemberField(entity, name);
    const memberPath = join(path, name);
    if (field && !named && isUnion(field)) {
      const isId = findRelationByIdName(entity, name) === field;
      const known = flat.get(field);
      if (known?.[isId ? 'id' : 'type'] !== undefined) {
        const message = `${memberPath} says the same as ${known.path}: give one of them`;
        errors.push({ field: memberPath, rule: 'duplicate', message });
      } else
        flat.set(field, { path: memberPath, ...known, [isId ? 'id' : 'type']: { path: memberPath, value } });
      continue;
    }
    if (!field) {
      errors.push({
        field: memberPath,
        rule: 'unknown',
        message: `${memberPath} is no field of ${typeName(entity)}`,
      });
    } else if (given.has(field)) {
      const message = `${memberPath} says the same as ${given.get(field)?.path}: give one of them`;
      errors.push({ field: memberPath, rule: 'duplicate', message });
    } else if (named?.type === 'RELATION') {
      given.set(
        field,
        isUnion(field) ? readUnion(field, value, memberPath, errors) : readConnect(value, memberPath, errors),
      );
    } else {
      given.set(field, { path: memberPath, value });
    }
  }
  for (const [field, members] of flat) {
    const twice = given.get(field);
    if (!twice) given.set(field, readFlatUnion(field, members, path, errors));
    else {
      const message = `${members.path} says the same as ${twice.path}: give one of them`;
      errors.push({ field: members.path, rule: 'duplicate', message });
    }
  }
  return given;
}

function readConnect(value: unknown, path: string, errors: FieldError[]): Member {
  if (value === null) return { path, value: null };
  const members =
    typeof value === 'object' ? Object.entries(value).filter(([, member]) => member !== undefined) : [];
  const [first] = members;
  if (members.length === 1 && first?.[0] === 'connect') return { path: `${path}.connect`, value: first[1] };
  errors.push({ field: path, rule: 'relation', message: `${path} must be { connect: <id> } or null` });
  return { path, value: null };
}
