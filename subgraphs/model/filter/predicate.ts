/** A filter evaluated in memory, on one record. It agrees with the filter in SQL on every record and every filter. */
import type { EntityDefinition, FieldDefinition, TenantModel } from '../definition.ts';
import { compareCodePoints, foldKey, foldText } from '../fold.ts';
import { pointedAt } from '../union-relations.ts';
import { compareDecimals } from '../values/decimal.ts';
import { isSameJson } from '../values/json.ts';
import type { ComparisonNode, FilterNode } from './node.ts';
import type { SystemFilterMember } from './sdl.ts';
import { parseFilter } from './validate.ts';

/** A record as the store or the log has it; times as `Date` or ISO text in UTC with milliseconds. */
export interface FilteredRecord {
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly createdAt: Date | string;
  readonly updatedAt: Date | string;
  readonly createdBy: string | null;
  readonly deletedAt: Date | string | null;
}

/** NEEDS_STORE: the answer lies in other records (the filter follows a relation, and the rest did not decide it). */
export type Verdict = boolean | 'NEEDS_STORE';
export type Predicate = (record: FilteredRecord) => Verdict;

/** The filter as a function of one record. Throws BAD_USER_INPUT as `parseFilter` does. */
export function compilePredicate(
  model: TenantModel,
  entity: EntityDefinition,
  filter: Readonly<Record<string, unknown>> | null | undefined,
): Predicate {
  return predicateOf(parseFilter(model, entity, filter));
}

/** A filter that is parsed already. */
export function predicateOf(node: FilterNode): Predicate {
  return compile(node);
}

function compile(node: FilterNode): Predicate {
  switch (node.kind) {
    case 'all':
      return combine(node.nodes.map(compile), false);
    case 'any':
      return combine(node.nodes.map(compile), true);
    case 'not': {
      const inner = compile(node.node);
      return (record) => {
        const verdict = inner(record);
        return verdict === 'NEEDS_STORE' ? verdict : !verdict;
      };
    }
    case 'comparison':
      return compileComparison(node);
    case 'to-one':
      // Without an id there is nothing at the other end, and that much is known here.
      return (record) => pointsSomewhere(node.field, record) && 'NEEDS_STORE';
    case 'to-many':
      return () => 'NEEDS_STORE';
  }
}

/** The first verdict that is `decisive` decides, also beside one that the store would have to give. */
function combine(parts: readonly Predicate[], decisive: boolean): Predicate {
  return (record) => {
    let verdict: Verdict = !decisive;
    for (const part of parts) {
      const found = part(record);
      if (found === decisive) return found;
      if (found === 'NEEDS_STORE') verdict = found;
    }
    return verdict;
  };
}

function compileComparison(node: ComparisonNode): Predicate {
  const read = reader(node.subject, node.comparison);
  if (node.operator === 'isNull') return (record) => (read(record) === null) === node.value;
  const holds = valueTest(node);
  const holdsWithout = node.operator === 'every' && (node.value as unknown[]).length === 0;
  return (record) => {
    const value = read(record);
    return value === null ? holdsWithout : holds(value);
  };
}

function pointsSomewhere(field: FieldDefinition, { data }: FilteredRecord): boolean {
  const stored = data[field.key] ?? null;
  return field.targets === undefined ? stored !== null : pointedAt(field, stored) !== null;
}

function reader(
  subject: FieldDefinition | SystemFilterMember,
  comparison: ComparisonNode['comparison'],
): (record: FilteredRecord) => unknown {
  if (typeof subject !== 'string' && subject.targets !== undefined) {
    const member = comparison === 'TARGET' ? 'entityId' : 'id';
    return (record) => pointedAt(subject, record.data[subject.key])?.[member] ?? null;
  }
  if (typeof subject !== 'string') {
    const { key, member } = subject;
    if (member === undefined) return (record) => record.data[key] ?? null;
    return (record) => (record.data[key] as Record<string, unknown> | undefined)?.[member] ?? null;
  }
  return (record) => {
    const value = record[subject];
    return value instanceof Date ? value.toISOString() : value;
  };
}

/** Whether a value (not null) satisfies the comparison. */
function valueTest(node: ComparisonNode): (value: unknown) => boolean {
  const operand = node.value;
  const form: (value: unknown) => unknown =
    node.comparison === 'TEXT' && node.isInsensitive
      ? (value) => foldText(value as string)
      : (value) => value;
  const formed = Array.isArray(operand) && node.comparison !== 'DOCUMENT' ? operand.map(form) : form(operand);
  switch (node.operator) {
    case 'eq':
      return node.comparison === 'DOCUMENT'
        ? (value) => isSameJson(value, operand)
        : (value) => form(value) === formed;
    case 'in': {
      const values = new Set(formed as unknown[]);
      return (value) => values.has(form(value));
    }
    case 'contains':
      return (value) => (form(value) as string).includes(formed as string);
    case 'startsWith':
      return (value) => (form(value) as string).startsWith(formed as string);
    case 'endsWith':
      return (value) => (form(value) as string).endsWith(formed as string);
    case 'some':
      return (value) => (operand as unknown[]).some((item) => (value as unknown[]).includes(item));
    case 'every':
      return (value) => (operand as unknown[]).every((item) => (value as unknown[]).includes(item));
    default: {
      const compare = orderOf(node);
      const key = orderKey(node, operand);
      if (node.operator === 'lt') return (value) => compare(orderKey(node, value), key) < 0;
      if (node.operator === 'lte') return (value) => compare(orderKey(node, value), key) <= 0;
      if (node.operator === 'gt') return (value) => compare(orderKey(node, value), key) > 0;
      return (value) => compare(orderKey(node, value), key) >= 0;
    }
  }
}

function orderKey(node: ComparisonNode, value: unknown): unknown {
  return node.comparison === 'TEXT' ? foldKey(value as string) : value;
}

function orderOf(node: ComparisonNode): (a: unknown, b: unknown) => number {
  if (node.comparison === 'NUMBER') return (a, b) => (a as number) - (b as number);
  if (node.comparison === 'DECIMAL') return (a, b) => compareDecimals(a as string, b as string);
  // Times in their stored form are ASCII of one length and order as text.
  return (a, b) => compareCodePoints(a as string, b as string);
}
