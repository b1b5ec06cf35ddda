/**
 * CSV with a header. An empty cell is null; a quoted empty one is the empty text, so that both survive an export and the
 * import of it.
 */
import { Readable, pipeline } from 'node:stream';
import { CsvError, type Options, parse } from 'csv-parse';
import { sniffDelimiter } from './delimiter.ts';
import { type RowContent, maxColumns, maxRowLength, unreadable } from './source-row.ts';

export interface CsvOptions {
  /** One character; null: found out from the beginning. */
  readonly delimiter: string | null;
}

interface CsvRecord {
  line: number;
  cells: (string | null)[];
}

/** Characters from which the delimiter is guessed. */
const sniffedLength = 64_000;

export async function* readCsv(
  texts: AsyncIterable<string>,
  options: CsvOptions,
): AsyncGenerator<RowContent> {
  let columns: string[] | null = null;
  for await (const { line, cells } of readRecords(texts, options)) {
    if (columns === null) {
      columns = nameColumns(cells);
    } else if (cells.length > columns.length && cells.slice(columns.length).some((cell) => cell !== null)) {
      const message = `The row has ${cells.length} cells, the header ${columns.length}`;
      yield { line, problem: { rule: 'columns', message } };
    } else {
      yield {
        line,
        values: Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? null])),
      };
    }
  }
  if (columns === null) throw unreadable('header', 'The file is empty; its first line must name the columns');
}

/** The names as they stand; empty ones become "column 3", repeated ones "Name (2)". */
function nameColumns(cells: readonly (string | null)[]): string[] {
  if (cells.length > maxColumns) throw unreadable('columns', `A file has at most ${maxColumns} columns`);
  const names = new Set<string>();
  for (const [index, cell] of cells.entries()) {
    const name = cell?.trim() || `column ${index + 1}`;
    let free = name;
    for (let number = 2; names.has(free); number++) free = `${name} (${number})`;
    names.add(free);
  }
  return [...names];
}

async function* readRecords(texts: AsyncIterable<string>, options: CsvOptions): AsyncGenerator<CsvRecord> {
  const iterator = texts[Symbol.asyncIterator]();
  let head = '';
  let isAtEnd = false;
  while (!isAtEnd && head.length < (options.delimiter === null ? sniffedLength : 1)) {
    const step = await iterator.next();
    if (step.done) isAtEnd = true;
    else head += step.value;
  }
  const parser = parse(parserOptions(options.delimiter ?? sniffDelimiter(head.slice(0, sniffedLength))));
  // Ends and fails together with what it reads; the failure reaches whoever reads `parser`.
  pipeline(Readable.from(rejoin(head, isAtEnd ? null : iterator)), parser, () => {});
  try {
    for await (const record of parser) yield record as CsvRecord;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw unreadable('csv', `This is not CSV: ${error.message}`, error);
  }
}

async function* rejoin(head: string, iterator: AsyncIterator<string> | null): AsyncGenerator<string> {
  try {
    if (head !== '') yield head;
    if (!iterator) return;
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator?.return?.();
  }
}

function parserOptions(delimiter: string): Options {
  /** Of the record that is being read: the line on which its first cell begins. */
  let line = 1;
  /** The parser takes a CR and LF within quotes for two lines: how often it did. */
  let twice = 0;
  return {
    delimiter,
    // A quote within an unquoted cell is a character as any other.
    relax_quotes: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: maxRowLength,
    cast(cell, context) {
      if (context.index === 0) line = context.lines - twice - count(cell, /[\r\n]/g);
      twice += count(cell, /\r\n/g);
      return cell === '' && !context.quoting ? null : cell;
    },
    record_delimiter: ['\r\n', '\n', '\r'],
    // Typed for rows of text; a record may be anything.
    on_record: ((cells: (string | null)[]): CsvRecord => ({ line, cells })) as never,
  };
}

function count(text: string, pattern: RegExp): number {
  return text.includes('\n') || text.includes('\r') ? (text.match(pattern)?.length ?? 0) : 0;
}
