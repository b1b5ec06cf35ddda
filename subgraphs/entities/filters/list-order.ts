/** `orderBy` becomes the keys by which a list is ordered; the last one is always the id, so that no two records are equal. */
import { createHash } from 'node:crypto';
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { typeName } from '#subgraphs/model/names.ts';
import {
  isOrderInverse,
  isOrderMember,
  orderDirections,
  systemOrderMembers,
} from '#subgraphs/model/order/sdl.ts';
import type { OrderDirection, SystemOrderMember } from '#subgraphs/model/order/sdl.ts';
import { findField, findInverse, getTarget } from '#subgraphs/model/relations.ts';
import type { RelationStep } from '#subgraphs/model/relations.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';

export const orderLimits = { terms: 10, relationDepth: 5 } as const;

export interface OrderKey {
  /** The relations that lead from the listed record to the one that is looked at; none: the record itself. */
  readonly relations: readonly RelationStep[];
  readonly subject: FieldDefinition | SystemOrderMember;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
}

export interface ListOrder {
  readonly keys: readonly OrderKey[];
  /** Tells orders apart: a cursor holds it, and serves only the order that it was made for. */
  readonly signature: string;
}

type Term = Readonly<Record<string, unknown>>;

/**
 * Without terms: by id, which is the order of creation. Records that are equal in every term are ordered by id in the
 * last term's direction (so one index serves both). Throws BAD_USER_INPUT.
 */
export function parseOrder(
  model: TenantModel,
  entity: EntityDefinition,
  orderBy: readonly Term[] | Term | null | undefined,
): ListOrder {
  // GraphQL's own rule for lists: a single value stands for a list of it.
  const terms = orderBy === null || orderBy === undefined ? [] : Array.isArray(orderBy) ? orderBy : [orderBy];
  if (terms.length > orderLimits.terms) {
    throw invalidField(
      'orderBy',
      'maxLength',
      `orderBy must hold at most ${orderLimits.terms} terms, holds ${terms.length}`,
    );
  }
  const keys: OrderKey[] = [];
  for (const [index, term] of terms.entries()) {
    const key = readTerm(model, entity, term, `orderBy.${index}`, []);
    keys.push(key);
    // Nothing is equal after the id.
    if (isId(key)) break;
  }
  const last = keys.at(-1);
  if (!last || !isId(last)) {
    const isDescending = last?.isDescending ?? false;
    keys.push({ relations: [], subject: 'id', isDescending, areNullsFirst: isDescending });
  }
  return { keys, signature: sign(entity, keys) };
}

const isId = (key: OrderKey): boolean => key.subject === 'id' && key.relations.length === 0;

function readTerm(
  model: TenantModel,
  entity: EntityDefinition,
  term: unknown,
  path: string,
  relations: readonly RelationStep[],
): OrderKey {
  const [name, value] = readOnlyMember(term, path, '{ createdAt: DESC }');
  const at = `${path}.${name}`;
  const system = systemOrderMembers.find((member) => member === name);
  if (system) return { relations, subject: system, ...readDirection(value, at) };
  const field = findField(entity, name);
  if (field && isUnion(field)) {
    const message = `${at} refers to one of several entities, which have no order in common: lists cannot be ordered by it`;
    throw invalidField(at, 'union', message);
  }
  const inverse = field ? undefined : findInverse(model, entity, name);
  if (inverse && isOrderInverse(inverse)) {
    assertDepth(relations, at);
    return readTerm(model, inverse.entity, value, at, [...relations, inverse]);
  }
  if (!field || !isOrderMember(field))
    throw invalidField(at, 'unknown', `${at} is not known: ${typeName(entity)} cannot be ordered by ${name}`);
  if (field.type !== 'RELATION') return { relations, subject: field, ...readDirection(value, at) };
  assertDepth(relations, at);
  return readTerm(model, getTarget(model, field), value, at, [...relations, field]);
}

function assertDepth(relations: readonly RelationStep[], path: string): void {
  if (relations.length < orderLimits.relationDepth) return;
  throw invalidField(path, 'depth', `${path} follows more than ${orderLimits.relationDepth} relations`);
}

/** The one member of a term, with its value. */
export function readOnlyMember(term: unknown, path: string, example: string): [string, unknown] {
  const members =
    typeof term === 'object' && term !== null
      ? Object.entries(term).filter(([, value]) => value !== undefined)
      : [];
  const [first] = members;
  if (first && members.length === 1) return first;
  throw invalidField(
    path,
    'members',
    `${path} must have exactly one member, such as ${example}: one for each term`,
  );
}

export function readDirection(
  value: unknown,
  path: string,
): Pick<OrderKey, 'isDescending' | 'areNullsFirst'> {
  const direction: OrderDirection | undefined = orderDirections.find((known) => known === value);
  if (!direction) throw invalidField(path, 'option', `${path} must be one of ${orderDirections.join(', ')}`);
  const isDescending = direction.startsWith('DESC');
  if (direction.endsWith('_FIRST')) return { isDescending, areNullsFirst: true };
  if (direction.endsWith('_LAST')) return { isDescending, areNullsFirst: false };
  return { isDescending, areNullsFirst: isDescending };
}

function sign(entity: EntityDefinition, keys: readonly OrderKey[]): string {
  const parts = keys.map((key) => [
    key.relations.map((step) => ('field' in step ? ['inverse', step.field.id] : step.id)),
    typeof key.subject === 'string' ? key.subject : key.subject.id,
    key.isDescending,
    key.areNullsFirst,
  ]);
  return createHash('sha256')
    .update(JSON.stringify([entity.id, parts]))
    .digest('base64url')
    .slice(0, 8);
}
