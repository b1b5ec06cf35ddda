import { describe, expect, it } from 'vitest';
import { DateScalar, DateTimeScalar, JSONScalar } from '#subgraphs/server/scalars.ts';

describe('DateTime', () => {
  it.each([
    ['2026-11-21T08:30:00Z', '2026-11-21T08:30:00.000Z'],
    ['2026-11-21T08:30:00.5Z', '2026-11-21T08:30:00.500Z'],
    ['2026-11-21T08:30:00.123456789Z', '2026-11-21T08:30:00.123Z'],
    ['2026-11-21T23:30:00-05:00', '2026-11-22T04:30:00.000Z'],
    ['2026-11-21T00:30+02:00', '2026-11-20T22:30:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
  ])('%s is %s', (given, utc) => {
    expect(DateTimeScalar.serialize(DateTimeScalar.parseValue(given))).toBe(utc);
  });

  it.each([
    '2026-11-21T08:30:00',
    '2026-11-21 08:30:00Z',
    '2026-11-21',
    '2026-02-30T00:00:00Z',
    '2025-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T08:60:00Z',
    '2026-11-21T08:30:00+25:00',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    'tomorrow',
    '',
    1_700_000_000_000,
    null,
    {},
  ])('%j is refused', (given) => {
    expect(() => DateTimeScalar.parseValue(given)).toThrow(/DateTime/);
  });
});

describe('Date', () => {
  it.each(['2026-11-21', '2024-02-29', '0001-01-01', '9999-12-31'])('%s stays', (given) => {
    expect(DateScalar.serialize(DateScalar.parseValue(given))).toBe(given);
  });

  it.each([
    '2026-02-30',
    '2025-02-29',
    '2026-00-10',
    '2026-1-1',
    '2026-11-21T00:00:00Z',
    '0000-01-01',
    '',
    20_261_121,
  ])('%j is refused', (given) => {
    expect(() => DateScalar.parseValue(given)).toThrow(/Date must be/);
  });
});

it('JSON takes what there is', () => {
  const value = { a: [1, 'x', null, { b: true }] };
  expect(JSONScalar.serialize(JSONScalar.parseValue(value))).toBe(value);
});
