import { buildSchema, isEnumType, isInputObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { compilePredicate } from '#subgraphs/model/filter/predicate.ts';
import type { Verdict } from '#subgraphs/model/filter/predicate.ts';
import { comparisonInputsSdl, filterSdl, staticFilterTypeNames } from '#subgraphs/model/filter/sdl.ts';
import { filterLimits } from '#subgraphs/model/filter/reading.ts';
import { orderDirectionSdl, orderSdl } from '#subgraphs/model/order/sdl.ts';
import { scalarsSdl, fieldEnumsSdl } from '#subgraphs/model/sdl.ts';
import { testModel } from './fields.ts';

const options = [{ value: 'OPEN', label: 'Open "now"\n' }];
const model = testModel({
  company: [
    { name: 'name', type: 'TEXT', description: 'Any """text""" \\ with\nlines' },
    { name: 'parent', type: 'RELATION', targetEntityId: 'company', inverseName: 'branches' },
  ],
  contact: [
    { name: 'name', type: 'TEXT' },
    { name: 'age', type: 'INTEGER' },
    { name: 'score', type: 'NUMBER' },
    { name: 'day', type: 'DATE' },
    { name: 'at', type: 'DATETIME' },
    { name: 'flag', type: 'BOOLEAN' },
    { name: 'doc', type: 'JSON' },
    { name: 'status', type: 'SELECT', options },
    { name: 'tags', type: 'MULTI_SELECT', options },
    { name: 'secret', type: 'TEXT', isFilterable: false, isSortable: false },
    { name: 'hidden', type: 'SELECT', options, isFilterable: false },
    { name: 'company', type: 'RELATION', targetEntityId: 'company', inverseName: 'contacts' },
  ],
});
const entity = (name: string): EntityDefinition => model.entityByName.get(name) as EntityDefinition;
const id = '01a1fc21-c4b6-77d3-bc5c-c1ee294a5fdd';
const record = {
  id,
  data: { name: 'Zoë', age: 3, doc: { a: 1 } } as Record<string, unknown>,
  version: 2,
  createdAt: new Date('2026-11-21T10:00:00Z'),
  updatedAt: '2026-11-21T11:00:00.000Z',
  createdBy: null,
  deletedAt: null,
};

function evaluate(
  filter: Record<string, unknown> | null,
  data: Record<string, unknown> = record.data,
): Verdict {
  return compilePredicate(model, entity('contact'), filter)({ ...record, data });
}

function broken(filter: unknown, name = 'contact'): string {
  try {
    compilePredicate(model, entity(name), filter as Record<string, unknown>);
  } catch (error) {
    if (error instanceof DomainError && error.code === 'BAD_USER_INPUT')
      return `${error.fields?.[0]?.field} ${error.fields?.[0]?.rule}`;
    throw error;
  }
  throw new Error('expected an error');
}

describe('the filter language in SDL', () => {
  const sdl = [
    'type Query { a: Boolean }',
    scalarsSdl(),
    comparisonInputsSdl(),
    orderDirectionSdl(),
    ...model.entities.flatMap((one) => [fieldEnumsSdl(one), filterSdl(model, one), orderSdl(model, one)]),
  ].join('\n\n');
  const schema = buildSchema(sdl);
  const membersOf = (name: string): string[] => {
    const type = schema.getType(name);
    if (!isInputObjectType(type)) throw new Error(`${name} is no input type`);
    return Object.values(type.getFields()).map((field) => `${field.name}: ${String(field.type)}`);
  };

  it('is valid, and says what can be asked', () => {
    expect(membersOf('ContactFilter')).toEqual([
      'and: [ContactFilter!]',
      'or: [ContactFilter!]',
      'not: ContactFilter',
      'is: ContactFilter',
      'isNot: ContactFilter',
      'id: IDComparison',
      'version: IntComparison',
      'createdAt: DateTimeComparison',
      'updatedAt: DateTimeComparison',
      'createdBy: IDComparison',
      'deletedAt: DateTimeComparison',
      'name: StringComparison',
      'age: IntComparison',
      'score: FloatComparison',
      'day: DateComparison',
      'at: DateTimeComparison',
      'flag: BooleanComparison',
      'doc: JSONComparison',
      'status: ContactStatusComparison',
      'tags: ContactTagsComparison',
      'company: CompanyFilter',
      'companyId: IDComparison',
    ]);
    expect(membersOf('CompanyFilter').slice(-4)).toEqual([
      'parent: CompanyFilter',
      'parentId: IDComparison',
      'branches: CompanyListFilter',
      'contacts: ContactListFilter',
    ]);
    expect(membersOf('ContactTagsComparison')).toEqual([
      'some: [ContactTags!]',
      'none: [ContactTags!]',
      'every: [ContactTags!]',
      'isNull: Boolean',
    ]);
    expect(membersOf('ContactOrder').slice(5)).toEqual(
      ['name', 'age', 'score', 'day', 'at', 'flag', 'status', 'hidden']
        .map((name) => `${name}: OrderDirection`)
        .concat('company: CompanyOrder'),
    );
    expect(schema.getType('CompanyFilter')?.astNode?.kind).toBeDefined();
  });

  it('describes everything, and any text is safe in a description', () => {
    const type = schema.getType('CompanyFilter');
    if (!isInputObjectType(type)) throw new Error('no CompanyFilter');
    expect(type.getFields()['name']?.description).toBe('Any """text""" \\ with\nlines');
    for (const name of staticFilterTypeNames) expect(schema.getType(name)?.description, name).toBeTruthy();
    const choices = schema.getType('ContactStatus');
    if (!isEnumType(choices)) throw new Error('no ContactStatus');
    expect(choices.getValue('OPEN')?.description).toBe('Open "now"\n');
  });
});

describe('a predicate', () => {
  it.each([
    [null, true],
    [{}, true],
    [{ and: [] }, true],
    [{ or: [] }, false],
    [{ name: {} }, true],
    [{ name: { eq: 'zoe' } }, false],
    [{ name: { eq: 'zoe', mode: 'INSENSITIVE' } }, true],
    [{ name: { gte: 'ZOE', lte: 'zoe' } }, true],
    [{ score: { ne: 1 } }, true],
    [{ score: { notIn: [1] } }, true],
    [{ not: { score: { gt: 1 } } }, true],
    [{ score: { eq: null } }, true],
    [{ score: { ne: null } }, false],
    [{ age: { ne: null, in: [3] } }, true],
    [{ doc: { eq: { a: 1 } } }, true],
    [{ tags: { every: [] } }, true],
    [{ tags: { some: [] } }, false],
    [{ tags: { none: ['OPEN'] } }, true],
    [{ version: { gt: 1 }, createdAt: { lt: '2026-11-21T12:00:00+01:00' } }, true],
    [{ updatedAt: { eq: '2026-11-21T11:00:00Z' }, createdBy: { isNull: true } }, true],
    [{ id: { eq: id.toUpperCase() } }, true],
    [{ id: { ne: 'no id' } }, true],
    [{ companyId: { isNull: true } }, true],
  ])('on %j is %s', (filter, expected) => {
    expect(evaluate(filter)).toBe(expected);
  });

  it('says when the answer lies in other records, and only then', () => {
    const withCompany = { ...record.data, company: id };
    const company = { company: { name: { eq: 'x' } } };
    expect(evaluate(company)).toBe(false);
    expect(evaluate(company, withCompany)).toBe('NEEDS_STORE');
    expect(evaluate({ not: company }, withCompany)).toBe('NEEDS_STORE');
    expect(evaluate({ ...company, age: { eq: 4 } }, withCompany)).toBe(false);
    expect(evaluate({ or: [company, { age: { eq: 3 } }] }, withCompany)).toBe(true);
  });
});

describe('a filter that is not one', () => {
  it.each([
    [{ nme: {} }, 'filter.nme unknown'],
    [{ secret: { eq: 'x' } }, 'filter.secret unknown'],
    [{ name: { like: 'x' } }, 'filter.name.like unknown'],
    [{ age: { mode: 'INSENSITIVE' } }, 'filter.age.mode unknown'],
    [{ name: { mode: 'LOUD' } }, 'filter.name.mode option'],
    [{ name: null }, 'filter.name null'],
    [{ name: { contains: null } }, 'filter.name.contains null'],
    [{ name: { eq: 1 } }, 'filter.name.eq type'],
    [{ name: { eq: '\0' } }, 'filter.name.eq characters'],
    [{ name: { in: ['a', '\ud800'] } }, 'filter.name.in.1 characters'],
    [{ age: { in: [1, 2 ** 31] } }, 'filter.age.in.1 range'],
    [{ day: { lt: 'today' } }, 'filter.day.lt date'],
    [{ status: { eq: 'GONE' } }, 'filter.status.eq option'],
    [{ tags: { some: ['GONE'] } }, 'filter.tags.some.0 option'],
    [{ flag: { isNull: 'yes' } }, 'filter.flag.isNull type'],
    [{ or: [{ and: [{ not: { x: {} } }] }] }, 'filter.or.0.and.0.not.x unknown'],
    [{ company: { contacts: { any: {} } } }, 'filter.company.contacts.any unknown'],
    [{ constructor: {} }, 'filter.constructor unknown'],
    ['name', 'filter type'],
    [{ name: { in: Array.from({ length: 1001 }, () => 'a') } }, 'filter.name.in maxLength'],
    [{ name: { eq: 'a'.repeat(4001) } }, 'filter.name.eq maxLength'],
  ])('%j breaks %s', (filter, expected) => {
    expect(broken(filter)).toBe(expected);
  });

  it('is refused beyond its depth and size', () => {
    let deep: Record<string, unknown> = {};
    for (let i = 0; i <= filterLimits.relationDepth; i++) deep = { parent: deep };
    expect(broken(deep, 'company')).toMatch(/ depth$/);
    let nested: Record<string, unknown> = {};
    for (let i = 0; i < 100_000; i++) nested = { not: nested };
    expect(broken(nested)).toMatch(/ maxLength$/);
    expect(broken({ and: Array.from({ length: 501 }, () => ({})) })).toMatch(/ maxLength$/);
  });
});
