/**
 * JSON: one array of objects, split into its elements as the text arrives, so that only one of them is in memory. Each
 * element is parsed on its own; one that is not JSON is reported and the next one read.
 */
import { readObject } from './json-object.ts';
import { type RowContent, maxRowLength, unreadable } from './source-row.ts';

const lineEnd = 10;
const quote = 34;
const comma = 44;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

const isSpace = (code: number): boolean => code === 32 || code === lineEnd || code === 13 || code === 9;

export async function* readJson(texts: AsyncIterable<string>): AsyncGenerator<RowContent> {
  let place: 'BEFORE' | 'WITHIN' | 'AFTER' = 'BEFORE';
  let line = 1;
  /** Of the element's first character; 0 while it has none. */
  let elementLine = 0;
  let pending = '';
  let depth = 0;
  let isInString = false;
  let isEscaped = false;

  for await (const text of texts) {
    let start = 0;
    for (let at = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === lineEnd) line += 1;
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (code === backslash) isEscaped = true;
        else if (code === quote) isInString = false;
        continue;
      }
      if (isSpace(code)) continue;
      if (place === 'AFTER') throw unreadable('syntax', `Line ${line}: something follows after the array`);
      if (place === 'BEFORE') {
        if (code !== openBracket) {
          throw unreadable('array', `Line ${line}: the file must be one JSON array of objects, [{ … }, …]`);
        }
        place = 'WITHIN';
        start = at + 1;
        continue;
      }
      if (depth === 0 && (code === comma || code === closeBracket)) {
        const element = pending + text.slice(start, at);
        if (element.length > maxRowLength) throw tooLong(elementLine);
        pending = '';
        start = at + 1;
        if (elementLine > 0) yield readObject(elementLine, element);
        else if (code === comma)
          throw unreadable('syntax', `Line ${line}: a comma without a value before it`);
        elementLine = 0;
        if (code === closeBracket) place = 'AFTER';
        continue;
      }
      if (elementLine === 0) elementLine = line;
      if (code === quote) isInString = true;
      else if (code === openBrace || code === openBracket) depth += 1;
      else if ((code === closeBrace || code === closeBracket) && depth > 0) depth -= 1;
    }
    if (place === 'WITHIN') pending += text.slice(start);
    if (pending.length > maxRowLength) throw tooLong(elementLine || line);
  }
  if (place === 'BEFORE') throw unreadable('array', 'The file is empty; it must be a JSON array of objects');
  if (place === 'WITHIN') throw unreadable('syntax', `Line ${line}: the file ends before its array does`);
}

function tooLong(line: number): Error {
  return unreadable('rowLength', `Line ${line}: a row has more than ${maxRowLength} characters`);
}
