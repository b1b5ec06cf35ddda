/** What an input says of a relation to one of several entities: `subject: { connect: { client: <id> } }`, or `subjectId` and `subjectType`. */
import type { FieldError } from '#schema/errors.ts';
import type { FieldDefinition } from '../definition.ts';
import { relationIdName, relationTypeName } from '../names.ts';
import { activeTargets, findTarget, storedTarget, targetValue, viewOf } from '../union-relations.ts';
import { readId } from './choice.ts';
import { show } from './report.ts';

/** What a member of an input says of a field, and where it stands. */
export interface Member {
  path: string;
  value: unknown;
  /** A broken rule was reported: nothing more is to be said of it. */
  isBroken?: boolean;
}

/** `subjectId` and `subjectType`, as far as they are given. */
export interface FlatUnion {
  readonly path: string;
  readonly id?: Member;
  readonly type?: Member;
}

/** A union is set by both of its members, and cleared by null for either. */
export function readFlatUnion(
  field: FieldDefinition,
  { id, type }: FlatUnion,
  path: string | undefined,
  errors: FieldError[],
): Member {
  const at = { id: join(path, relationIdName(field.name)), type: join(path, relationTypeName(field.name)) };
  const none = { path: id?.path ?? at.id, value: null };
  if ((id?.value ?? null) === null && (type?.value ?? null) === null) return none;
  if ((id?.value ?? null) === null || (type?.value ?? null) === null) {
    const [missing, other] = (id?.value ?? null) === null ? [at.id, at.type] : [at.type, at.id];
    const message = `${missing} is required beside ${other}: ${at.type} says which entity the record is of`;
    errors.push({ field: missing, rule: 'required', message });
    return { ...none, isBroken: true };
  }
  const name = type?.value;
  const target = typeof name === 'string' ? findTarget(field, name) : undefined;
  if (!target) {
    const message = `${type?.path ?? at.type} must be one of ${listTargets(field)}, not ${show(name)}`;
    errors.push({ field: type?.path ?? at.type, rule: 'option', message });
    return { ...none, isBroken: true };
  }
  return pointAt(viewOf(field, target.entityId), id?.value, none.path, errors);
}

/** `{ connect: { client: <id> } }`. */
export function readUnion(
  field: FieldDefinition,
  value: unknown,
  path: string,
  errors: FieldError[],
): Member {
  if (value === null) return { path, value: null };
  const connect = onlyMember(value);
  const choice = connect?.[0] === 'connect' ? onlyMember(connect[1]) : undefined;
  const target =
    choice && activeTargets(field).find(({ name, aliases }) => [name, ...aliases].includes(choice[0]));
  if (target)
    return pointAt(viewOf(field, target.entityId), choice[1], `${path}.connect.${choice[0]}`, errors);
  const names = activeTargets(field).map(({ name }) => name);
  const message = `${path} must be { connect: { ${names[0]}: <id> } } with one of ${names.join(', ')}, or null`;
  errors.push({ field: path, rule: 'relation', message });
  return { path, value: null, isBroken: true };
}

function pointAt(view: FieldDefinition, value: unknown, path: string, errors: FieldError[]): Member {
  const id = readId(value);
  if (id !== null) return { path, value: storedTarget(view, id) };
  errors.push({
    field: path,
    rule: 'relation',
    message: `${path} must be the id of a record, not ${show(value)}`,
  });
  return { path, value: null, isBroken: true };
}

function listTargets(field: FieldDefinition): string {
  return activeTargets(field).map(targetValue).join(', ');
}

function onlyMember(value: unknown): [string, unknown] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return members.length === 1 ? members[0] : undefined;
}

/** A member's place in the whole input. */
export function join(path: string | undefined, name: string): string {
  return path === undefined ? name : `${path}.${name}`;
}
