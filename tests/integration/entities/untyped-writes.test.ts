/** Writing records of any entity by its name, with the checks and roles of the entity's own mutations. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

const definitions = [
  { name: 'company', fields: [{ name: 'name', type: 'TEXT', isUnique: true }] },
  {
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isRequired: true, validation: { maxLength: 20 } },
      { name: 'email', type: 'EMAIL', isUnique: true },
      { name: 'age', type: 'INTEGER' },
      { name: 'weight', type: 'NUMBER' },
      { name: 'isActive', type: 'BOOLEAN', defaultValue: true },
      { name: 'status', type: 'SELECT', options: [{ value: 'NEW' }, { value: 'OLD' }] },
      { name: 'tags', type: 'MULTI_SELECT', options: [{ value: 'A' }, { value: 'B' }] },
      { name: 'bornAt', type: 'DATETIME' },
      { name: 'day', type: 'DATE' },
      { name: 'extra', type: 'JSON' },
      { name: 'company', type: 'RELATION', targetEntity: 'company' },
    ],
  },
];
let fixture: EntitiesFixture;
let tenant: EntitiesTenant;
async function addTenant(): Promise<EntitiesTenant> {
  const added = await fixture.addTenant();
  for (const definition of definitions) await added.createEntity(definition);
  return added;
}
beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await addTenant();
});
afterAll(() => fixture[Symbol.asyncDispose]());

const answer = 'id entity version data deletedAt';
const createQuery = `mutation ($entity: String!, $data: JSON!, $key: String) { answer: createRecord(entity: $entity, data: $data, idempotencyKey: $key) { ${answer} } }`;
const updateQuery = `mutation ($entity: String!, $id: ID!, $data: JSON!, $expected: Int) { answer: updateRecord(entity: $entity, id: $id, data: $data, expectedVersion: $expected) { ${answer} } }`;
const upsertQuery = `mutation ($entity: String!, $on: String!, $data: JSON!) { answer: upsertRecord(entity: $entity, on: $on, data: $data) { ${answer} } }`;
const deleteQuery = `mutation ($entity: String!, $id: ID!, $expected: Int) { answer: deleteRecord(entity: $entity, id: $id, expectedVersion: $expected) { ${answer} } }`;
const restoreQuery = `mutation ($entity: String!, $id: ID!) { answer: restoreRecord(entity: $entity, id: $id) { ${answer} } }`;
const versionQuery = `mutation ($entity: String!, $id: ID!, $version: Int!) { answer: restoreRecordVersion(entity: $entity, id: $id, version: $version) { ${answer} } }`;
const purgeQuery =
  'mutation ($entity: String!, $ids: [ID!]) { answer: purgeRecords(entity: $entity, ids: $ids) }';
const write = async (query: string, variables: Anything, of = tenant): Promise<Anything> =>
  (await of.query(query, variables)).answer;
const entity = 'contact';
const create = (data: Anything) => write(createQuery, { entity, data });

describe('the untyped mutations', () => {
  it('write what the typed ones write, and read the same', async () => {
    const company = await write(createQuery, { entity: 'company', data: { name: 'Acme' } });
    const data = {
      name: 'Ada',
      email: 'ada@example.com',
      age: 36,
      weight: 1.5,
      status: 'NEW',
      tags: ['B'],
      bornAt: '2000-01-02T03:04:05.006Z',
      day: '2000-01-02',
      extra: { a: [null] },
      companyId: company.id,
    };
    const created = await create(data);
    expect(created).toEqual({
      id: created.id,
      entity,
      version: 1,
      data: { ...data, isActive: true },
      deletedAt: null,
    });
    const { contact } = await tenant.query(
      `query ($id: ID!) { contact(id: $id) { ${Object.keys(data).join(' ')} isActive } }`,
      { id: created.id },
    );
    expect(contact).toEqual(created.data);

    const { id } = created;
    const updated = await write(updateQuery, { entity, id, data: { age: null, status: 'OLD' }, expected: 1 });
    expect(updated).toMatchObject({ version: 2, data: { age: null, status: 'OLD', name: 'Ada' } });
    const upserted = await write(upsertQuery, { entity, on: 'email', data: { email: data.email, age: 1 } });
    expect(upserted).toMatchObject({ id, version: 3, data: { age: 1, status: 'OLD' } });
    const other = await write(upsertQuery, {
      entity,
      on: 'email',
      data: { email: 'b@example.com', name: 'B' },
    });
    expect(other).toMatchObject({ version: 1, data: { name: 'B', isActive: true } });
    expect(await write(versionQuery, { entity, id, version: 1 })).toMatchObject({
      version: 4,
      data: created.data,
    });
    expect((await write(deleteQuery, { entity, id, expected: 4 })).deletedAt).not.toBeNull();
    expect(await write(restoreQuery, { entity, id })).toMatchObject({ version: 6, deletedAt: null });
    await write(deleteQuery, { entity, id });
    expect(await write(purgeQuery, { entity, ids: [id] })).toBe(1);
  });

  it.each([
    [{ name: 7 }, 'name'],
    [{ name: 'x'.repeat(21) }, 'name'],
    [{}, 'name'],
    [{ name: 'x', email: 'nobody' }, 'email'],
    [{ name: 'x', age: '5' }, 'age'],
    [{ name: 'x', age: 1.5 }, 'age'],
    [{ name: 'x', age: 2147483648 }, 'age'],
    [{ name: 'x', weight: 'NaN' }, 'weight'],
    [{ name: 'x', isActive: 'yes' }, 'isActive'],
    [{ name: 'x', status: 'GONE' }, 'status'],
    [{ name: 'x', status: { value: 'NEW' } }, 'status'],
    [{ name: 'x', tags: ['C'] }, 'tags'],
    [{ name: 'x', day: '2000-02-30' }, 'day'],
    [{ name: 'x', bornAt: 5 }, 'bornAt'],
    [{ name: 'x', companyId: randomUUID() }, 'companyId'],
    [{ name: 'x', companyId: ['x'] }, 'companyId'],
    [{ name: 'x', id: randomUUID() }, 'id'],
    [{ name: 'x', version: 9 }, 'version'],
    [{ name: 'x', tenant_id: randomUUID() }, 'tenant_id'],
    [{ name: 'x', constructor: 1 }, 'constructor'],
    [JSON.parse('{ "name": "x", "__proto__": { "age": 1 } }'), '__proto__'],
  ])('refuse %j by name', async (data, field) => {
    const refusal = await tenant.refusal(createQuery, { entity, data });
    expect(refusal.code).toBe('BAD_USER_INPUT');
    expect(refusal.fields.map((broken) => broken.field)).toContain(field);
  });

  it.each([null, [], 'text', 5, true])('refuse data that is no object: %j', async (data) => {
    const refusal = await tenant.refusal(createQuery, { entity, data });
    expect(refusal.code).toBe('BAD_USER_INPUT');
  });

  it('refuse what is not there, and what is another version', async () => {
    const { id } = await create({ name: 'there' });
    for (const name of ['nothing', 'Contact', '__proto__', 'constructor', "contact'; --"]) {
      expect((await tenant.refusal(createQuery, { entity: name, data: { name: 'x' } })).code).toBe(
        'NOT_FOUND',
      );
    }
    expect((await tenant.refusal(updateQuery, { entity: 'company', id, data: {} })).code).toBe('NOT_FOUND');
    expect((await tenant.refusal(updateQuery, { entity, id, data: {}, expected: 5 })).code).toBe(
      'VERSION_CONFLICT',
    );
    expect((await tenant.refusal(upsertQuery, { entity, on: 'age', data: { age: 5 } })).code).toBe(
      'BAD_USER_INPUT',
    );
    await create({ name: 'a', email: 'taken@example.com' });
    expect(
      await tenant.refusal(createQuery, { entity, data: { name: 'b', email: 'TAKEN@example.com' } }),
    ).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'email', rule: 'unique' }],
    });
  });

  it('want the same roles, and stay within the tenant', async () => {
    const { id } = await create({ name: 'guarded' });
    const attempts: [string, Anything][] = [
      [createQuery, { entity, data: { name: 'x' } }],
      [updateQuery, { entity, id, data: { name: 'x' } }],
      [upsertQuery, { entity, on: 'email', data: { email: 'a@b.ch', name: 'x' } }],
      [deleteQuery, { entity, id }],
      [restoreQuery, { entity, id }],
      [versionQuery, { entity, id, version: 1 }],
      [purgeQuery, { entity, ids: [id] }],
    ];
    const viewer = tenant.as({ role: 'VIEWER' });
    for (const [query, variables] of attempts)
      expect((await viewer.refusal(query, variables)).code, query).toBe('FORBIDDEN');
    expect((await tenant.as({ role: 'USER' }).refusal(purgeQuery, { entity, ids: [id] })).code).toBe(
      'FORBIDDEN',
    );
    const other = await addTenant();
    for (const [query, variables] of attempts.filter(([, { id: of, ids }]) => of ?? ids))
      expect((await other.refusal(query, variables)).code, query).toBe('NOT_FOUND');
    expect((await write(updateQuery, { entity, id, data: {} })).version).toBe(1);
  });

  it('are done once for each key', async () => {
    const variables = { entity, data: { name: 'once' }, key: randomUUID() };
    const first = await write(createQuery, variables);
    expect(await write(createQuery, variables)).toEqual(first);
    expect((await tenant.refusal(createQuery, { ...variables, data: { name: 'twice' } })).code).toBe(
      'CONFLICT',
    );
    const elsewhere = await write(createQuery, { ...variables, entity: 'company', data: { name: 'once' } });
    expect(elsewhere.entity).toBe('company');
  });
});
