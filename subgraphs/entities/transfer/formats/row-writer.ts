/** Rows as text of each format, in a form that the readers give back identically. */
import type { TransferFormat } from './source-row.ts';

export interface RowWriter {
  readonly contentType: string;
  readonly extension: string;
  /** What stands before the first row. */
  start(): string;
  /** `values` in the order of the columns. */
  row(values: readonly unknown[]): string;
  /** What stands after the last row. */
  end(): string;
}

export interface WriterOptions {
  readonly format: TransferFormat;
  readonly columns: readonly string[];
  /** CSV only. */
  readonly delimiter?: string;
}

export function createRowWriter({ format, columns, delimiter = ',' }: WriterOptions): RowWriter {
  if (format === 'CSV') return csvWriter(columns, delimiter);
  return format === 'JSON' ? jsonWriter(columns) : ndjsonWriter(columns);
}

/** RFC 4180. Null is an empty cell, the empty text a quoted one. */
function csvWriter(columns: readonly string[], delimiter: string): RowWriter {
  const write = (values: readonly unknown[]): string => {
    // A single empty cell would be an empty line, which readers skip.
    if (values.length === 1 && values[0] === null) return '""\r\n';
    return `${values.map((value) => csvCell(value, delimiter)).join(delimiter)}\r\n`;
  };
  return {
    contentType: 'text/csv; charset=utf-8',
    extension: 'csv',
    start: () => write(columns),
    row: write,
    end: () => '',
  };
}

function csvCell(value: unknown, delimiter: string): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const isPlain = text !== '' && !/["\r\n]/.test(text) && !text.includes(delimiter) && text.trim() === text;
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}

function jsonWriter(columns: readonly string[]): RowWriter {
  let isFirst = true;
  return {
    contentType: 'application/json',
    extension: 'json',
    start: () => '[',
    row(values) {
      const separator = isFirst ? '\n' : ',\n';
      isFirst = false;
      return separator + JSON.stringify(toObject(columns, values));
    },
    end: () => '\n]\n',
  };
}

function ndjsonWriter(columns: readonly string[]): RowWriter {
  return {
    contentType: 'application/x-ndjson',
    extension: 'ndjson',
    start: () => '',
    row: (values) => `${JSON.stringify(toObject(columns, values))}\n`,
    end: () => '',
  };
}

function toObject(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? null]));
}
