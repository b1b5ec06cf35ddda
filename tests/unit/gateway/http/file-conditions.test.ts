import { expect, it } from 'vitest';
import { readWantedPart } from '#gateway/http/file-conditions.ts';

const etag = '"abc"';
const range = (first: number, last: number) => ({ kind: 'RANGE', range: { first, last } });
const all = { kind: 'ALL' };
const outside = { kind: 'OUTSIDE' };

it.each([
  ['bytes=0-0', range(0, 0)],
  ['bytes=0-99', range(0, 99)],
  ['bytes=0-100', range(0, 99)],
  ['bytes=10-', range(10, 99)],
  ['bytes=99-', range(99, 99)],
  ['bytes=-1', range(99, 99)],
  ['bytes=-1000', range(0, 99)],
  ['bytes= 5 - 6 ', range(5, 6)],
  ['bytes=100-', outside],
  ['bytes=100-200', outside],
  ['bytes=-0', outside],
  // What is no range that is served is answered whole.
  ['bytes=6-5', all],
  ['bytes=0-1,4-5', all],
  ['bytes=-', all],
  ['bytes=a-b', all],
  ['items=0-1', all],
  ['bytes=0-99999999999999999999', all],
  ['', all],
])('%j of 100 bytes', (header, part) => {
  expect(readWantedPart({ range: header }, etag, 100)).toEqual(part);
});

it('knows a client’s copy, and a range of another content', () => {
  for (const header of ['"abc"', 'W/"abc"', '"x", "abc"', '*'])
    expect(readWantedPart({ 'if-none-match': header, range: 'bytes=0-1' }, etag, 100)).toEqual({
      kind: 'SAME',
    });
  expect(readWantedPart({ 'if-none-match': '"abcd"' }, etag, 100)).toEqual(all);
  expect(readWantedPart({ range: 'bytes=0-1', 'if-range': '"abc"' }, etag, 100)).toEqual(range(0, 1));
  for (const header of ['"other"', 'W/"abc"', 'Sat, 21 Nov 2026 10:00:00 GMT'])
    expect(readWantedPart({ range: 'bytes=0-1', 'if-range': header }, etag, 100)).toEqual(all);
});

it('has no range of an empty file', () => {
  expect(readWantedPart({ range: 'bytes=0-' }, etag, 0)).toEqual(outside);
  expect(readWantedPart({ range: 'bytes=-5' }, etag, 0)).toEqual(outside);
  expect(readWantedPart({}, etag, 0)).toEqual(all);
});
