/** From a file's cells to values of fields, and which column goes where. */
import { describe, expect, it } from 'vitest';
import { createColumnTargets } from '#subgraphs/entities/transfer/import/column-mapping.ts';
import { derivedId, rowId } from '#subgraphs/entities/transfer/import/record-ids.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import { createExportColumns } from '#subgraphs/entities/transfer/export/export-columns.ts';
import { orderEntities } from '#subgraphs/entities/transfer/tenant/entity-order.ts';
import { convertCell } from '#subgraphs/entities/transfer/values/convert-cell.ts';
import { type DateFormat, readDay, readMoment } from '#subgraphs/entities/transfer/values/date-formats.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import type { EntityDefinition, FieldType } from '#subgraphs/model/definition.ts';
import { defineModel } from '../model.ts';

const options = [
  { value: 'PG_13', label: 'PG-13' },
  { value: 'R', label: 'Restricted, under 17' },
];

const fieldOf = (type: FieldType) =>
  defineModel({
    name: 'thing',
    fields: [{ name: 'x', type, ...(type.endsWith('SELECT') ? { options } : {}) }],
  }).entities[0]!.fields[0]!;

const convert = (
  type: FieldType,
  cell: unknown,
  more: { dateFormat?: DateFormat; isTextOnly?: boolean } = {},
) => convertCell(cell, fieldOf(type), { dateFormat: null, nullTexts: ['NA'], isTextOnly: true, ...more });

describe('cells', () => {
  it.each([
    ['TEXT', ' as it is ', ' as it is '],
    ['TEXT', '', ''],
    ['TEXT', 1492, '1492'],
    ['TEXT', 'NA', null],
    ['INTEGER', ' 5 ', 5],
    ['INTEGER', '', null],
    ['INTEGER', '007', '007'],
    ['NUMBER', '-1.5e3', -1500],
    ['NUMBER', 'much', 'much'],
    ['BOOLEAN', 'Yes', true],
    ['BOOLEAN', '0', false],
    ['BOOLEAN', 1, true],
    ['DATE', 'Jun 12 1998', '1998-06-12'],
    ['DATE', '12. June', '12. June'],
    ['DATE', '03/04/2026', '03/04/2026'],
    ['DATETIME', '2026-01-02 03:04', '2026-01-02T03:04:00.000Z'],
    ['DATETIME', '2026-01-02T03:04:05.678+02:00', '2026-01-02T01:04:05.678Z'],
    ['EMAIL', ' ada@example.com', 'ada@example.com'],
    ['SELECT', 'PG_13', 'PG_13'],
    ['SELECT', 'pg-13', 'PG_13'],
    ['SELECT', 'X', 'X'],
    ['MULTI_SELECT', 'PG-13; R', ['PG_13', 'R']],
    ['MULTI_SELECT', 'Restricted, under 17', ['R']],
    ['MULTI_SELECT', 'R,PG_13', ['R', 'PG_13']],
    ['MULTI_SELECT', '[]', []],
    ['MULTI_SELECT', '', null],
    ['MULTI_SELECT', ['PG-13', 'no'], ['PG_13', 'no']],
    ['JSON', '{"a":[1]}', { a: [1] }],
    ['JSON', '"text"', 'text'],
    ['JSON', 'text', 'text'],
  ] as const)('%s %j → %j', (type, cell, value) => {
    expect(convert(type, cell)).toEqual(value);
  });

  it('takes ambiguous days by the column’s format only', () => {
    expect(convert('DATE', '03/04/2026', { dateFormat: 'MM/DD/YYYY' })).toBe('2026-03-04');
    expect(convert('DATE', '03/04/2026', { dateFormat: 'DD/MM/YYYY' })).toBe('2026-04-03');
    expect(convert('DATE', '13/04/2026', { dateFormat: 'MM/DD/YYYY' })).toBe('13/04/2026');
  });

  it('leaves texts of a JSON file alone where the field is JSON', () => {
    expect(convert('JSON', '{"a":1}', { isTextOnly: false })).toBe('{"a":1}');
  });

  it.each([
    ['29 Feb 2024', 'DD MMM YYYY', '2024-02-29'],
    ['29 Feb 2023', 'DD MMM YYYY', null],
    ['September 3, 2026', 'MMM DD YYYY', '2026-09-03'],
    ['May 1 2026', 'MMM DD YYYY', '2026-05-01'],
    ['1.1.26', 'DD.MM.YYYY', null],
  ] as const)('reads %s as %s', (text, format, day) => {
    expect(readDay(text, format)).toBe(day);
  });

  it.each([
    ['1/2/2026 12:30 AM', 'MM/DD/YYYY', '2026-01-02T00:30:00.000Z'],
    ['1/2/2026 12:30 PM', 'MM/DD/YYYY', '2026-01-02T12:30:00.000Z'],
    ['1/2/2026 13:30 PM', 'MM/DD/YYYY', null],
    ['2026-01-02 10:00 +0530', 'YYYY-MM-DD', '2026-01-02T04:30:00.000Z'],
    ['2026-01-02T24:00', 'YYYY-MM-DD', null],
  ] as const)('reads %s as %s with a time', (text, format, moment) => {
    expect(readMoment(text, format)).toBe(moment);
  });
});

const model = defineModel(
  {
    name: 'company',
    pluralName: 'companies',
    fields: [
      { name: 'taxId', type: 'TEXT', isUnique: true },
      { name: 'name', type: 'TEXT' },
    ],
  },
  {
    name: 'contact',
    fields: [
      { name: 'fullName', type: 'TEXT', label: 'Name on card' },
      { name: 'email', type: 'EMAIL' },
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
      { name: 'boss', type: 'RELATION', targetEntity: 'contact', inverseName: 'team' },
      { name: 'ratings', type: 'MULTI_SELECT', options },
      { name: 'doc', type: 'JSON' },
    ],
  },
);
const contact = model.entityByName.get('contact') as EntityDefinition;

describe('columns', () => {
  const memberOf = (column: string, mappings: Parameters<typeof createColumnTargets>[2] = []) =>
    createColumnTargets(model, contact, mappings).find(column)?.member ?? null;

  it.each([
    ['fullName', 'fullName'],
    ['Full Name', 'fullName'],
    ['full_name', 'fullName'],
    ['name ON card', 'fullName'],
    ['EMAIL', 'email'],
    ['companyId', 'companyId'],
    ['company', 'companyId'],
    ['company.taxId', 'companyId'],
    ['company.name', null],
    ['id', null],
    ['createdAt', null],
    ['__proto__', null],
  ])('%s goes into %s', (column, member) => {
    expect(memberOf(column)).toBe(member);
  });

  it('gives a field to one column only, first of all to the one that is mapped to it', () => {
    const targets = createColumnTargets(model, contact, [{ column: 'E-Mail 2', field: 'email' }]);
    expect(targets.find('email')).toBeNull();
    expect(targets.find('E-Mail 2')?.field.name).toBe('email');
    expect(memberOf('email', [{ column: 'email', field: null }])).toBeNull();
  });

  it('refuses mappings to what is not there', () => {
    const mappings = ['nothing', 'company.name', 'company.taxId.x', 'email.x', 'email', 'email'].map(
      (field, index) => ({
        column: `c${index}`,
        field,
      }),
    );
    expect(() => createColumnTargets(model, contact, mappings)).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        fields: [0, 1, 2, 3, 5].map((index) => expect.objectContaining({ field: `columns.${index}.field` })),
      }),
    );
  });

  it('are written so that they are read back', () => {
    const record = {
      id: 'i',
      createdAt: new Date(0),
      data: { fullName: 'Ada', ratings: ['PG_13', 'R'], doc: { a: 1 }, company: 'c' },
    } as unknown as StoredRecord;
    const access = modelAccess(model, { role: 'ADMIN', actorKind: 'USER', actorId: null });
    const read = (format: 'CSV' | 'JSON', usesLabels: boolean) =>
      createExportColumns(model, contact, { fields: [], format, usesLabels, access }).map((column) =>
        column.read(record),
      );
    expect(read('CSV', false)).toEqual(['i', 'Ada', null, 'c', null, 'PG_13;R', '{"a":1}']);
    expect(read('CSV', true)[5]).toBe('PG-13;Restricted, under 17');
    expect(read('JSON', false)).toEqual(['i', 'Ada', null, 'c', null, ['PG_13', 'R'], { a: 1 }]);
    expect(() =>
      createExportColumns(model, contact, {
        fields: ['company.nothing', 'data'],
        format: 'CSV',
        usesLabels: false,
        access,
      }),
    ).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });
});

it('derives ids that keep the rows’ order, and are nobody else’s', () => {
  const transfer = {
    id: '5d5f0c2e-0000-4000-8000-000000000001',
    createdAt: new Date('2026-11-21T00:00:00Z'),
  };
  const numbers = [1, 2, 255, 256, 65_536, 2 ** 22 - 1, 2 ** 22, 2 ** 22 + 1, 2 ** 33];
  const ids = numbers.map((number) => rowId(transfer, number));
  expect(ids).toEqual(ids.toSorted());
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(rowId(transfer, 7)).toBe(rowId(transfer, 7));
  expect(rowId({ ...transfer, id: '5d5f0c2e-0000-4000-8000-000000000002' }, 7)).not.toBe(rowId(transfer, 7));
  expect(derivedId(transfer.id, 'a')).not.toBe(derivedId(transfer.id, 'b'));
});

it('orders entities so that what others need comes first', () => {
  const circle = defineModel(
    { name: 'a', fields: [{ name: 'self', type: 'RELATION', targetEntity: 'a', inverseName: null }] },
    {
      name: 'b',
      fields: [{ name: 'a', type: 'RELATION', targetEntity: 'a', isRequired: true, inverseName: null }],
    },
  );
  const order = orderEntities(circle).map(({ entity, deferred }) => [
    entity.name,
    deferred.map((field) => field.name),
  ]);
  expect(order).toEqual([
    ['a', ['self']],
    ['b', []],
  ]);
});
