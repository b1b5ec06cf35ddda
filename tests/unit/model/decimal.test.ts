/** DECIMAL without a database: one spelling, exact comparison, what is refused and how it is said. */
import { describe, expect, it } from 'vitest';
import { checkFieldRules } from '#subgraphs/model/field-rules.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import { compilePredicate } from '#subgraphs/model/filter/predicate.ts';
import { decimalScalar } from '#subgraphs/model/scalars.ts';
import { compareDecimals, parseDecimal, readDecimal } from '#subgraphs/model/values/decimal.ts';
import { parseValue } from 'graphql';
import { type FieldSpec, testField, testModel } from './fields.ts';

describe('the one spelling', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['+1', '1'],
    ['007', '7'],
    ['1.50', '1.5'],
    ['100', '100'],
    ['100.00', '100'],
    ['-00.0500', '-0.05'],
    ['99999999999999999999999999999999999999.9', '99999999999999999999999999999999999999.9'],
  ])('%s is %s', (text, decimal) => expect(readDecimal(text)).toBe(decimal));

  it.each(['', '.', '1.', '.5', '1e3', '0x10', ' 1', '1 ', '1,5', '--1', 'NaN', 'Infinity', '١', "1'; --"])(
    '%j is none',
    (text) => expect(readDecimal(text)).toBeNull(),
  );

  it('compares exactly, where doubles cannot', () => {
    const ordered = [
      '-10',
      '-9.5',
      '-9.25',
      '-0.1',
      '0',
      '0.1',
      '0.10000000000000000001',
      '2',
      '9007199254740992',
    ];
    ordered.push('9007199254740993', '9007199254740993.00000000000000000001');
    for (const [i, a] of ordered.entries())
      for (const [j, b] of ordered.entries())
        expect(compareDecimals(a, b), `${a} and ${b}`).toBe(Math.sign(i - j));
  });
});

const field = (validation: FieldSpec['validation'] = null, extra: Partial<FieldSpec> = {}) =>
  testField({ name: 'price', type: 'DECIMAL', validation, ...extra });

describe('input', () => {
  const parse = (value: unknown, validation: FieldSpec['validation'] = null) => {
    const rules: string[] = [];
    const stored = parseDecimal(value, field(validation), (rule) => rules.push(rule));
    return stored ?? rules;
  };

  it.each([
    ['12.50', null, '12.5'],
    [12.5, null, '12.5'],
    [0, null, '0'],
    [-0, null, '0'],
    [123456789012345, null, '123456789012345'],
    [0.000123, null, '0.000123'],
    // A number that has lost digits already, or would be written with an exponent.
    [1234567890123456, null, ['decimal']],
    [0.1 + 0.2, null, ['decimal']],
    [1e21, null, ['decimal']],
    [Number.NaN, null, ['decimal']],
    [true, null, ['decimal']],
    [{}, null, ['decimal']],
    ['1e3', null, ['decimal']],
    ['9'.repeat(1_001), null, ['decimal']],
    ['12.50', { scale: 1 }, '12.5'],
    ['12.55', { scale: 1 }, ['scale']],
    ['0.5', { scale: 0 }, ['scale']],
    ['999.99', { precision: 5, scale: 2 }, '999.99'],
    ['1000', { precision: 5, scale: 2 }, ['precision']],
    ['0.99', { precision: 2, scale: 2 }, '0.99'],
    ['1', { precision: 2, scale: 2 }, ['precision']],
    ['9'.repeat(38), null, '9'.repeat(38)],
    ['9'.repeat(39), null, ['precision']],
    ['1000.001', { precision: 5, scale: 2 }, ['scale', 'precision']],
    ['9.99', { min: '10' }, ['min']],
    ['10', { min: 10, max: '10.00' }, '10'],
    ['10.00000000000000000001', { max: 10 }, ['max']],
  ])('%j under %j', (value, validation, expected) => expect(parse(value, validation)).toEqual(expected));

  it('reads a literal text exactly, and a literal number where no digit can be lost', () => {
    const literal = (text: string) => decimalScalar.parseLiteral(parseValue(text), {});
    expect(literal('"9007199254740993.010"')).toBe('9007199254740993.010');
    expect(literal('-12.50')).toBe(-12.5);
    expect(literal('999999999999999')).toBe(999999999999999);
    const refused = ['9007199254740993', '0.10000000000000000001', 'true', '[1]', '{ a: 1 }', 'ENUM'];
    for (const other of refused) expect(() => literal(other), other).toThrow(/Decimal/);
  });

  it('is answered with as many digits as the scale says', () => {
    const { toOutput } = ruleOf({ type: 'DECIMAL' });
    expect(toOutput('12.5', field({ scale: 2 }))).toBe('12.50');
    expect(toOutput('-7', field({ scale: 3 }))).toBe('-7.000');
    expect(toOutput('7', field())).toBe('7');
    // Stored before the scale was lowered: nothing is lost.
    expect(toOutput('1.2345', field({ scale: 2 }))).toBe('1.2345');
    expect(toOutput(null, field())).toBeNull();
  });
});

describe('a definition', () => {
  it.each([
    [{ precision: 10, scale: 2, min: '0', max: '99999999.99' }, []],
    [{ precision: 0 }, ['validation.precision']],
    [{ precision: 39 }, ['validation.precision']],
    [{ scale: -1 }, ['validation.scale']],
    [{ scale: 1.5 }, ['validation.scale']],
    [{ precision: 2, scale: 3 }, ['validation.scale']],
    [{ min: 'ten' }, ['validation.min']],
    [{ min: '9007199254740993', max: '9007199254740992' }, ['validation.min']],
    [{ pattern: '1' }, ['validation.pattern']],
    [{ minLength: 1 }, ['validation.minLength']],
  ])('%j', (validation, fields) => {
    expect(checkFieldRules(field(validation), '').map((error) => error.field)).toEqual(fields);
  });

  it('has digits only where it is a DECIMAL, and a default that keeps its own rules', () => {
    const integer = testField({ name: 'n', type: 'INTEGER', validation: { scale: 2, precision: 3 } });
    expect(checkFieldRules(integer, '').map((error) => error.field)).toEqual([
      'validation.precision',
      'validation.scale',
    ]);
    expect(checkFieldRules(field({ scale: 2 }, { defaultValue: '0.005' }), '')).toMatchObject([
      { field: 'defaultValue', rule: 'scale' },
    ]);
    expect(checkFieldRules(field(null, { isSearchable: true }), '')).toMatchObject([
      { field: 'isSearchable' },
    ]);
  });
});

describe('a filter in memory', () => {
  const model = testModel({ item: [{ name: 'price', type: 'DECIMAL' }] });
  const item = model.entityByName.get('item');
  const holds = (filter: Record<string, unknown>, price: string | null) => {
    if (!item) throw new Error('item is defined');
    const data = price === null ? {} : { price };
    const record = {
      id: '',
      data,
      version: 1,
      createdAt: '',
      updatedAt: '',
      createdBy: null,
      deletedAt: null,
    };
    return compilePredicate(model, item, { price: filter })(record);
  };

  it('compares exactly, whatever the spelling', () => {
    expect(holds({ eq: '9007199254740993.0' }, '9007199254740993')).toBe(true);
    expect(holds({ eq: '9007199254740992' }, '9007199254740993')).toBe(false);
    expect(holds({ lt: '9007199254740993' }, '9007199254740992')).toBe(true);
    expect(holds({ gte: 10 }, '9.99')).toBe(false);
    expect(holds({ in: ['1.0', 2] }, '1')).toBe(true);
    expect(holds({ ne: '1' }, null)).toBe(true);
    expect(holds({ isNull: true }, null)).toBe(true);
  });

  it.each([[{ eq: '1e3' }], [{ gt: true }], [{ contains: '1' }], [{ in: ['1', 'x'] }]])(
    'refuses %j',
    (filter) => {
      expect(() => holds(filter, '1')).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    },
  );
});
