/** Reading a filter: its bounds, what its variables stand for, and how much was read so far. */
import { invalidField } from '#schema/errors.ts';
import type { TenantModel } from '../definition.ts';

/** Bounds of one filter. Text in code points. */
export const filterLimits = {
  conditions: 500,
  relationDepth: 12,
  listLength: 1_000,
  textLength: 4_000,
} as const;

export type Members = Readonly<Record<string, unknown>>;

/** What `"$me"` and `"$now"` stand for in filters that a tenant keeps; nothing in those of requests. */
export interface FilterVariables {
  /** The caller's id. */
  readonly me: string;
  readonly now: Date;
}

/** Where reading stands. */
export interface Reading {
  readonly model: TenantModel;
  readonly variables: FilterVariables | null;
  /** Conditions read so far: comparisons, and every `and or not some none every`. */
  conditions: number;
}

/** What an input object says; BAD_USER_INPUT where it is none. */
export function membersOf(value: unknown, path: string): [string, unknown][] {
  if (value === null || value === undefined) {
    throw invalidField(path, 'null', `${path} must not be null: leave it out`);
  }
  if (typeof value !== 'object' || Array.isArray(value))
    throw invalidField(path, 'type', `${path} must be an object`);
  return Object.entries(value).filter(([, member]) => member !== undefined);
}

/** BAD_USER_INPUT once there are too many conditions. */
export function countCondition(reading: Pick<Reading, 'conditions'>, path: string): void {
  reading.conditions += 1;
  if (reading.conditions > filterLimits.conditions) {
    throw invalidField(path, 'maxLength', `the filter has more than ${filterLimits.conditions} conditions`);
  }
}
