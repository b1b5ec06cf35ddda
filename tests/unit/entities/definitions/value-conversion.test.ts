import { expect, it } from 'vitest';
import { convertValue } from '#subgraphs/entities/definitions/value-conversion.ts';
import type { FieldType } from '#subgraphs/model/definition.ts';
import { testField } from '../../model/fields.ts';

const options = [
  { value: 'OPEN', label: 'Offen' },
  { value: 'DONE', label: 'Fertig' },
];
const fieldOf = (type: FieldType) =>
  testField({ name: 'f', type, options: type.includes('SELECT') ? options : null });

it.each([
  ['TEXT', 'INTEGER', ' 42 ', 42],
  ['TEXT', 'NUMBER', '1.5', 1.5],
  ['TEXT', 'NUMBER', '', null],
  ['TEXT', 'BOOLEAN', 'yes', true],
  ['TEXT', 'DATE', '2026-11-21', '2026-11-21'],
  ['TEXT', 'DATETIME', '2026-11-21T01:00:00+01:00', '2026-11-21T00:00:00.000Z'],
  ['TEXT', 'SELECT', 'offen', 'OPEN'],
  ['TEXT', 'MULTI_SELECT', 'OPEN, Fertig', ['OPEN', 'DONE']],
  ['TEXT', 'EMAIL', 'a@example.org', 'a@example.org'],
  ['TEXT', 'JSON', '{"a":1}', '{"a":1}'],
  ['INTEGER', 'TEXT', 7, '7'],
  ['INTEGER', 'NUMBER', 7, 7],
  ['NUMBER', 'INTEGER', 7, 7],
  ['BOOLEAN', 'TEXT', true, 'true'],
  ['BOOLEAN', 'INTEGER', false, 0],
  ['INTEGER', 'BOOLEAN', 1, true],
  ['DATE', 'DATETIME', '2026-11-21', '2026-11-21T00:00:00.000Z'],
  ['DATETIME', 'DATE', '2026-11-21T23:59:59.999Z', '2026-11-21'],
  ['SELECT', 'TEXT', 'OPEN', 'OPEN'],
  ['SELECT', 'MULTI_SELECT', 'OPEN', ['OPEN']],
  ['MULTI_SELECT', 'SELECT', ['DONE'], 'DONE'],
  ['MULTI_SELECT', 'TEXT', ['OPEN', 'DONE'], 'OPEN, DONE'],
  ['JSON', 'TEXT', { a: [1] }, '{"a":[1]}'],
  ['JSON', 'NUMBER', 3, 3],
] satisfies [FieldType, FieldType, unknown, unknown][])(
  '%s to %s: %j is %j',
  (from, to, stored, expected) => {
    expect(convertValue(fieldOf(from), fieldOf(to), stored)).toEqual({ stored: expected });
  },
);

it.each([
  ['TEXT', 'INTEGER', 'seven'],
  ['TEXT', 'INTEGER', '1.5'],
  ['TEXT', 'INTEGER', '3000000000'],
  ['TEXT', 'NUMBER', 'Infinity'],
  ['TEXT', 'DATE', '2026-02-30'],
  ['TEXT', 'EMAIL', 'nobody'],
  ['TEXT', 'SELECT', 'ELSE'],
  ['NUMBER', 'INTEGER', 1.5],
  ['NUMBER', 'DATE', 1.5],
  ['INTEGER', 'BOOLEAN', 2],
  ['MULTI_SELECT', 'SELECT', ['OPEN', 'DONE']],
  ['JSON', 'NUMBER', { a: 1 }],
  ['JSON', 'INTEGER', [1, 2]],
] satisfies [FieldType, FieldType, unknown][])('%s to %s: %j does not convert', (from, to, stored) => {
  expect(convertValue(fieldOf(from), fieldOf(to), stored)).toEqual({ problem: expect.stringMatching(/^f /) });
});
