/** Mutations that are sent again with the same key: done once, answered as the first time. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventStore } from '#subgraphs/realtime/store/event-log.ts';
import {
  type Anything,
  createEntitiesFixture,
  type EntitiesFixture,
  type EntitiesTenant,
} from './fixture.ts';

const definition = {
  name: 'order',
  fields: [
    { name: 'code', type: 'TEXT', isUnique: true },
    { name: 'total', type: 'INTEGER' },
    { name: 'due', type: 'DATETIME' },
  ],
};
let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
  tenant = await fixture.addTenant();
  await tenant.createEntity(definition);
});
afterAll(() => fixture[Symbol.asyncDispose]());

const members = 'id code total due version createdAt updatedAt deletedAt createdBy { id }';
const create = `mutation ($input: CreateOrderInput!, $key: String) { answer: createOrder(input: $input, idempotencyKey: $key) { ${members} } }`;
const newKey = () => `key ${randomUUID()}`;
const lastSeq = async (of = tenant): Promise<number> =>
  (await fixture.superuser.query('select seq::int from tenant_heads where tenant_id = $1', [of.id])).rows[0]
    .seq;

async function createOrder(code = randomUUID() as string): Promise<Anything> {
  return (await tenant.query(create, { input: { code } })).answer;
}

describe('the same mutation with the same key', () => {
  it('creates one record, and answers what was first, whatever happened to it since', async () => {
    const variables = { input: { code: 'a', total: 1, due: '2026-11-21T01:00:00Z' }, key: newKey() };
    const { answer } = await tenant.query(create, variables);
    await tenant.query('mutation ($id: ID!) { updateOrder(id: $id, input: { total: 9 }) { id } }', {
      id: answer.id,
    });
    const seq = await lastSeq();
    expect((await tenant.query(create, variables)).answer).toEqual(answer);
    // Literals instead of variables, and another order of members, are the same request.
    const { again } = await tenant.query(
      `mutation { again: createOrder(idempotencyKey: "${variables.key}", input: { due: "2026-11-21T01:00:00Z", total: 1, code: "a" }) { ${members} } }`,
    );
    expect(again).toEqual(answer);
    expect(await lastSeq()).toBe(seq);
  });

  it.each([
    [
      'updateOrder',
      '($id: ID!, $key: String)',
      '(id: $id, input: { total: 5 }, expectedVersion: 1, idempotencyKey: $key)',
    ],
    ['deleteOrder', '($id: ID!, $key: String)', '(id: $id, expectedVersion: 1, idempotencyKey: $key)'],
    [
      'updateOrders',
      '($id: ID!, $key: String)',
      '(inputs: [{ id: $id, input: { total: 5 }, expectedVersion: 1 }], idempotencyKey: $key)',
    ],
    ['deleteOrders', '($id: ID!, $key: String)', '(ids: [$id], idempotencyKey: $key)'],
    [
      'upsertOrder',
      '($code: String!, $key: String)',
      '(on: CODE, input: { code: $code, total: 7 }, idempotencyKey: $key)',
    ],
    [
      'upsertOrders',
      '($code: String!, $key: String)',
      '(on: CODE, inputs: [{ code: $code, total: 7 }, { code: "another" }], idempotencyKey: $key)',
    ],
    [
      'createOrders',
      '($code: String!, $key: String)',
      '(inputs: [{ code: "x" }, { total: 3 }], idempotencyKey: $key)',
    ],
  ])('changes once: %s', async (name, parameters, args) => {
    const { id, code } = await createOrder();
    const key = newKey();
    const used = parameters.includes('$id') ? { id, key } : { code, key };
    const unused =
      parameters.includes('$code') && !args.includes('$code')
        ? parameters.replace('$code: String!, ', '')
        : parameters;
    const query = `mutation ${unused} { ${name}${args} { ${members} } }`;
    const first = await tenant.query(query, used);
    const seq = await lastSeq();
    // Without the key, most of these would fail now: the version is another, the record deleted, the value taken.
    expect(await tenant.query(query, used)).toEqual(first);
    expect(await lastSeq()).toBe(seq);
  });

  it('brings back once, also in a batch', async () => {
    for (const [name, args] of [
      ['restoreOrder', 'id: $id'],
      ['restoreOrders', 'ids: [$id]'],
    ]) {
      const { id } = await createOrder();
      const remove = () => tenant.query('mutation ($id: ID!) { deleteOrder(id: $id) { id } }', { id });
      await remove();
      const query = `mutation ($id: ID!, $key: String) { ${name}(${args}, idempotencyKey: $key) { ${members} } }`;
      const variables = { id, key: newKey() };
      const first = await tenant.query(query, variables);
      await remove();
      expect(await tenant.query(query, variables)).toEqual(first);
      expect((await tenant.query('query ($id: ID!) { order(id: $id) { id } }', { id })).order).toBeNull();
    }
  });

  it('is done once by many at the same time', async () => {
    const variables = { input: { total: 42 }, key: newKey() };
    const answers = await Promise.all(Array.from({ length: 12 }, () => tenant.query(create, variables)));
    for (const { answer } of answers) expect(answer).toEqual(answers[0]?.answer);
    const { orders } = await tenant.query('{ orders(filter: { total: { eq: 42 } }) { totalCount } }');
    expect(orders.totalCount).toBe(1);
  });

  it('is tried again where it failed: a failure is no answer', async () => {
    const { code, id } = await createOrder();
    const variables = { input: { code }, key: newKey() };
    expect((await tenant.refusal(create, variables)).code).toBe('CONFLICT');
    await tenant.query('mutation ($id: ID!) { deleteOrder(id: $id) { id } }', { id });
    expect((await tenant.query(create, variables)).answer).toMatchObject({ code, version: 1 });
  });
});

describe('a key', () => {
  it('with another request is a CONFLICT, and changes nothing', async () => {
    const key = newKey();
    await tenant.query(create, { input: { total: 1 }, key });
    const seq = await lastSeq();
    for (const input of [{ total: 2 }, { total: 1, code: 'other' }, {}]) {
      const refusal = await tenant.refusal(create, { input, key });
      expect(refusal).toMatchObject({
        code: 'CONFLICT',
        fields: [{ field: 'idempotencyKey', rule: 'reused' }],
      });
      expect(JSON.stringify(refusal)).not.toContain('total');
    }
    expect(await lastSeq()).toBe(seq);
  });

  it('is the own of its operation, actor and tenant: nobody gets the answer of another', async () => {
    const variables = { input: { total: 77 }, key: newKey() };
    const { answer } = await tenant.query(create, variables);
    const colleague = tenant.as({ actorId: randomUUID() });
    expect((await colleague.query(create, variables)).answer.id).not.toBe(answer.id);
    const apiKey = tenant.as({ actorKind: 'SERVICE' });
    expect((await apiKey.query(create, variables)).answer.id).not.toBe(answer.id);
    const other = await fixture.addTenant();
    await other.createEntity(definition);
    const stranger = fixture.tenantOf(fixture.service, { ...tenant.claims, tenantId: other.id });
    expect((await stranger.query(create, variables)).answer.id).not.toBe(answer.id);
    const { createOrders } = await tenant.query(
      'mutation ($key: String) { createOrders(inputs: [{ total: 77 }], idempotencyKey: $key) { id } }',
      { key: variables.key },
    );
    expect(createOrders[0].id).not.toBe(answer.id);
    const viewer = tenant.as({ role: 'VIEWER' });
    expect((await viewer.refusal(create, variables)).code).toBe('FORBIDDEN');
  });

  it.each(['', 'x'.repeat(201), 'a\0b', '\ud800'])('is refused where it is none: %j', async (key) => {
    const refusal = await tenant.refusal(create, { input: {}, key });
    expect(refusal).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field: 'idempotencyKey' }] });
  });

  it.each(["'; drop table records; --", 'ключ 🔑', 'x'.repeat(200)])('may be any text: %s', async (key) => {
    const { answer } = await tenant.query(create, { input: {}, key });
    expect((await tenant.query(create, { input: {}, key })).answer).toEqual(answer);
  });

  it('is free again after 24 hours, whether or not it was removed by then', async () => {
    const variables = { input: { total: 88 }, key: newKey() };
    const age = (hours: number) =>
      fixture.superuser.query(
        'update idempotency_keys set created_at = now() - make_interval(hours => $1) where key = $2',
        [hours, variables.key],
      );
    const kept = async () =>
      (await fixture.superuser.query('select from idempotency_keys where key = $1', [variables.key]))
        .rowCount;
    const { answer } = await tenant.query(create, variables);
    await age(23);
    const log = createEventStore(fixture.database);
    await log.trim(new Date(0), 10);
    expect((await tenant.query(create, variables)).answer).toEqual(answer);
    await age(25);
    const { answer: later } = await tenant.query(create, variables);
    expect(later.id).not.toBe(answer.id);
    expect((await tenant.query(create, variables)).answer).toEqual(later);
    await age(25);
    await log.trim(new Date(0), 10);
    expect(await kept()).toBe(0);
  });
});
