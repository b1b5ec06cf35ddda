/** A file's rows, whatever its format, in constant memory. */
import { readCsv } from './csv-reader.ts';
import { readJson } from './json-reader.ts';
import { readNdjson } from './ndjson-reader.ts';
import type { RowContent, RowItem, TransferFormat } from './source-row.ts';
import { type Bytes, readText } from './text-source.ts';

export interface FileShape {
  readonly format: TransferFormat;
  /** CSV only: one character; null: found out from the beginning. */
  readonly delimiter: string | null;
}

/** Throws BAD_USER_INPUT where the rest of the file cannot be read. Ending the iteration ends the reading of `bytes`. */
export async function* readRows(bytes: Bytes, shape: FileShape): AsyncGenerator<RowItem> {
  let number = 0;
  for await (const content of readContents(bytes, shape)) {
    number += 1;
    yield { number, ...content };
  }
}

function readContents(bytes: Bytes, shape: FileShape): AsyncGenerator<RowContent> {
  const texts = readText(bytes);
  if (shape.format === 'CSV') return readCsv(texts, shape);
  return shape.format === 'JSON' ? readJson(texts) : readNdjson(texts);
}
