/** NDJSON: one JSON object to a line. A line that is none is reported and the next one read. */
import { type RowContent, maxRowLength, unreadable } from './source-row.ts';
import { readObject } from './json-object.ts';

/** Lines, numbered from 1; a last one without a line end counts. */
export async function* readLines(
  texts: AsyncIterable<string>,
): AsyncGenerator<{ line: number; text: string }> {
  let line = 0;
  let pending = '';
  for await (const text of texts) {
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      line += 1;
      yield { line, text: pending + text.slice(start, end) };
      pending = '';
      start = end + 1;
    }
    pending += text.slice(start);
    if (pending.length > maxRowLength) {
      throw unreadable('rowLength', `Line ${line + 1} has more than ${maxRowLength} characters`);
    }
  }
  if (pending !== '') yield { line: line + 1, text: pending };
}

export async function* readNdjson(texts: AsyncIterable<string>): AsyncGenerator<RowContent> {
  for await (const { line, text } of readLines(texts)) {
    if (text.trim() !== '') yield readObject(line, text);
  }
}
