/** What can be counted, summed and grouped by: the one table behind the SDL, the validation and the statement. */
import type { FieldDefinition } from '../definition.ts';
import { ruleOf } from '../field-types.ts';

/** Beside the count of a group's records. */
export const aggregateFunctions = ['countDistinct', 'sum', 'avg', 'min', 'max'] as const;
export type AggregateFunction = (typeof aggregateFunctions)[number];

/** How wide a group of dates is. */
export const dateBuckets = ['DAY', 'WEEK', 'MONTH', 'QUARTER', 'YEAR'] as const;
export type DateBucket = (typeof dateBuckets)[number];

/** System members that a group has a least and a greatest of, and that can be grouped by with a bucket. */
export const systemTimes = ['createdAt', 'updatedAt'] as const;
export type SystemTime = (typeof systemTimes)[number];

/** System members that can be grouped by. */
export type SystemGroupMember = SystemTime | 'createdBy';

export function isNumberField(field: Pick<FieldDefinition, 'type'>): boolean {
  return field.type === 'INTEGER' || field.type === 'NUMBER' || field.type === 'DECIMAL';
}

export function isTimeField(field: Pick<FieldDefinition, 'type'>): boolean {
  return ruleOf(field).comparisonKind === 'TIME';
}

/** Whether records can be grouped by the field's value, and its different values counted: one short value, and filterable. */
export function isGroupable(field: FieldDefinition): boolean {
  return field.isFilterable && (ruleOf(field).canBeUnique || field.type === 'BOOLEAN');
}

/** Whether the function is one of the field's. */
export function canAggregate(name: AggregateFunction, field: FieldDefinition): boolean {
  if (name === 'countDistinct') return isGroupable(field);
  if (name === 'sum' || name === 'avg') return isNumberField(field);
  return isNumberField(field) || isTimeField(field);
}
