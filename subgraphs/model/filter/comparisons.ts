/** Which operators each kind of comparison has: the one table behind the SDL, the validation and both evaluators. */
import type { ComparisonKind } from '../field-types.ts';

export const operators = [
  'eq',
  'ne',
  'in',
  'notIn',
  'lt',
  'lte',
  'gt',
  'gte',
  'contains',
  'startsWith',
  'endsWith',
  'some',
  'none',
  'every',
  'isNull',
] as const;
export type Operator = (typeof operators)[number];

const equality = ['eq', 'ne', 'in', 'notIn'] as const;
const order = ['lt', 'lte', 'gt', 'gte'] as const;

export const operatorsOf: Readonly<Record<ComparisonKind, readonly Operator[]>> = {
  TEXT: [...equality, ...order, 'contains', 'startsWith', 'endsWith', 'isNull'],
  NUMBER: [...equality, ...order, 'isNull'],
  DECIMAL: [...equality, ...order, 'isNull'],
  TIME: [...equality, ...order, 'isNull'],
  CHOICE: [...equality, 'isNull'],
  CHOICES: ['some', 'none', 'every', 'isNull'],
  FLAG: ['eq', 'ne', 'isNull'],
  ID: [...equality, 'isNull'],
  // Beside its members (`fileMembers`), each of which is compared as its own type.
  FILE: ['isNull'],
  TARGET: [...equality, 'isNull'],
  DOCUMENT: ['eq', 'ne', 'isNull'],
};

/** Operators whose value is a list. */
export const listOperators: ReadonlySet<Operator> = new Set(['in', 'notIn', 'some', 'none', 'every']);

/** What an operator says, for people who read the schema. */
export const operatorDescriptions: Readonly<Record<Operator, string>> = {
  eq: 'Equal; null: has no value.',
  ne: 'Not equal, records without a value included; null: has a value.',
  in: 'Equal to one of these.',
  notIn: 'Equal to none of these, records without a value included.',
  lt: 'Less than.',
  lte: 'Less than or equal.',
  gt: 'Greater than.',
  gte: 'Greater than or equal.',
  contains: 'Has this text in it.',
  startsWith: 'Begins with this text.',
  endsWith: 'Ends with this text.',
  some: 'Holds at least one of these.',
  none: 'Holds none of these, records without a value included.',
  every: 'Holds every one of these.',
  isNull: 'True: has no value. False: has one.',
};
