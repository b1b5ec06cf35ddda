/** What a write does to a record, its keys, its relations and the log. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { codeOf, createRecordBench } from './record-bench.ts';
import type { EntitySpec, RecordBench, TestTenant } from './record-bench.ts';

const status = ['OPEN', 'DONE'].map((value) => ({ value, label: value }));
const entities: EntitySpec[] = [
  {
    name: 'company',
    pluralName: 'companies',
    fields: [
      { name: 'name', type: 'TEXT', slot: 't1', isRequired: true },
      { name: 'taxId', type: 'TEXT', isUnique: true },
      { name: 'email', type: 'EMAIL', isUnique: true, slot: 't2' },
    ],
  },
  {
    name: 'contact',
    pluralName: 'contacts',
    fields: [
      {
        name: 'name',
        type: 'TEXT',
        slot: 't1',
        isRequired: true,
        isSearchable: true,
        validation: { minLength: 2, pattern: '^[^0-9]*$' },
      },
      { name: 'age', type: 'INTEGER', slot: 'n1', validation: { min: 0, max: 150 } },
      { name: 'score', type: 'NUMBER' },
      { name: 'status', type: 'SELECT', slot: 't2', options: status, defaultValue: 'OPEN' },
      { name: 'tags', type: 'MULTI_SELECT', options: status },
      { name: 'born', type: 'DATE', slot: 'd1' },
      { name: 'seen', type: 'DATETIME' },
      { name: 'extra', type: 'JSON' },
      {
        name: 'company',
        type: 'RELATION',
        slot: 'r1',
        target: 'company',
        inverseName: 'contacts',
        onDelete: 'SET_NULL',
      },
      { name: 'partner', type: 'RELATION', target: 'contact', isUnique: true, onDelete: 'RESTRICT' },
    ],
  },
  {
    name: 'order',
    pluralName: 'orders',
    fields: [
      {
        name: 'contact',
        type: 'RELATION',
        slot: 'r1',
        target: 'contact',
        inverseName: 'orders',
        onDelete: 'CASCADE',
      },
      { name: 'previous', type: 'RELATION', slot: 'r2', target: 'order', onDelete: 'CASCADE' },
      { name: 'approver', type: 'RELATION', slot: 'r3', target: 'contact', onDelete: 'RESTRICT' },
    ],
  },
];

let bench: RecordBench;
let tenant: TestTenant;
beforeAll(async () => {
  bench = await createRecordBench();
});
beforeEach(async () => {
  tenant = await bench.addTenant(entities);
});
afterAll(() => bench[Symbol.asyncDispose]());

const create = async (entity: string, input: object): Promise<StoredRecord> =>
  (
    await bench.store.create(tenant.context, tenant.entity(entity), [input as Record<string, unknown>])
  )[0] as StoredRecord;
const update = (entity: string, id: string, input: object, expectedVersion?: number): Promise<StoredRecord> =>
  bench.store.update(
    tenant.context,
    tenant.entity(entity),
    id,
    input as Record<string, unknown>,
    expectedVersion,
  );
const remove = (entity: string, id: string, expectedVersion?: number): Promise<StoredRecord> =>
  bench.store.delete(tenant.context, tenant.entity(entity), id, expectedVersion);
const restore = (entity: string, id: string): Promise<StoredRecord> =>
  bench.store.restore(tenant.context, tenant.entity(entity), id);
const find = async (entity: string, id: string): Promise<StoredRecord | null> =>
  (await bench.store.findMany(tenant.context, tenant.entity(entity), [id]))[0] ?? null;

async function errorOf(promise: Promise<unknown>): Promise<DomainError> {
  const error = await promise.then(
    () => new Error('expected an error'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof DomainError)) throw error;
  return error;
}

describe('create', () => {
  it('keeps every value exactly, and answers what is stored', async () => {
    const company = await create('company', { name: 'Ünïcode 🙂 "x" \\ \'' });
    const input = {
      name: 'Zoë\n☃',
      age: 0,
      score: 2 ** 53 + 2,
      tags: ['DONE', 'OPEN'],
      born: '2024-02-29',
      seen: '2026-11-21T10:00:00.5+02:00',
      extra: { n: [1e21, 0.1, null], '': 'é' },
      companyId: company.id.toUpperCase(),
    };
    const record = await create('contact', input);
    expect(record).toMatchObject({ version: 1, createdBy: tenant.claims.actorId, deletedAt: null });
    expect(record.data).toEqual({
      name_key: 'Zoë\n☃',
      age_key: 0,
      score_key: 9007199254740994,
      status_key: 'OPEN',
      tags_key: ['DONE', 'OPEN'],
      born_key: '2024-02-29',
      seen_key: '2026-11-21T08:00:00.500Z',
      extra_key: { n: [1e21, 0.1, null], '': 'é' },
      company_key: company.id,
    });
    expect(await find('contact', record.id)).toEqual(record);
    expect(bench.published).toContain(tenant.id);
  });

  it('reports every broken rule of every input at once, and creates nothing', async () => {
    const inputs = [
      { name: 'Ada' },
      { age: 3000000000, tags: ['OPEN', 'OPEN'], born: '2023-02-29', wrong: 1 },
      {
        name: '7',
        score: Number.NaN,
        seen: 'yesterday',
        status: 'MAYBE',
        extra: { a: '\0' },
        companyId: 'x',
      },
    ];
    const error = await errorOf(bench.store.create(tenant.context, tenant.entity('contact'), inputs));
    expect(error.code).toBe('BAD_USER_INPUT');
    const rules = error.fields?.map(({ field, rule }) => `${field}: ${rule}`);
    expect(rules?.toSorted()).toEqual(
      [
        'inputs.1.age: range',
        'inputs.1.born: date',
        'inputs.1.name: required',
        'inputs.1.tags: duplicate',
        'inputs.1.wrong: unknown',
        'inputs.2.companyId: relation',
        'inputs.2.extra: characters',
        'inputs.2.name: minLength',
        'inputs.2.score: type',
        'inputs.2.seen: dateTime',
        'inputs.2.status: option',
      ].toSorted(),
    );
    expect(error.fields?.find((field) => field.rule === 'range')?.message).toContain('NUMBER');
    expect(await bench.store.count(tenant.context, { entity: tenant.entity('contact') })).toBe(0);
    expect(await bench.log(tenant)).toEqual([]);
  });

  it('makes a thousand in the order given, and refuses more', async () => {
    const inputs = Array.from({ length: 1000 }, (_, i) => ({ name: `n${i}`, taxId: `${i}` }));
    const created = await bench.store.create(tenant.context, tenant.entity('company'), inputs);
    const ids = created.map((record) => record.id);
    expect(ids.toSorted()).toEqual(ids);
    const { edges } = await bench.store.list(tenant.context, {
      entity: tenant.entity('company'),
      first: 1000,
    });
    expect(edges.map(({ record }) => record.data['name_key'])).toEqual(inputs.map((input) => input.name));
    expect((await bench.log(tenant)).map((event) => event.seq)).toEqual(ids.map((_, i) => i + 1));
    const tooMany = [...inputs, { name: 'one more', taxId: 'x' }];
    expect(await codeOf(bench.store.create(tenant.context, tenant.entity('company'), tooMany))).toBe(
      'BAD_USER_INPUT',
    );
  });

  it('names each taken value, in the batch and beside it', async () => {
    await create('company', { name: 'a', taxId: '1', email: 'Ada@example.com' });
    const inputs = [
      { name: 'b', taxId: '2' },
      { name: 'c', taxId: '2' },
      { name: 'd', taxId: '3', email: 'ada@EXAMPLE.com' },
    ];
    const error = await errorOf(bench.store.create(tenant.context, tenant.entity('company'), inputs));
    expect(error.code).toBe('CONFLICT');
    expect(error.fields?.map(({ field, rule }) => `${field}: ${rule}`)).toEqual([
      'inputs.1.taxId: unique',
      'inputs.2.email: unique',
    ]);
    expect(await bench.store.count(tenant.context, { entity: tenant.entity('company') })).toBe(1);
    // No value, no key.
    await create('company', { name: 'e', taxId: null });
    await create('company', { name: 'f' });
  });

  it('wants relations to point at live records, and names the field', async () => {
    const gone = await create('company', { name: 'gone' });
    await remove('company', gone.id);
    const unknown = '01a1fc21-c4b6-77d3-bc5c-c1ee294a5fdd';
    for (const id of [gone.id, unknown]) {
      const error = await errorOf(create('contact', { name: 'Ada', company: { connect: id } }));
      expect(error.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ field: 'company.connect', rule: 'relation' }],
      });
    }
  });
});

describe('update', () => {
  it('writes and logs what really changed, and nothing where nothing did', async () => {
    const record = await create('contact', { name: 'Ada', age: 36, extra: { a: 1, b: 2 } });
    const same = await update('contact', record.id, { name: 'Ada', extra: { b: 2, a: 1 }, born: null });
    expect(same).toEqual(record);
    const changed = await update('contact', record.id, { name: 'Ada', age: null, born: '1815-12-10' }, 1);
    expect(changed.version).toBe(2);
    expect(changed.data).toEqual({
      name_key: 'Ada',
      born_key: '1815-12-10',
      extra_key: { a: 1, b: 2 },
      status_key: 'OPEN',
    });
    const [, event, ...rest] = await bench.log(tenant);
    expect(rest).toEqual([]);
    expect(event).toMatchObject({
      operation: 'UPDATED',
      before: { version: 1 },
      after: { version: 2 },
      requestId: 'test',
      actorId: tenant.claims.actorId,
    });
    expect(event?.changedFields.toSorted()).toEqual(['age_key', 'born_key']);
  });

  it('says which version is the current one where another was expected', async () => {
    const record = await create('contact', { name: 'Ada' });
    await update('contact', record.id, { name: 'Bea' });
    const error = await errorOf(update('contact', record.id, { name: 'Cleo' }, 1));
    expect(error.extensions).toMatchObject({ code: 'VERSION_CONFLICT', currentVersion: 2 });
    expect((await errorOf(remove('contact', record.id, 1))).extensions).toMatchObject({ currentVersion: 2 });
  });

  it('refuses to clear what is required, and unknown or deleted records', async () => {
    const record = await create('contact', { name: 'Ada' });
    const error = await errorOf(update('contact', record.id, { name: null, age: -1 }));
    expect(error.fields?.map(({ field, rule }) => `${field}: ${rule}`)).toEqual([
      'name: required',
      'age: min',
    ]);
    await remove('contact', record.id);
    for (const id of [record.id, 'nothing', '01a1fc21-c4b6-77d3-bc5c-c1ee294a5fdd']) {
      expect(await codeOf(update('contact', id, { name: 'Bea' }))).toBe('NOT_FOUND');
      expect(await codeOf(remove('contact', id))).toBe('NOT_FOUND');
    }
  });

  it('moves a unique value from one record to another', async () => {
    const first = await create('company', { name: 'a', taxId: '1' });
    const second = await create('company', { name: 'b', taxId: '2' });
    expect((await errorOf(update('company', second.id, { taxId: '1' }))).extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'taxId', rule: 'unique' }],
    });
    await update('company', first.id, { taxId: '3' });
    await update('company', second.id, { taxId: '1' });
    const found = await bench.store.findByUnique(tenant.context, tenant.entity('company'), 'taxId', {
      taxId: '1',
    });
    expect(found?.id).toBe(second.id);
    expect(
      await bench.store.findByUnique(tenant.context, tenant.entity('company'), 'taxId', { taxId: '2' }),
    ).toBeNull();
  });
});

describe('upsert', () => {
  it('creates, then updates only what is given', async () => {
    const upsert = (input: object) =>
      bench.store.upsert(tenant.context, tenant.entity('company'), 'email', input as Record<string, unknown>);
    const created = await upsert({ name: 'a', taxId: '1', email: 'ada@example.com' });
    const updated = await upsert({ name: 'b', email: 'ADA@example.com' });
    expect(updated).toMatchObject({
      id: created.id,
      version: 2,
      data: { name_key: 'b', taxId_key: '1', email_key: 'ADA@example.com' },
    });
    expect(await codeOf(upsert({ name: 'c' }))).toBe('BAD_USER_INPUT');
    expect(
      (await errorOf(upsert({ name: 'd', taxId: '1', email: 'other@example.com' }))).fields,
    ).toMatchObject([{ field: 'taxId', rule: 'unique' }]);
    const byName = bench.store.upsert(tenant.context, tenant.entity('company'), 'name', { name: 'a' });
    expect(await codeOf(byName)).toBe('BAD_USER_INPUT');
  });
});

describe('delete and restore', () => {
  it('frees unique values and takes them back, or answers CONFLICT', async () => {
    const record = await create('company', { name: 'a', taxId: '1' });
    const deleted = await remove('company', record.id, 1);
    expect(deleted).toMatchObject({ id: record.id, version: 2 });
    expect(deleted.deletedAt).toBeInstanceOf(Date);
    expect(await find('company', record.id)).toBeNull();
    expect(
      await bench.store.findByUnique(tenant.context, tenant.entity('company'), 'taxId', { taxId: '1' }),
    ).toBeNull();
    const entity = tenant.entity('company');
    const all = await bench.store.list(tenant.context, { entity, includeDeleted: true });
    expect(all.edges.map((edge) => edge.record.id)).toEqual([record.id]);
    expect((await bench.store.list(tenant.context, { entity })).edges).toEqual([]);

    const other = await create('company', { name: 'b', taxId: '1' });
    expect((await errorOf(restore('company', record.id))).fields).toMatchObject([
      { field: 'taxId', rule: 'unique' },
    ]);
    await remove('company', other.id);
    const restored = await restore('company', record.id);
    expect(restored).toMatchObject({ version: 3, deletedAt: null });
    expect(await restore('company', record.id)).toEqual(restored);
    expect(await find('company', record.id)).toEqual(restored);
    expect((await bench.log(tenant)).map((event) => event.operation)).toEqual([
      'CREATED',
      'DELETED',
      'CREATED',
      'DELETED',
      'RESTORED',
    ]);
    expect(await codeOf(restore('company', 'unknown'))).toBe('NOT_FOUND');
  });

  it('clears, restricts and cascades, each record in the log', async () => {
    const company = await create('company', { name: 'a' });
    const ada = await create('contact', { name: 'Ada', companyId: company.id });
    const bea = await create('contact', { name: 'Bea', companyId: company.id, partnerId: ada.id });
    await remove('company', company.id);
    expect((await find('contact', ada.id))?.data).not.toHaveProperty('company_key');
    expect((await find('contact', bea.id))?.version).toBe(2);
    const entity = tenant.entity('contact');
    const without = await bench.store.count(tenant.context, {
      entity,
      filter: { companyId: { isNull: true } },
    });
    expect(without).toBe(2);

    const restricted = await errorOf(remove('contact', ada.id));
    expect(restricted.extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'partner', rule: 'onDelete' }],
      entity: 'contact',
    });

    const first = await create('order', { contactId: bea.id });
    const second = await create('order', { previousId: first.id, approverId: ada.id });
    const third = await create('order', { contactId: bea.id, previousId: second.id, approverId: bea.id });
    await remove('contact', bea.id);
    for (const order of [first, second, third]) expect(await find('order', order.id)).toBeNull();
    const log = await bench.log(tenant);
    expect(log.slice(-4).map((event) => [event.operation, event.recordId])).toEqual([
      ['DELETED', bea.id],
      ['DELETED', first.id],
      ['DELETED', third.id],
      ['DELETED', second.id],
    ]);
    // Bea is gone, so nobody's partner is Ada.
    await remove('contact', ada.id);
    expect((await errorOf(restore('contact', bea.id))).extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'partnerId', rule: 'relation' }],
    });
  });
});

describe('search', () => {
  it('finds records that contain every word, without case and accents', async () => {
    await create('contact', { name: 'Zoë Müller' });
    await create('contact', { name: 'Zora Meyer' });
    const entity = tenant.entity('contact');
    const count = (search: string) => bench.store.count(tenant.context, { entity, search });
    expect(await Promise.all(['zoe', 'ZO', 'mull zoe', 'zoe meyer', '%', ''].map(count))).toEqual([
      1, 2, 1, 0, 0, 2,
    ]);
    expect(await codeOf(count('\0'))).toBe('BAD_USER_INPUT');
  });
});

describe('page arguments', () => {
  it.each([
    [{ first: 0 }, 'first'],
    [{ first: 1001 }, 'first'],
    [{ last: -1 }, 'last'],
    [{ first: 1, last: 1 }, 'last'],
    [{ offset: -1 }, 'offset'],
    [{ offset: 1, last: 1 }, 'offset'],
    [{ after: 'rubbish' }, 'after'],
    [{ before: Buffer.from('["x"]').toString('base64url') }, 'before'],
    [{ filter: { name: { eq: 'a\0' } } }, 'filter.name.eq'],
    [{ filter: { nothing: {} } }, 'filter.nothing'],
    [{ filter: { name: { like: 'a' } } }, 'filter.name.like'],
    [{ filter: { name: { contains: null } } }, 'filter.name.contains'],
    [{ orderBy: [{ nothing: 'ASC' }] }, 'orderBy.0.nothing'],
    [{ orderBy: [{ name: 'UP' }] }, 'orderBy.0.name'],
    [{ orderBy: [{ name: 'ASC', age: 'ASC' }] }, 'orderBy.0'],
    [{ orderBy: [{ extra: 'ASC' }] }, 'orderBy.0.extra'],
  ])('%j names %s', async (page, field) => {
    const error = await errorOf(
      bench.store.list(tenant.context, { entity: tenant.entity('contact'), ...page }),
    );
    expect(error.code).toBe('BAD_USER_INPUT');
    expect(error.fields?.[0]?.field).toBe(field);
  });

  it('refuse a cursor of another order, and one with an offset', async () => {
    await create('contact', { name: 'Ada' });
    const entity = tenant.entity('contact');
    const { edges } = await bench.store.list(tenant.context, { entity, orderBy: [{ name: 'ASC' }] });
    const after = edges[0]?.cursor as string;
    const list = (request: object) => bench.store.list(tenant.context, { entity, after, ...request });
    expect((await list({ orderBy: [{ name: 'ASC' }] })).edges).toEqual([]);
    for (const request of [
      { orderBy: [{ name: 'DESC' }] },
      { orderBy: [{ age: 'ASC' }] },
      {},
      { orderBy: [{ name: 'ASC' }], offset: 1 },
    ]) {
      expect(await codeOf(list(request))).toBe('BAD_USER_INPUT');
    }
  });
});
