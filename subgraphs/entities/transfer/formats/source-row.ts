/** What every reader yields: the file's rows one by one, each with the line it stands on, and those that are none. */
import { DomainError } from '#schema/errors.ts';

export const transferFormats = ['CSV', 'JSON', 'NDJSON'] as const;
export type TransferFormat = (typeof transferFormats)[number];

interface Place {
  /** The how many-th row of the file, from 1. Broken ones count. */
  readonly number: number;
  /** Of the file, from 1; where the row begins. JSON may have several rows on one. */
  readonly line: number;
}

export interface SourceRow extends Place {
  /** By column. Read it with `cellOf`: a column may be called as something that every object inherits. */
  readonly values: Readonly<Record<string, unknown>>;
}

/** A row that cannot be read. The rows after it can. */
export interface BrokenRow extends Place {
  readonly problem: { readonly rule: string; readonly message: string };
}

export type RowItem = SourceRow | BrokenRow;

/** As a format's reader yields it, before it is numbered. */
export type RowContent = Omit<SourceRow, 'number'> | Omit<BrokenRow, 'number'>;

export function isBroken(item: RowItem): item is BrokenRow {
  return 'problem' in item;
}

/** The cell of a column; null where the row has none. */
export function cellOf(row: SourceRow, column: string): unknown {
  return Object.hasOwn(row.values, column) ? (row.values[column] ?? null) : null;
}

/** Characters of one row, so that a file without line ends cannot fill the memory. */
export const maxRowLength = 4_000_000;
export const maxColumns = 1_000;

/** The file as a whole cannot be read: nothing after this place makes sense. */
export function unreadable(rule: string, message: string, cause?: unknown): DomainError {
  return new DomainError('BAD_USER_INPUT', message, { fields: [{ field: 'file', rule, message }], cause });
}
