/** Defaults that are worked out when a record is created: the time, the user, numbers of a sequence. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

const sequence = { kind: 'SEQUENCE', prefix: 'INV-', digits: 5 };
const bill = {
  name: 'bill',
  fields: [
    { name: 'title', type: 'TEXT', isUnique: true },
    { name: 'number', type: 'TEXT', isRequired: true, isUnique: true, defaultFrom: sequence },
    { name: 'line', type: 'INTEGER', defaultFrom: { kind: 'SEQUENCE', start: 100 } },
    { name: 'day', type: 'DATE', isRequired: true, defaultFrom: { kind: 'NOW' } },
    { name: 'at', type: 'DATETIME', defaultFrom: { kind: 'NOW' } },
    { name: 'owner', type: 'TEXT', defaultFrom: { kind: 'CURRENT_USER' } },
  ],
};
const shown = '{ id title number line day at owner createdAt }';
const create = `mutation ($input: CreateBillInput!) { createBill(input: $input) ${shown} }`;
const createMany = `mutation ($inputs: [CreateBillInput!]!) { createBills(inputs: $inputs) ${shown} }`;
const createBill = async (input: object = {}, of = tenant): Promise<Anything> =>
  (await of.query(create, { input })).createBill;
const createBills = async (inputs: object[]): Promise<Anything[]> =>
  (await tenant.query(createMany, { inputs })).createBills;
const numbersOf = (records: Anything[]): string[] => records.map(({ number }) => number);
const update = `mutation ($name: String!, $input: UpdateFieldInput!) { updateField(entity: "bill", name: $name, input: $input) { defaultValue defaultFrom { kind start prefix digits } } }`;

describe('a new record', () => {
  beforeEach(() => tenant.createEntity(bill));

  it('gets the time, the user and the next numbers, unless it is given something', async () => {
    const first = await createBill();
    expect(first).toMatchObject({
      number: 'INV-00001',
      line: 100,
      at: first.createdAt,
      day: first.createdAt.slice(0, 10),
      owner: tenant.claims.actorId,
    });
    const given = { number: 'X', line: null, day: '2020-02-29', at: null, owner: 'nobody' };
    expect(await createBill(given)).toMatchObject(given);
    expect(await createBill()).toMatchObject({ number: 'INV-00002', line: 101 });
  });

  it('is nobody’s where no user writes, which a required field refuses', async () => {
    const key = tenant.as({ actorKind: 'SERVICE', role: 'SERVICE' });
    expect((await createBill({}, key)).owner).toBeNull();
    await tenant.createEntity({
      name: 'task',
      fields: [
        { name: 'a', type: 'TEXT' },
        { name: 'owner', type: 'TEXT', isRequired: true, defaultFrom: { kind: 'CURRENT_USER' } },
      ],
    });
    const task = `mutation { createTask(input: { a: "a" }) { owner } }`;
    expect(await key.refusal(task)).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'owner', rule: 'required' }],
    });
    expect((await tenant.query(task)).createTask).toEqual({ owner: tenant.claims.actorId });
  });

  it('is numbered in batches, upserts, nested writes and untyped ones', async () => {
    expect(numbersOf(await createBills([{}, { number: 'Y' }, {}]))).toEqual(['INV-00001', 'Y', 'INV-00002']);
    const upsert = `mutation ($inputs: [CreateBillInput!]!) { upsertBills(on: TITLE, inputs: $inputs) { number } }`;
    const inputs = [{ title: 'a' }, { title: 'b' }];
    const [first, again] = [await tenant.query(upsert, { inputs }), await tenant.query(upsert, { inputs })];
    expect(numbersOf(first.upsertBills)).toEqual(['INV-00003', 'INV-00004']);
    expect(again).toEqual(first);

    await tenant.createEntity({
      name: 'customer',
      fields: [{ name: 'code', type: 'INTEGER', defaultFrom: { kind: 'SEQUENCE' } }],
    });
    await tenant.createField('bill', { name: 'customer', type: 'RELATION', targetEntity: 'customer' });
    const { createBill: nested } = await tenant.query(
      `mutation { createBill(input: { customer: { create: {} } }) { number customer { code } } }`,
    );
    expect(nested).toEqual({ number: 'INV-00005', customer: { code: 1 } });
    const { createCustomer } = await tenant.query(
      `mutation { createCustomer(input: { bills: { create: [{}, {}] } }) { code bills { nodes { number } } } }`,
    );
    expect(createCustomer.code).toBe(2);
    expect(numbersOf(createCustomer.bills.nodes)).toEqual(['INV-00006', 'INV-00007']);
    const { createRecord } = await tenant.query(
      `mutation { createRecord(entity: "bill", data: {}) { data } }`,
    );
    expect(createRecord.data).toMatchObject({ number: 'INV-00008', owner: tenant.claims.actorId });
  });

  it('leaves no gap where it is refused, and is never given a number that was given by hand', async () => {
    await createBill({ title: 'a' });
    expect(await tenant.refusal(create, { input: { title: 'a' } })).toMatchObject({ code: 'CONFLICT' });
    expect((await createBill()).number).toBe('INV-00002');
    await createBill({ number: 'INV-00007' });
    const [, last] = await createBills([{}, {}]);
    expect(last.number).toBe('INV-00009');
    await tenant.query(`mutation ($id: ID!) { updateBill(id: $id, input: { number: "INV-00020" }) { id } }`, {
      id: last.id,
    });
    expect((await createBill()).number).toBe('INV-00021');
    // In one batch too: the numbers follow the greatest that it gives.
    expect(numbersOf(await createBills([{}, { number: 'INV-00030' }, {}]))).toEqual([
      'INV-00031',
      'INV-00030',
      'INV-00032',
    ]);
  });

  it('gets a number of its own from each of many writers at once, in the order of commits', async () => {
    await tenant.createEntity({
      name: 'customer',
      fields: [{ name: 'code', type: 'INTEGER', isUnique: true, defaultFrom: { kind: 'SEQUENCE' } }],
    });
    await tenant.createField('bill', { name: 'customer', type: 'RELATION', targetEntity: 'customer' });
    const before = await fixture.superuser.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    const upsert = `mutation ($inputs: [CreateBillInput!]!) { upsertBills(on: TITLE, inputs: $inputs) { id } }`;
    const titles = Array.from({ length: 10 }, (_, index) => ({ title: `t${index}` }));
    await Promise.all(
      Array.from({ length: 8 }, (_, writer) => [
        createBill(),
        createBills(Array.from({ length: 25 }, () => ({}))),
        tenant.query(upsert, { inputs: writer % 2 === 0 ? titles : titles.toReversed() }),
        tenant.query(`mutation { createBill(input: { customer: { create: {} } }) { id } }`),
        tenant.query(`mutation { createCustomer(input: { bills: { create: [{}, {}] } }) { id } }`),
      ]).flat(),
    );
    const { rows } = await fixture.superuser.query<{ number: string }>(
      `select after -> 'data' ->> 'number' as number from events
       where tenant_id = $1 and operation = 'CREATED' and after -> 'data' ? 'number' order by seq`,
      [tenant.id],
    );
    const expected = Array.from(
      { length: rows.length },
      (_, index) => `INV-${String(index + 1).padStart(5, '0')}`,
    );
    expect(rows).toHaveLength(8 * (1 + 25 + 1 + 2) + 10);
    expect(rows.map(({ number }) => number).toSorted()).toEqual(expected);
    // Each transaction's numbers are above those of all that committed before.
    expect(rows.filter(({ number }, index) => number !== expected[index])).toEqual([]);
    const after = await fixture.superuser.query(
      'select deadlocks from pg_stat_database where datname = current_database()',
    );
    expect(after.rows).toEqual(before.rows);
  });

  it('has counters that are the tenant’s own', async () => {
    await createBills([{}, {}, {}]);
    const other = await fixture.addTenant();
    await other.createEntity(bill);
    expect((await createBill({}, other)).number).toBe('INV-00001');
    const viewer = tenant.as({ role: 'VIEWER' });
    expect(await viewer.refusal(create, { input: {} })).toMatchObject({ code: 'FORBIDDEN' });
    const user = tenant.as({ role: 'USER' });
    const restart = { name: 'number', input: { defaultFrom: { ...sequence, start: 1 } } };
    expect(await user.refusal(update, restart)).toMatchObject({ code: 'FORBIDDEN' });
    expect((await createBill()).number).toBe('INV-00004');
  });

  it('cannot be numbered beyond what the field holds', async () => {
    await createBill({ line: 2_147_483_647 });
    expect(await tenant.refusal(create, { input: {} })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'line' }],
    });
    await createBill({ line: 5 });
  });
});

describe('definitions', () => {
  it('say what a default is worked out from, also in the description of the input', async () => {
    const made = await tenant.createEntity(bill);
    const fields = `{ entityDefinition(name: "bill") { fields { name defaultValue defaultFrom { kind start prefix digits } } } }`;
    expect((await tenant.query(fields)).entityDefinition.fields).toMatchObject([
      { name: 'title', defaultFrom: null },
      { defaultFrom: { ...sequence, start: 1 } },
      { defaultFrom: { kind: 'SEQUENCE', start: 100, prefix: null } },
      { defaultFrom: { kind: 'NOW', start: null } },
      { defaultFrom: { kind: 'NOW' } },
      { defaultFrom: { kind: 'CURRENT_USER' } },
    ]);
    expect(made.name).toBe('bill');
    const { __type: input } = await tenant.query(
      `{ __type(name: "CreateBillInput") { inputFields { name description type { kind } } } }`,
    );
    expect(input.inputFields[1]).toEqual({
      name: 'number',
      description: 'The field number.\nWhere absent: the next number, from INV-00001.',
      type: { kind: 'SCALAR' },
    });
  });

  it('refuses what makes no sense', async () => {
    const rulesOf = async (field: object): Promise<string[][]> => {
      const { fields } = await tenant.refusal(
        `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`,
        { input: { name: 'thing', fields: [field] } },
      );
      return fields.map(({ field: path, rule }) => [path, rule]);
    };
    const from = (type: string, defaultFrom: object, more: object = {}): Promise<string[][]> =>
      rulesOf({ name: 'a', type, defaultFrom, ...more });
    expect(await from('TEXT', { kind: 'NOW' })).toEqual([['fields.0.defaultFrom.kind', 'type']]);
    expect(await from('BOOLEAN', { kind: 'SEQUENCE' })).toEqual([['fields.0.defaultFrom.kind', 'type']]);
    expect(await from('DATE', { kind: 'NOW', prefix: 'a' })).toEqual([
      ['fields.0.defaultFrom.prefix', 'type'],
    ]);
    expect(await from('INTEGER', { kind: 'SEQUENCE', prefix: 'a', start: -1 })).toEqual([
      ['fields.0.defaultFrom.start', 'range'],
      ['fields.0.defaultFrom.prefix', 'type'],
    ]);
    expect(await from('TEXT', { kind: 'SEQUENCE', digits: 16, prefix: '2026' })).toEqual([
      ['fields.0.defaultFrom.prefix', 'characters'],
      ['fields.0.defaultFrom.digits', 'range'],
    ]);
    expect(await from('DATE', { kind: 'NOW' }, { defaultValue: '2020-01-01' })).toEqual([
      ['fields.0.defaultFrom', 'duplicate'],
    ]);
  });

  it('give a sequence to a field with values: it goes on after the greatest', async () => {
    await tenant.createEntity({
      name: 'bill',
      fields: [
        { name: 'number', type: 'TEXT' },
        { name: 'line', type: 'INTEGER', defaultValue: 3 },
      ],
    });
    const made = `mutation ($input: CreateBillInput!) { createBill(input: $input) { number line } }`;
    const make = async (input: object = {}): Promise<Anything> =>
      (await tenant.query(made, { input })).createBill;
    for (const number of ['INV-00041', 'INV-7', 'INV-x', 'A-99999', null]) await make({ number, line: 12 });
    const { updateField } = await tenant.query(update, { name: 'number', input: { defaultFrom: sequence } });
    expect(updateField).toEqual({ defaultValue: null, defaultFrom: { ...sequence, start: 1 } });
    const replaced = await tenant.query(update, {
      name: 'line',
      input: { defaultFrom: { kind: 'SEQUENCE' } },
    });
    expect(replaced.updateField.defaultValue).toBeNull();
    expect(await make()).toEqual({ number: 'INV-00042', line: 13 });
    await tenant.query(update, { name: 'number', input: { defaultFrom: { ...sequence, start: 500 } } });
    expect((await make()).number).toBe('INV-00500');
    await tenant.query(update, { name: 'line', input: { defaultValue: 3 } });
    expect(await make()).toEqual({ number: 'INV-00501', line: 3 });
    // Existing records cannot be numbered by a definition.
    const required = { name: 'code', type: 'INTEGER', isRequired: true, defaultFrom: { kind: 'SEQUENCE' } };
    expect(
      await tenant.refusal(
        `mutation ($input: FieldInput!) { createField(entity: "bill", input: $input) { id } }`,
        { input: required },
      ),
    ).toMatchObject({ fields: [{ field: 'isRequired', rule: 'required' }] });
  });

  it('carry it in a document', async () => {
    await tenant.createEntity(bill);
    const { exportDefinitions: document } = await tenant.query(`{ exportDefinitions }`);
    const other = await fixture.addTenant();
    const apply = `mutation ($definitions: JSON!) { applyDefinitions(definitions: $definitions) { steps { kind field changes } } }`;
    await other.query(apply, { definitions: document });
    expect((await createBill({}, other)).number).toBe('INV-00001');
    expect((await tenant.query(apply, { definitions: document })).applyDefinitions.steps).toEqual([]);
    document.entities[0].fields[1].defaultFrom = { kind: 'SEQUENCE', prefix: 'R-' };
    const { applyDefinitions } = await tenant.query(apply, { definitions: document });
    expect(applyDefinitions.steps).toMatchObject([{ kind: 'UPDATE', field: 'number' }]);
    expect((await createBill()).number).toBe('R-1');
  });

  it('forget the counter with the field', async () => {
    await tenant.createEntity(bill);
    await createBill();
    await tenant.query(`mutation { deleteField(entity: "bill", name: "line") }`);
    await tenant.query(`mutation { deleteEntity(name: "bill") }`);
    const { rows } = await fixture.superuser.query('select from field_sequences where tenant_id = $1', [
      tenant.id,
    ]);
    expect(rows).toEqual([]);
  });
});
