/**
 * What a list ought to be: filters and orders evaluated on plain objects, written anew from the documentation and from
 * nothing else. Slow and simple.
 */
import type { FieldType } from '#subgraphs/model/definition.ts';

export interface PlainField {
  name: string;
  type: FieldType;
  target?: string;
  /** Of a relation to one of several: its value is `{ entity, id }`. */
  isUnion?: boolean;
}
export interface PlainRecord {
  id: string;
  version: number;
  createdAt: Date;
  updatedAt: Date;
  createdBy: string | null;
  /** By field name; a relation's member is the id of the other record. */
  values: Record<string, unknown>;
}
export interface PlainEntity {
  name: string;
  fields: PlainField[];
  /** Inverse relations: name on this entity, the entity that points here, and its field. */
  inverses: { name: string; entity: string; field: string; isSingle: boolean }[];
  records: PlainRecord[];
}
export type World = Map<string, PlainEntity>;
type Filter = Record<string, unknown>;

const textTypes = new Set(['TEXT', 'LONG_TEXT', 'EMAIL', 'URL', 'PHONE']);

export function fold(text: string): string {
  let folded = '';
  for (const character of text) {
    for (const part of character.normalize('NFKD')) {
      for (const lower of part.toLowerCase())
        if (!/\p{M}/u.test(lower)) folded += lower === 'ς' ? 'σ' : lower;
    }
  }
  return folded;
}

function codePoints(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) as number);
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [codePoints(String(a)), codePoints(String(b))];
  for (let i = 0; i < Math.min(x.length, y.length); i++)
    if (x[i] !== y[i]) return (x[i] as number) - (y[i] as number);
  return x.length - y.length;
}

/** A value (not null) as something that `compare` orders. */
function sortable(type: FieldType, value: unknown): unknown {
  if (textTypes.has(type)) return String.fromCodePoint(...codePoints(fold(String(value))).slice(0, 200));
  if (type === 'BOOLEAN') return value ? 1 : 0;
  if (type === 'DECIMAL') {
    const [whole, fraction = ''] = String(value).split('.');
    return BigInt(`${whole}${fraction.padEnd(40, '0')}`);
  }
  return value;
}

const systemTypes: Record<string, FieldType> = {
  version: 'INTEGER',
  createdAt: 'DATETIME',
  updatedAt: 'DATETIME',
};

function systemValue(record: PlainRecord, name: string): unknown {
  const value = (record as unknown as Record<string, unknown>)[name];
  return value instanceof Date ? value.toISOString() : (value ?? null);
}

export function matches(world: World, entityName: string, record: PlainRecord, filter: Filter): boolean {
  const entity = world.get(entityName) as PlainEntity;
  return Object.entries(filter).every(([name, value]) => {
    if (name === 'and') return (value as Filter[]).every((part) => matches(world, entityName, record, part));
    if (name === 'or') return (value as Filter[]).some((part) => matches(world, entityName, record, part));
    if (name === 'not') return !matches(world, entityName, record, value as Filter);
    if (name === 'id' || name === 'createdBy')
      return holds('RELATION', systemValue(record, name), value as Filter);
    if (name in systemTypes)
      return holds(systemTypes[name] as FieldType, systemValue(record, name), value as Filter);
    const field = entity.fields.find(
      (candidate) => candidate.name === name || `${candidate.name}Id` === name,
    );
    const typed = entity.fields.find((candidate) => candidate.isUnion && `${candidate.name}Type` === name);
    if (typed) {
      const pointed = record.values[typed.name] as Pointed | null;
      return holds('SELECT', pointed === null ? null : pointed.entity.toUpperCase(), value as Filter);
    }
    if (field?.isUnion) {
      const pointed = record.values[field.name] as Pointed | null;
      if (field.name !== name) return holds('RELATION', pointed?.id ?? null, value as Filter);
      return Object.entries(value as Filter).every(([member, inner]) => {
        if (member === 'isNull') return (pointed === null) === inner;
        const target = pointed?.entity === member ? find(world, member, pointed.id) : undefined;
        return target !== undefined && matches(world, member, target, inner as Filter);
      });
    }
    if (field && field.type === 'RELATION' && field.name === name) {
      const target = (world.get(field.target as string) as PlainEntity).records.find(
        (other) => other.id === record.values[name],
      );
      return target !== undefined && matches(world, field.target as string, target, value as Filter);
    }
    if (field) return holds(field.type, record.values[field.name] ?? null, value as Filter);
    const inverse = entity.inverses.find((candidate) => candidate.name === name);
    if (!inverse) throw new Error(`the generator made a filter on ${name}`);
    const children = childrenOf(world, entityName, record, inverse);
    const test = (part: unknown) => (child: PlainRecord) =>
      matches(world, inverse.entity, child, part as Filter);
    if (inverse.isSingle) return children.some(test(value));
    return Object.entries(value as Filter).every(([quantifier, part]) => {
      if (quantifier === 'some') return children.some(test(part));
      if (quantifier === 'none') return !children.some(test(part));
      return children.every(test(part));
    });
  });
}

interface Pointed {
  entity: string;
  id: string;
}

function find(world: World, entityName: string, id: unknown): PlainRecord | undefined {
  return world.get(entityName)?.records.find((record) => record.id === id);
}

function childrenOf(
  world: World,
  entityName: string,
  record: PlainRecord,
  inverse: PlainEntity['inverses'][number],
): PlainRecord[] {
  return (world.get(inverse.entity) as PlainEntity).records.filter((child) => {
    const value = child.values[inverse.field];
    if (typeof value !== 'object' || value === null) return value === record.id;
    const pointed = value as Pointed;
    return pointed.entity === entityName && pointed.id === record.id;
  });
}

function holds(type: FieldType, value: unknown, comparison: Filter): boolean {
  const insensitive = comparison['mode'] === 'INSENSITIVE';
  const form = (text: unknown): unknown => (textTypes.has(type) && insensitive ? fold(String(text)) : text);
  const same = (a: unknown, b: unknown): boolean =>
    type === 'JSON' ? canonical(a) === canonical(b) : form(a) === form(b);
  const ordered = (operand: unknown): number => compare(sortable(type, value), sortable(type, operand));
  return Object.entries(comparison).every(([operator, operand]) => {
    const list = operand as unknown[];
    const items = (value ?? []) as unknown[];
    switch (operator) {
      case 'mode':
        return true;
      case 'isNull':
        return (value === null) === operand;
      case 'eq':
        return operand === null ? value === null : value !== null && same(value, operand);
      case 'ne':
        return operand === null ? value !== null : value === null || !same(value, operand);
      case 'in':
        return value !== null && list.some((item) => same(value, item));
      case 'notIn':
        return value === null || !list.some((item) => same(value, item));
      case 'lt':
        return value !== null && ordered(operand) < 0;
      case 'lte':
        return value !== null && ordered(operand) <= 0;
      case 'gt':
        return value !== null && ordered(operand) > 0;
      case 'gte':
        return value !== null && ordered(operand) >= 0;
      case 'contains':
        return value !== null && String(form(value)).includes(String(form(operand)));
      case 'startsWith':
        return value !== null && String(form(value)).startsWith(String(form(operand)));
      case 'endsWith':
        return value !== null && String(form(value)).endsWith(String(form(operand)));
      case 'some':
        return list.some((item) => items.includes(item));
      case 'none':
        return !list.some((item) => items.includes(item));
      case 'every':
        return list.every((item) => items.includes(item));
      default:
        throw new Error(`the generator made an operator ${operator}`);
    }
  });
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(
    ([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`,
  );
  return `{${members.toSorted().join()}}`;
}

type Term = Record<string, unknown>;

/** The records in order; equal ones by id in the last term's direction. */
export function sorted(
  world: World,
  entityName: string,
  records: PlainRecord[],
  orderBy: Term[],
): PlainRecord[] {
  const directions = orderBy.map(directionOf);
  const lastIsDown = directions.at(-1)?.startsWith('DESC') ?? false;
  return records.toSorted((a, b) => {
    for (const [i, term] of orderBy.entries()) {
      const direction = directions[i] as string;
      const [x, y] = [orderValue(world, entityName, a, term), orderValue(world, entityName, b, term)];
      const isDown = direction.startsWith('DESC');
      const nullsFirst = direction.endsWith('_FIRST') || (isDown && !direction.endsWith('_LAST'));
      if (x === null && y === null) continue;
      if (x === null || y === null) return (x === null) === nullsFirst ? -1 : 1;
      const order = compare(x, y);
      if (order !== 0) return isDown ? -order : order;
    }
    return lastIsDown ? compare(b.id, a.id) : compare(a.id, b.id);
  });
}

function directionOf(term: Term): string {
  const value = Object.values(term)[0];
  return typeof value === 'string' ? value : directionOf(value as Term);
}

function orderValue(world: World, entityName: string, record: PlainRecord, term: Term): unknown {
  const [name, value] = Object.entries(term)[0] as [string, unknown];
  if (name === 'id' || name in systemTypes) return systemValue(record, name);
  const entity = world.get(entityName) as PlainEntity;
  const inverse = entity.inverses.find((candidate) => candidate.name === name);
  if (inverse) {
    const [child] = childrenOf(world, entityName, record, inverse);
    return child ? orderValue(world, inverse.entity, child, value as Term) : null;
  }
  const field = entity.fields.find((candidate) => candidate.name === name) as PlainField;
  if (field.type === 'RELATION') {
    const target = (world.get(field.target as string) as PlainEntity).records.find(
      (other) => other.id === record.values[name],
    );
    return target ? orderValue(world, field.target as string, target, value as Term) : null;
  }
  const stored = record.values[name] ?? null;
  return stored === null ? null : sortable(field.type, stored);
}
