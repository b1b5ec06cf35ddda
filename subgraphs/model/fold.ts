/**
 * The folded form of text: what insensitive comparisons, text order and the search column use. It is made here and
 * nowhere else (never in SQL: the database's own case rules depend on its locale), so the filter in SQL and the filter
 * in memory agree to the letter.
 */

/** Code points of a text slot. */
export const foldKeyLength = 200;

const marks = /\p{M}+/gu;
const printableAscii = /^[\x20-\x7e]*$/;

/**
 * Compatibility-decomposed (NFKD), marks removed, lower case. Folding is done character by character, so
 * `fold(a + b)` is `fold(a) + fold(b)`: a prefix of a text folds to a prefix of its folded form. For that reason the
 * final sigma, which depends on its neighbours, folds as any other.
 */
export function foldText(text: string): string {
  if (printableAscii.test(text)) return text.toLowerCase();
  return text.normalize('NFKD').replace(marks, '').toLowerCase().replaceAll('ς', 'σ').replace(marks, '');
}

/** The key by which text is ordered: the folded text's first 200 code points. */
export function foldKey(text: string): string {
  return firstCodePoints(foldText(text), foldKeyLength);
}

/** At most `count` code points from the start. */
export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let taken = 0; taken < count && end < text.length; taken++)
    end += (text.codePointAt(end) as number) > 0xffff ? 2 : 1;
  return text.slice(0, end);
}

/** How many code points a text has. */
export function countCodePoints(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += (text.codePointAt(at) as number) > 0xffff ? 2 : 1) count++;
  return count;
}

/** Orders as PostgreSQL's collation "C" does in UTF-8: by code point, where JavaScript's own `<` goes by UTF-16 unit. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    let x = a.charCodeAt(i);
    let y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for the code points above U+FFFF: lift them over U+E000..U+FFFF.
    if (x >= 0xd800 && y >= 0xd800) {
      x += x >= 0xe000 ? -0x2800 : 0x2000;
      y += y >= 0xe000 ? -0x2800 : 0x2000;
    }
    return x - y;
  }
  return a.length - b.length;
}

/** The smallest text that is after every text with this prefix; null where there is none (empty, or all U+10FFFF). */
export function prefixEnd(prefix: string): string | null {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number);
  while (points.length > 0) {
    const last = points.pop() as number;
    if (last === 0x10ffff) continue;
    points.push(last === 0xd7ff ? 0xe000 : last + 1);
    return String.fromCodePoint(...points);
  }
  return null;
}
