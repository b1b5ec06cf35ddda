/** A nested input while it is read: what came of it so far, and its bounds. */
import { invalidField } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';
import type { TenantModel } from '../definition.ts';
import type { PlannedLink, PlannedList, PlannedRecord, PlannedSet, PlannedTarget } from './nested-plan.ts';

/** Bounds of one write. Levels: the records themselves are the first. Records: all that are created, changed or named. */
export const nestedLimits = { levels: 5, records: 1_000 } as const;

/** An input as it comes, by member names. */
export type Input = Readonly<Record<string, unknown>>;

export type ToPlan = Pick<PlannedRecord, 'entity' | 'id' | 'isNew' | 'path' | 'input'>;

export interface Planning {
  readonly model: TenantModel;
  readonly createId: () => string;
  readonly records: PlannedRecord[];
  readonly links: PlannedLink[];
  readonly sets: PlannedSet[];
  readonly lists: PlannedList[];
  readonly targets: PlannedTarget[];
  readonly errors: FieldError[];
  /** Records that the input created or named so far. */
  named: number;
  /** A record inside another one; `level` is its own. */
  planRecord(record: ToPlan, level: number): void;
}

/** A record that others are nested in. */
export interface Parent {
  readonly id: string;
  readonly isNew: boolean;
}

/** BAD_USER_INPUT where the input has too many. */
export function countRecord(planning: Planning, path: string): void {
  planning.named += 1;
  if (planning.named <= nestedLimits.records) return;
  const message = `One write creates, changes and names at most ${nestedLimits.records} records in all`;
  throw invalidField(path, 'maxLength', message);
}
