import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareCodePoints,
  countCodePoints,
  firstCodePoints,
  foldKey,
  foldText,
  prefixEnd,
} from '#subgraphs/model/fold.ts';

describe('folding', () => {
  it.each([
    ['', ''],
    ['Ada', 'ada'],
    ['Zoë', 'zoe'],
    ['ZOE\u0308', 'zoe'],
    ['İstanbul', 'istanbul'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευσ'],
    ['Ὀδυσσεύς', 'οδυσσευσ'],
    ['ﬁﬂ Ⅳ ½', 'fifl iv 1⁄2'],
    ['𝒳', 'x'],
    ['🙂', '🙂'],
    ['straße', 'straße'],
    ['\u0301', ''],
  ])('%j becomes %j', (text, folded) => {
    expect(foldText(text)).toBe(folded);
  });

  it('folds a prefix to a prefix, and cuts the key by code points', () => {
    const text = fc.string({ unit: 'grapheme' });
    fc.assert(
      fc.property(text, text, (a, b) => foldText(a + b) === foldText(a) + foldText(b)),
      { numRuns: 2000 },
    );
    expect(foldKey('🙂'.repeat(300))).toBe('🙂'.repeat(200));
    expect(countCodePoints('a🙂\u{10ffff}')).toBe(3);
    expect(firstCodePoints('🙂a', 1)).toBe('🙂');
  });

  it('orders by code point, as UTF-8 does', () => {
    const text = fc.string({ unit: 'binary' });
    fc.assert(
      fc.property(
        text,
        text,
        (a, b) =>
          Math.sign(compareCodePoints(a, b)) === Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))),
      ),
      { numRuns: 2000 },
    );
    expect(compareCodePoints('\u{1f642}', '\uffff')).toBeGreaterThan(0);
  });

  it('ends a prefix right behind everything that has it', () => {
    expect(prefixEnd('ab')).toBe('ac');
    expect(prefixEnd('a\u{10ffff}')).toBe('b');
    expect(prefixEnd('\ud7ff')).toBe('\ue000');
    expect(prefixEnd('\uffff')).toBe('\u{10000}');
    expect(prefixEnd('\u{10ffff}')).toBeNull();
    expect(prefixEnd('')).toBeNull();
    const text = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(text, text, (prefix, other) => {
        const end = prefixEnd(prefix);
        const isInside =
          compareCodePoints(other, prefix) >= 0 && (end === null || compareCodePoints(other, end) < 0);
        return end === null || isInside === other.startsWith(prefix);
      }),
      { numRuns: 2000 },
    );
  });
});
