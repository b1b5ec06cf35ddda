/** What is wrong with a row of an imported file, for its author to mend. */
import { DomainError } from '#schema/errors.ts';

export interface RowError {
  /** The how many-th row of the file, from 1. */
  readonly row: number;
  /** Of the file, from 1. */
  readonly line: number;
  /** As the file calls it; null where it is about the row as a whole. */
  readonly column: string | null;
  /** As the entity calls it; null as above. */
  readonly field: string | null;
  readonly rule: string;
  readonly message: string;
}

/** Errors of the rows themselves. Others (the database is away, rights ended) are none of the row's. */
const rowCodes: ReadonlySet<string> = new Set(['BAD_USER_INPUT', 'CONFLICT', 'NOT_FOUND']);

export function isRowFault(error: unknown): error is DomainError {
  return error instanceof DomainError && rowCodes.has(error.code);
}

/** Members of a batch's inputs as errors name them: "inputs.3.email". */
const batchPath = /^inputs?\.(?:\d+\.)?/;

/** Where a row stands, for its errors. */
export interface RowPlace {
  readonly number: number;
  readonly line: number;
  /** The file's column for each member of the input. */
  readonly columns: ReadonlyMap<string, string>;
}

/** The errors of one row that was refused alone. */
export function rowErrorsOf(error: DomainError, { number, line, columns }: RowPlace): RowError[] {
  const fields = error.fields ?? [];
  if (fields.length === 0) {
    return [
      {
        row: number,
        line,
        column: null,
        field: null,
        rule: error.code.toLowerCase(),
        message: error.message,
      },
    ];
  }
  return fields.map(({ field, rule, message }) => {
    const path = field.replace(batchPath, '');
    const member = path.split('.')[0] ?? path;
    return {
      row: number,
      line,
      column: columns.get(member) ?? null,
      field: member || null,
      rule,
      message: message.replace(batchPath, ''),
    };
  });
}

/** Text out of a file as PostgreSQL can keep it, and short. */
export function storableText(text: string): string {
  return text.replaceAll('\0', '\u{fffd}').slice(0, 1_000).toWellFormed();
}
