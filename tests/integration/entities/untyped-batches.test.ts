/** Batches of the untyped twin: what the typed ones do, for any entity. */
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
  await tenant.createEntity(part);
});

const part = {
  name: 'part',
  fields: [
    { name: 'code', type: 'TEXT', isUnique: true },
    { name: 'size', type: 'INTEGER', validation: { max: 10 } },
  ],
};
const shown = '{ id entity version data deletedAt }';
const queries = {
  create: `mutation ($inputs: [JSON!]!, $key: String) { answer: createRecords(entity: "part", inputs: $inputs, idempotencyKey: $key) ${shown} }`,
  update: `mutation ($inputs: [UpdateRecordsInput!]!) { answer: updateRecords(entity: "part", inputs: $inputs) ${shown} }`,
  upsert: `mutation ($inputs: [JSON!]!, $on: String = "code") { answer: upsertRecords(entity: "part", on: $on, inputs: $inputs) ${shown} }`,
  delete: `mutation ($ids: [ID!]!) { answer: deleteRecords(entity: "part", ids: $ids) ${shown} }`,
  restore: `mutation ($ids: [ID!]!) { answer: restoreRecords(entity: "part", ids: $ids) ${shown} }`,
};
const write = async (kind: keyof typeof queries, variables: Record<string, unknown>): Promise<Anything[]> =>
  (await tenant.query(queries[kind], variables)).answer;

describe('a batch', () => {
  it('creates, changes, upserts, deletes and restores', async () => {
    const [a, b] = await write('create', { inputs: [{ code: 'a' }, { code: 'b', size: 2 }] });
    expect([a, b]).toMatchObject([
      { entity: 'part', version: 1, data: { code: 'a' } },
      { data: { code: 'b', size: 2 } },
    ]);
    const updated = await write('update', {
      inputs: [
        { id: b.id, data: { size: null } },
        { id: a.id, data: { size: 3 }, expectedVersion: 1 },
      ],
    });
    expect(updated).toMatchObject([
      { id: b.id, version: 2 },
      { id: a.id, data: { code: 'a', size: 3 } },
    ]);
    const upserted = await write('upsert', { inputs: [{ code: 'a', size: 4 }, { code: 'c' }] });
    expect(upserted).toMatchObject([
      { id: a.id, version: 3 },
      { version: 1, data: { code: 'c' } },
    ]);
    const gone = await write('delete', { ids: [a.id, b.id] });
    expect(gone.every(({ deletedAt }) => deletedAt !== null)).toBe(true);
    expect(await write('restore', { ids: [b.id, a.id] })).toMatchObject([
      { id: b.id, deletedAt: null },
      { id: a.id, deletedAt: null },
    ]);
  });

  it('is all or nothing, and says where it is wrong', async () => {
    const inputs = [{ code: 'a' }, { code: 'b', size: 11 }, { nothing: 1 }];
    expect((await tenant.refusal(queries.create, { inputs })).fields).toMatchObject([
      { field: 'inputs.1.size', rule: 'max' },
      { field: 'inputs.2.nothing', rule: 'unknown' },
    ]);
    expect((await tenant.refusal(queries.create, { inputs: [{ code: 'a' }, 'b'] })).fields).toMatchObject([
      { field: 'inputs.1', rule: 'type' },
    ]);
    const [a] = await write('create', { inputs: [{ code: 'a' }] });
    const wrong = { inputs: [{ id: a.id, data: [] }] };
    expect((await tenant.refusal(queries.update, wrong)).fields).toMatchObject([
      { field: 'inputs.0.data', rule: 'type' },
    ]);
    expect(await tenant.refusal(queries.upsert, { inputs: [{ size: 1 }], on: 'size' })).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'on' }],
    });
    const { records } = await tenant.query(`{ records(entity: "part") { totalCount } }`);
    expect(records.totalCount).toBe(1);
  });

  it('is done once for each key', async () => {
    const inputs = [{ size: 1 }, { size: 2 }];
    const first = await write('create', { inputs, key: 'k' });
    expect(await write('create', { inputs, key: 'k' })).toEqual(first);
  });

  it('reaches nobody else’s records, and is refused who may not write', async () => {
    const [mine] = await write('create', { inputs: [{ code: 'a' }] });
    const other = await fixture.addTenant();
    await other.createEntity(part);
    for (const kind of ['delete', 'restore'] as const)
      expect(await other.refusal(queries[kind], { ids: [mine.id] })).toMatchObject({ code: 'NOT_FOUND' });
    const update = { inputs: [{ id: mine.id, data: { size: 1 } }] };
    expect(await other.refusal(queries.update, update)).toMatchObject({ code: 'NOT_FOUND' });
    const viewer = tenant.as({ role: 'VIEWER' });
    for (const kind of ['create', 'upsert'] as const)
      expect(await viewer.refusal(queries[kind], { inputs: [{ code: 'x' }] })).toMatchObject({
        code: 'FORBIDDEN',
      });
    expect(await viewer.refusal(queries.update, update)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await viewer.refusal(queries.delete, { ids: [mine.id] })).toMatchObject({ code: 'FORBIDDEN' });
  });

  it('shows and writes no field that the role may not', async () => {
    await tenant.query(
      `mutation { setPermissions(entity: "part", permissions: [{ role: USER, readableFields: ["size"], writableFields: ["size"] }]) { id } }`,
    );
    const user = tenant.as({ role: 'USER' });
    const { answer } = await user.query(queries.create, { inputs: [{ size: 1 }] });
    expect(answer[0].data).toEqual({ size: 1 });
    expect(await user.refusal(queries.create, { inputs: [{ size: 1 }, { code: 'b' }] })).toMatchObject({
      code: 'FORBIDDEN',
      fields: [{ rule: 'permission' }],
    });
    expect(await user.refusal(queries.upsert, { inputs: [{ code: 'b' }] })).toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});
