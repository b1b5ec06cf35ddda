import { describe, expect, it } from 'vitest';
import { fieldTypes } from '#subgraphs/model/definition.ts';
import { checkFieldRules } from '#subgraphs/model/field-rules.ts';
import { fieldTypeRules, ruleOf } from '#subgraphs/model/field-types.ts';
import { fromStoredData, searchForm, slotValues, toStoredData } from '#subgraphs/model/stored-form.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import { checkInput, parseFieldValue, validateInput } from '#subgraphs/model/values/input.ts';
import { testField, testModel } from './fields.ts';
import type { FieldSpec } from './fields.ts';

const options = [
  { value: 'OPEN', label: 'Öpen' },
  { value: 'DONE', label: 'Done' },
];
const id = '01a1fc21-c4b6-77d3-bc5c-c1ee294a5fdd';

function parse(spec: Omit<FieldSpec, 'name'>, value: unknown): unknown {
  const { stored, errors } = parseFieldValue(testField({ name: 'f', ...spec }), value, 'f');
  return errors.length > 0 ? errors.map((error) => error.rule).join() : stored;
}

function nested(depth: number): unknown {
  return depth === 1 ? 1 : [nested(depth - 1)];
}

describe('a value that its type can hold', () => {
  it.each([
    ['TEXT', ''],
    ['TEXT', ' spaces, "quotes", \\ and 🙂\n\u0001\u{10ffff}'],
    ['TEXT', '🙂'.repeat(4000)],
    ['LONG_TEXT', 'x'.repeat(1_000_000)],
    ['EMAIL', 'Ada.Lovelace+x@sub.Example.com'],
    ['EMAIL', 'ü@bücher.example'],
    ['URL', 'https://example.com/a?b=c#d'],
    ['URL', 'HTTP://localhost:4000'],
    ['PHONE', '+491701234567'],
    ['INTEGER', 2147483647],
    ['INTEGER', -2147483648],
    ['NUMBER', 5e-324],
    ['NUMBER', 1.7976931348623157e308],
    ['NUMBER', 2 ** 53 + 2],
    ['BOOLEAN', false],
    ['DATE', '0001-01-01'],
    ['DATE', '2000-02-29'],
    ['DATE', '9999-12-31'],
    ['DATETIME', '2026-11-21T09:30:00.123Z'],
    ['JSON', 'text'],
    ['JSON', { a: [1, { b: null }], __proto__: 1, constructor: false }],
    ['JSON', nested(64)],
    ['SELECT', 'OPEN'],
    ['MULTI_SELECT', []],
    ['MULTI_SELECT', ['DONE', 'OPEN']],
    ['RELATION', id],
  ] as const)('%s keeps it exactly (%#)', (type, value) => {
    expect(parse({ type, options }, value)).toEqual(value);
    expect(JSON.parse(JSON.stringify(parse({ type, options }, value)))).toEqual(value);
  });

  it('is brought into its one form where there are several', () => {
    expect(parse({ type: 'DATETIME' }, '2026-11-21T10:00:00+02:00')).toBe('2026-11-21T08:00:00.000Z');
    expect(parse({ type: 'DATETIME' }, '2026-01-01t00:30:00.1239999-00:45')).toBe('2026-01-01T01:15:00.123Z');
    expect(parse({ type: 'DATETIME' }, new Date(0))).toBe('1970-01-01T00:00:00.000Z');
    expect(Object.is(parse({ type: 'NUMBER' }, -0), 0)).toBe(true);
    expect(parse({ type: 'RELATION' }, id.toUpperCase())).toBe(id);
    expect(parse({ type: 'MULTI_SELECT', options }, 'OPEN')).toEqual(['OPEN']);
  });
});

describe('a value that its type cannot hold', () => {
  it.each([
    ['TEXT', 1, 'type'],
    ['TEXT', 'a\0b', 'characters'],
    ['TEXT', '\ud83d', 'characters'],
    ['TEXT', 'x'.repeat(4001), 'maxLength'],
    ['LONG_TEXT', 'x'.repeat(1_000_001), 'maxLength'],
    ['EMAIL', 'ada', 'email'],
    ['EMAIL', 'ada@localhost', 'email'],
    ['EMAIL', 'a@b@c.de', 'email'],
    ['EMAIL', 'a b@c.de', 'email'],
    ['EMAIL', 'a@-c.de', 'email'],
    ['EMAIL', '@c.de', 'email'],
    ['URL', 'javascript:alert(1)', 'url'],
    ['URL', 'example.com', 'url'],
    ['URL', 'https:example.com', 'url'],
    ['URL', 'https://exa mple.com', 'url'],
    ['PHONE', '0170 1234567', 'phone'],
    ['PHONE', '+0123456789', 'phone'],
    ['PHONE', '+1234567890123456', 'maxLength,phone'],
    ['INTEGER', 2147483648, 'range'],
    ['INTEGER', -2147483649, 'range'],
    ['INTEGER', 1.5, 'type'],
    ['INTEGER', '1', 'type'],
    ['NUMBER', Number.NaN, 'type'],
    ['NUMBER', Number.POSITIVE_INFINITY, 'type'],
    ['BOOLEAN', 0, 'type'],
    ['DATE', '2023-02-29', 'date'],
    ['DATE', '1900-02-29', 'date'],
    ['DATE', '2026-13-01', 'date'],
    ['DATE', '2026-1-1', 'date'],
    ['DATE', '0000-01-01', 'date'],
    ['DATE', '2026-11-21T00:00:00Z', 'date'],
    ['DATETIME', '2026-11-21', 'dateTime'],
    ['DATETIME', '2026-11-21T00:00:00', 'dateTime'],
    ['DATETIME', '2026-11-21T24:00:00Z', 'dateTime'],
    ['DATETIME', '2026-02-30T00:00:00Z', 'dateTime'],
    ['DATETIME', '0001-01-01T00:00:00+01:00', 'dateTime'],
    ['DATETIME', '9999-12-31T23:30:00-01:00', 'dateTime'],
    ['DATETIME', 1, 'dateTime'],
    ['JSON', { a: ['\0'] }, 'characters'],
    ['JSON', { '\ud800': 1 }, 'characters'],
    ['JSON', nested(66), 'depth'],
    ['JSON', 'x'.repeat(1_000_000), 'size'],
    ['JSON', { a: Number.NaN }, 'type'],
    ['SELECT', 'Öpen', 'option'],
    ['SELECT', ['OPEN'], 'option'],
    ['MULTI_SELECT', ['OPEN', 'open'], 'option'],
    ['MULTI_SELECT', ['OPEN', 'OPEN'], 'duplicate'],
    ['RELATION', 'company-1', 'relation'],
  ] as const)('%s refuses it (%#) by the rule', (type, value, rule) => {
    expect(parse({ type, options }, value)).toBe(rule);
  });

  it('tells which type serves for numbers beyond 32 bits', () => {
    const { errors } = parseFieldValue(testField({ name: 'n', type: 'INTEGER' }), 3e9, 'n');
    expect(errors[0]?.message).toMatch(/^n must lie between .* NUMBER serves/);
  });
});

describe('validation', () => {
  it('counts code points, reports all rules at once, and lets null pass', () => {
    const text = { type: 'TEXT', validation: { minLength: 2, maxLength: 3, pattern: '^a' } } as const;
    expect(parse(text, '🙂')).toBe('minLength');
    expect(parse(text, 'a🙂🙂')).toBe('a🙂🙂');
    expect(parse(text, 'a🙂🙂🙂')).toBe('maxLength');
    expect(parse(text, 'ba')).toBe('pattern');
    expect(parse(text, null)).toBeNull();
    expect(parse({ type: 'EMAIL', validation: { maxLength: 3 } }, 'abcd')).toBe('maxLength,email');
    expect(parse({ type: 'NUMBER', validation: { min: 1, max: 2 } }, 0.5)).toBe('min');
    expect(parse({ type: 'NUMBER', validation: { min: 1, max: 2 } }, 2.5)).toBe('max');
    expect(parse({ type: 'DATE', validation: { min: '2026-01-01' } }, '2025-12-31')).toBe('min');
    expect(
      parse({ type: 'DATETIME', validation: { max: '2026-01-01T00:00:00+01:00' } }, '2026-01-01T00:00:00Z'),
    ).toBe('max');
    expect(parse({ type: 'MULTI_SELECT', options, validation: { minLength: 1 } }, [])).toBe('minLength');
  });

  it('runs a hostile pattern in linear time', () => {
    const hostile = { type: 'LONG_TEXT', validation: { pattern: '^(a+)+$' } } as const;
    expect(parse(hostile, `${'a'.repeat(50_000)}!`)).toBe('pattern');
  });
});

describe('an input', () => {
  const model = testModel({
    company: [{ name: 'name', type: 'TEXT' }],
    contact: [
      { name: 'name', type: 'TEXT', isRequired: true, key: 'name_1' },
      { name: 'status', type: 'SELECT', options, defaultValue: 'OPEN', isRequired: true },
      { name: 'active', type: 'BOOLEAN', defaultValue: false },
      { name: 'company', type: 'RELATION', targetEntityId: 'company' },
    ],
  });
  const contact = model.entityByName.get('contact');
  if (!contact) throw new Error('no contact');

  it('is completed by defaults when it creates, and left as it is when it changes', () => {
    expect(validateInput(contact, { name: 'Ada', companyId: id }, { partial: false })).toEqual({
      name_1: 'Ada',
      status: 'OPEN',
      active: false,
      company: id,
    });
    expect(validateInput(contact, { company: { connect: id } }, { partial: true })).toEqual({ company: id });
    expect(validateInput(contact, { company: null, active: null }, { partial: true })).toEqual({
      company: null,
      active: null,
    });
    expect(validateInput(contact, {}, { partial: true })).toEqual({});
  });

  it('reports every broken rule with its path', () => {
    const rulesOf = (input: Record<string, unknown>, partial: boolean): string[] =>
      checkInput(contact, input, { partial, path: 'inputs.2' }).errors.map(
        (error) => `${error.field} ${error.rule}`,
      );
    expect(
      rulesOf({ status: null, active: 1, nme: 'x', companyId: id, company: { connect: id } }, false),
    ).toEqual([
      'inputs.2.nme unknown',
      'inputs.2.company duplicate',
      'inputs.2.name required',
      'inputs.2.status required',
      'inputs.2.active type',
    ]);
    expect(rulesOf({ company: { connect: 'x' } }, true)).toEqual(['inputs.2.company.connect relation']);
    expect(rulesOf({ company: { conect: id } }, true)).toEqual(['inputs.2.company relation']);
    expect(rulesOf({ constructor: 1, toString: 2 }, true)).toHaveLength(2);
  });
});

describe('what is kept beside the data', () => {
  const long = 'É'.repeat(250);
  const entity = testModel({
    note: [
      { name: 'a', type: 'TEXT', slot: 't1', isSearchable: true },
      { name: 'b', type: 'TEXT' },
      { name: 'c', type: 'TEXT', isFilterable: false, isSortable: false },
      { name: 'flag', type: 'BOOLEAN', slot: 'n1' },
      { name: 'day', type: 'DATE', slot: 'd1' },
      { name: 'state', type: 'SELECT', slot: 't2', options, isSearchable: true },
      { name: 'states', type: 'MULTI_SELECT', options, isSearchable: true },
    ],
  }).entities[0];
  if (!entity) throw new Error('no note');

  it('are slots for every slotted field, also those without a value', () => {
    const data = { a: 'Éa', flag: false, day: '2026-11-21', state: 'OPEN' };
    expect(slotValues(entity, data)).toEqual({ t1: 'ea', n1: 0, d1: '2026-11-21T00:00:00.000Z', t2: 'OPEN' });
    expect(slotValues(entity, {})).toEqual({ t1: null, n1: null, d1: null, t2: null });
  });

  it('are folded texts of all text, only where nothing else holds them, and they never leave the store', () => {
    expect(toStoredData(entity, { a: 'É', b: 'É', c: 'É' })).toEqual({
      a: 'É',
      b: 'É',
      c: 'É',
      '~b': 'e',
      '~c': 'e',
    });
    expect(toStoredData(entity, { a: long, b: 'plain' })).toEqual({
      a: long,
      '~a': 'e'.repeat(250),
      b: 'plain',
    });
    expect(toStoredData(entity, { a: null })).toEqual({});
    expect(fromStoredData(toStoredData(entity, { a: long, b: 'É' }))).toEqual({ a: long, b: 'É' });
  });

  it('is the searchable text, options by label and value', () => {
    const data = { a: 'Zoë\n😀', b: 'no', state: 'OPEN', states: ['DONE', 'OPEN'] };
    expect(searchForm(entity, { data, version: 3 })).toEqual({
      search: 'zoe\n😀\nopen open\ndone done open open',
      // Where each lies, in code points, as PostgreSQL counts them.
      search_parts: { '~v': 3, a: [1, 5], state: [7, 9], states: [17, 19] },
    });
    expect(searchForm(entity, { data: { b: 'no' }, version: 3 })).toEqual({
      search: null,
      search_parts: null,
    });
  });
});

describe('the table of types', () => {
  it('has a row for every type', () => {
    expect(Object.keys(fieldTypeRules).toSorted()).toEqual([...fieldTypes].toSorted());
  });

  it('reads options that were removed since as none', () => {
    const field = testField({ name: 's', type: 'SELECT', options });
    expect(ruleOf(field).toOutput('GONE', field)).toBeNull();
    expect(ruleOf({ type: 'MULTI_SELECT' }).toOutput(['GONE', 'OPEN'], field)).toEqual(['OPEN']);
    expect(ruleOf({ type: 'TEXT' }).toOutput(undefined, field)).toBeNull();
  });

  it('hashes equal values of a unique field equally', () => {
    const text = { type: 'TEXT' } as const;
    expect(uniqueHash(text, 'e\u0301')).toBe(uniqueHash(text, 'é'));
    expect(uniqueHash(text, 'a')).not.toBe(uniqueHash(text, 'A'));
    expect(uniqueHash({ type: 'EMAIL' }, 'A@b.co')).toBe(uniqueHash({ type: 'EMAIL' }, 'a@B.co'));
  });
});

describe('a field definition', () => {
  const rulesOf = (spec: FieldSpec): string[] =>
    checkFieldRules(testField(spec), '').map((error) => `${error.field} ${error.rule}`);

  it('that makes sense breaks no rule', () => {
    expect(
      rulesOf({
        name: 'a',
        type: 'TEXT',
        isUnique: true,
        validation: { minLength: 1, maxLength: 5, pattern: '^a+$' },
        defaultValue: 'aa',
      }),
    ).toEqual([]);
    expect(rulesOf({ name: 'a', type: 'SELECT', options, defaultValue: 'OPEN' })).toEqual([]);
  });

  it.each([
    [{ type: 'JSON', isUnique: true }, 'isUnique type'],
    [{ type: 'DATE', isSearchable: true }, 'isSearchable type'],
    [{ type: 'SELECT' }, 'options required'],
    [{ type: 'TEXT', options }, 'options type'],
    [{ type: 'SELECT', options: [{ value: 'a b', label: '' }] }, 'options.0.value name'],
    [{ type: 'SELECT', options: [{ value: 'true', label: '' }] }, 'options.0.value name'],
    [{ type: 'SELECT', options: [...options, ...options.slice(1)] }, 'options.2.value duplicate'],
    [{ type: 'TEXT', validation: { min: 1 } }, 'validation.min type'],
    [{ type: 'TEXT', validation: { minLength: 3, maxLength: 2 } }, 'validation.minLength max'],
    [{ type: 'DATE', validation: { min: 'soon' } }, 'validation.min type'],
    [{ type: 'NUMBER', validation: { min: 2, max: 1 } }, 'validation.min max'],
    [{ type: 'TEXT', validation: { pattern: '(' } }, 'validation.pattern pattern'],
    [{ type: 'TEXT', validation: { pattern: '(?=a)' } }, 'validation.pattern pattern'],
    [{ type: 'INTEGER', validation: { max: 5 }, defaultValue: 6 }, 'defaultValue max'],
  ] as const)('%j breaks %s', (spec, expected) => {
    expect(rulesOf({ name: 'a', ...spec })).toContain(expected);
  });
});
