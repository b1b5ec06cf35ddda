/** How many records of an entity may be created in an hour. */
import type { GraphQLFormattedError } from 'graphql';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from './fixture.ts';

let fixture: EntitiesFixture;
let tenant: EntitiesTenant;

beforeAll(async () => {
  fixture = await createEntitiesFixture();
});
afterAll(() => fixture[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
  await define(tenant);
});

async function define(of: EntitiesTenant): Promise<void> {
  await of.createEntity({
    name: 'release',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true },
      { name: 'size', type: 'INTEGER', validation: { max: 10 } },
    ],
    limits: { createsPerHour: 5 },
  });
}

const create = `mutation ($inputs: [CreateReleaseInput!]!) { createReleases(inputs: $inputs) { id } }`;
const many = (count: number): Record<string, unknown> => ({
  inputs: Array.from({ length: count }, () => ({})),
});
const countOf = async (of = tenant): Promise<number> =>
  (await of.query(`{ releases { totalCount } }`)).releases.totalCount;
async function limitedBy(
  query: string,
  variables?: Record<string, unknown>,
): Promise<GraphQLFormattedError['extensions']> {
  const { errors } = await tenant.send(query, variables);
  return errors?.[0]?.extensions;
}
/** As if the hour had begun so long ago. */
const shift = (interval: string): Promise<unknown> =>
  fixture.superuser.query(
    `update entity_creations set period_start = period_start - $2::interval where tenant_id = $1`,
    [tenant.id, interval],
  );

describe('a limit', () => {
  it('refuses what is beyond it, and says what is left until when', async () => {
    const before = Date.now();
    await tenant.query(create, many(3));
    const limited = await limitedBy(create, many(3));
    expect(limited).toMatchObject({ code: 'RATE_LIMITED', entity: 'release', limit: 5, remaining: 2 });
    const resetAt = new Date(limited?.['resetAt'] as string).getTime();
    expect(resetAt).toBeGreaterThan(before + 3_500_000);
    expect(resetAt).toBeLessThanOrEqual(Date.now() + 3_600_000);
    await tenant.query(create, many(2));
    expect(await limitedBy(`mutation { createRelease(input: {}) { id } }`)).toMatchObject({ remaining: 0 });
    expect(await countOf()).toBe(5);
  });

  it('begins anew an hour after the first record', async () => {
    await tenant.query(create, many(5));
    await shift('59 minutes');
    expect(await limitedBy(create, many(1))).toMatchObject({ code: 'RATE_LIMITED', remaining: 0 });
    await shift('1 minute');
    await tenant.query(create, many(4));
    expect(await limitedBy(create, many(2))).toMatchObject({ remaining: 1 });
  });

  it('counts what stands in the end: nothing of a write that was refused', async () => {
    await tenant.query(create, { inputs: [{ name: 'a' }, { name: 'b' }] });
    expect(await limitedBy(create, { inputs: [{ name: 'c' }, { name: 'a' }] })).toMatchObject({
      code: 'CONFLICT',
    });
    expect(await limitedBy(create, { inputs: [{ size: 11 }] })).toMatchObject({ code: 'BAD_USER_INPUT' });
    // Neither do updates count, nor what was deleted and came back.
    const { releases } = await tenant.query(`{ releases(first: 1) { nodes { id } } }`);
    const [{ id }] = releases.nodes;
    await tenant.query(`mutation ($id: ID!) { deleteRelease(id: $id) { id } }`, { id });
    await tenant.query(`mutation ($id: ID!) { restoreRelease(id: $id) { id } }`, { id });
    await tenant.query(`mutation ($id: ID!) { updateRelease(id: $id, input: { size: 1 }) { id } }`, { id });
    await tenant.query(create, many(3));
    expect(await limitedBy(create, many(1))).toMatchObject({ code: 'RATE_LIMITED' });
  });

  it('holds for upserts that create, nested writes and untyped ones', async () => {
    const upsert = `mutation ($inputs: [CreateReleaseInput!]!) { upsertReleases(on: NAME, inputs: $inputs) { id } }`;
    const inputs = ['a', 'b', 'c'].map((name) => ({ name }));
    await tenant.query(upsert, { inputs });
    await tenant.query(upsert, { inputs });
    expect(
      await limitedBy(upsert, { inputs: [...inputs, ...['d', 'e', 'f'].map((name) => ({ name }))] }),
    ).toMatchObject({
      code: 'RATE_LIMITED',
      remaining: 2,
    });
    await tenant.createEntity({
      name: 'product',
      fields: [
        { name: 'title', type: 'TEXT' },
        { name: 'release', type: 'RELATION', targetEntity: 'release' },
      ],
    });
    const nested = `mutation { createProducts(inputs: [{ release: { create: {} } }, { release: { create: {} } }, { release: { create: {} } }]) { id } }`;
    expect(await limitedBy(nested)).toMatchObject({ code: 'RATE_LIMITED', entity: 'release', remaining: 2 });
    expect((await tenant.query(`{ products { totalCount } }`)).products.totalCount).toBe(0);
    await tenant.query(`mutation { createRecord(entity: "release", data: {}) { id } }`);
    await tenant.query(`mutation { createProduct(input: { release: { create: {} } }) { id } }`);
    expect(await limitedBy(`mutation { createRecord(entity: "release", data: {}) { id } }`)).toMatchObject({
      code: 'RATE_LIMITED',
    });
  });

  it('lets as many of many writers at once through as it says, on every process', async () => {
    const second = fixture.tenantOf(fixture.createService(), tenant.claims);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        (index % 2 === 0 ? tenant : second).send(`mutation { createRelease(input: {}) { id } }`),
      ),
    );
    const codes = answers.flatMap(({ errors }) => errors?.map(({ extensions }) => extensions['code']) ?? []);
    expect(codes).toEqual(Array.from({ length: 7 }, () => 'RATE_LIMITED'));
    expect(await countOf()).toBe(5);
  });

  it('is one tenant’s, and nobody’s to change who may not define', async () => {
    await tenant.query(create, many(5));
    const other = await fixture.addTenant();
    await define(other);
    await other.query(create, many(5));
    const user = tenant.as({ role: 'USER' });
    const lift = `mutation { updateEntity(name: "release", input: { limits: null }) { limits { createsPerHour } } }`;
    expect(await user.refusal(lift)).toMatchObject({ code: 'FORBIDDEN' });
    expect(await tenant.as({ role: 'VIEWER' }).refusal(create, many(1))).toMatchObject({ code: 'FORBIDDEN' });
    expect((await tenant.query(lift)).updateEntity).toEqual({ limits: null });
    await tenant.query(create, many(50));
  });
});

it('is part of the definition: shown, changed, carried by documents and templates', async () => {
  const limits = `{ entityDefinition(name: "release") { limits { createsPerHour } } }`;
  expect((await tenant.query(limits)).entityDefinition).toEqual({ limits: { createsPerHour: 5 } });
  const change = `mutation ($limits: EntityLimitsInput) { updateEntity(name: "release", input: { limits: $limits }) { limits { createsPerHour } } }`;
  expect(await tenant.refusal(change, { limits: { createsPerHour: -1 } })).toMatchObject({
    fields: [{ field: 'limits.createsPerHour', rule: 'range' }],
  });
  expect((await tenant.query(change, { limits: { createsPerHour: 0 } })).updateEntity.limits).toEqual({
    createsPerHour: 0,
  });
  expect(await limitedBy(create, many(1))).toMatchObject({ code: 'RATE_LIMITED', limit: 0, remaining: 0 });

  const { exportDefinitions: definitions } = await tenant.query(`{ exportDefinitions }`);
  const other = await fixture.addTenant();
  await other.query(
    `mutation ($definitions: JSON!) { applyDefinitions(definitions: $definitions) { losesData } }`,
    {
      definitions,
    },
  );
  expect((await other.query(limits)).entityDefinition).toEqual({ limits: { createsPerHour: 0 } });
  const { applyTemplate } = await other.query(
    `mutation { applyTemplate(name: "delivery") { name limits { createsPerHour } } }`,
  );
  expect(applyTemplate).toEqual([
    { name: 'deployment', limits: { createsPerHour: 100 } },
    { name: 'workflow', limits: { createsPerHour: 50 } },
  ]);
});
