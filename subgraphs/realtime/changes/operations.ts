import type { ChangeOperation, LoggedOperation } from '#schema/events.ts';
import type { Verdict } from '#subgraphs/model/filter/predicate.ts';

/** Operations that a logged one can be told as. */
const outcomes: Readonly<Record<LoggedOperation, readonly ChangeOperation[]>> = {
  CREATED: ['CREATED'],
  UPDATED: ['UPDATED', 'ENTERED', 'LEFT'],
  DELETED: ['DELETED'],
  RESTORED: ['RESTORED'],
};

/** Whether anything that this logged operation can become was asked for. `wanted` null: everything. */
export function mayBeWanted(logged: LoggedOperation, wanted: ReadonlySet<ChangeOperation> | null): boolean {
  return wanted === null || outcomes[logged].some((operation) => wanted.has(operation));
}

/**
 * What an update is to a filter, by whether the record matched before and after it. Where the event does not tell of before, the
 * record counts as inside if the update touched what the filter looks at, else as what it is after: a LEFT too many is
 * harmless to who keeps a list, one too few leaves a stale record in it.
 */
export function edgeOf(before: Verdict, after: boolean, isTouched: boolean): ChangeOperation | null {
  const matchedBefore = before === 'NEEDS_STORE' ? isTouched || after : before;
  if (after) return matchedBefore ? 'UPDATED' : 'ENTERED';
  return matchedBefore ? 'LEFT' : null;
}

/** What is told: the operation if it was asked for; an entering update as UPDATED where only that was; else nothing. */
export function toldAs(
  operation: ChangeOperation | null,
  wanted: ReadonlySet<ChangeOperation> | null,
): ChangeOperation | null {
  if (operation === null || wanted === null || wanted.has(operation)) return operation;
  return operation === 'ENTERED' && wanted.has('UPDATED') ? 'UPDATED' : null;
}
