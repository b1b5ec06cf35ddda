/** `first after last before offset`: which page of a list is asked for. */
import { invalidInput } from '#schema/errors.ts';
import type { FieldError } from '#schema/errors.ts';

export const pageLimits = { size: 1_000, defaultSize: 50, offset: 1_000_000 } as const;

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly offset?: number | null;
}

export interface PageBounds {
  readonly size: number;
  /** The page is the last one of what lies between the cursors, read from its end. */
  readonly isBackward: boolean;
  readonly after: string | null;
  readonly before: string | null;
  readonly offset: number;
}

/** Throws BAD_USER_INPUT for a size or offset out of range, and for arguments that contradict each other. */
export function parsePageArguments(page: PageArguments): PageBounds {
  const errors: FieldError[] = [];
  const complain = (field: string, rule: string, sentence: string): void => {
    errors.push({ field, rule, message: `${field} ${sentence}` });
  };
  for (const name of ['first', 'last'] as const) {
    const size = page[name] ?? 1;
    if (!Number.isInteger(size) || size < 1 || size > pageLimits.size) {
      complain(name, 'range', `must lie between 1 and ${pageLimits.size}, not ${size}`);
    }
  }
  const offset = page.offset ?? 0;
  if (!Number.isInteger(offset) || offset < 0 || offset > pageLimits.offset) {
    complain('offset', 'range', `must lie between 0 and ${pageLimits.offset}, not ${offset}`);
  }
  const isGiven = (value: unknown): boolean => value !== null && value !== undefined;
  if (isGiven(page.first) && isGiven(page.last))
    complain('last', 'exclusive', 'cannot be combined with first');
  if (isGiven(page.offset) && (isGiven(page.after) || isGiven(page.before))) {
    complain('offset', 'exclusive', 'cannot be combined with a cursor');
  }
  if (isGiven(page.offset) && isGiven(page.last))
    complain('offset', 'exclusive', 'cannot be combined with last');
  if (errors.length > 0) throw invalidInput(errors);
  return {
    size: page.last ?? page.first ?? pageLimits.defaultSize,
    isBackward: isGiven(page.last),
    after: page.after ?? null,
    before: page.before ?? null,
    offset,
  };
}
