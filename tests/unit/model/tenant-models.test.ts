import { describe, expect, it } from 'vitest';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { createTenantModels } from '#subgraphs/model/tenant-models.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { anonymousClaims } from '#schema/claims.ts';
import { testModel } from './fields.ts';

const claims = testClaims('00000000-0000-7000-8000-000000000001');

function setUp() {
  const state = { version: 1, loads: 0, gate: Promise.resolve() };
  const models = createTenantModels({
    async load(): Promise<TenantModel> {
      state.loads += 1;
      const { version } = state;
      await state.gate;
      return testModel({ a: [] }, version);
    },
  });
  return { state, models };
}

describe('the models in memory', () => {
  it('load once for many, and again only when told or behind', async () => {
    const { state, models } = setUp();
    const many = await Promise.all(Array.from({ length: 5 }, () => models.get(claims, null)));
    expect(new Set(many).size).toBe(1);
    expect(state.loads).toBe(1);
    state.version = 2;
    expect((await models.get(claims, 1)).version).toBe(1);
    expect((await models.get(claims, 2)).version).toBe(2);
    models.invalidate(claims.tenantId);
    const same = await models.get(claims, null);
    expect(state.loads).toBe(3);
    expect(await models.get(claims, null)).toBe(same);
    // A version that does not exist yet: the newest, and no endless loop.
    expect((await models.get(claims, 9)).version).toBe(2);
  });

  it('load again where the load under way began too early', async () => {
    const { state, models } = setUp();
    let open = (): void => undefined;
    state.gate = new Promise((resolve) => (open = resolve));
    const early = models.get(claims, null);
    state.version = 2;
    const late = models.get(claims, 2);
    open();
    expect((await early).version).toBe(1);
    expect((await late).version).toBe(2);
  });

  it('keep the last four versions, and fall back to the newest', async () => {
    const { state, models } = setUp();
    const kept: TenantModel[] = [];
    for (let version = 1; version <= 5; version++) {
      state.version = version;
      kept.push(await models.get(claims, version));
    }
    expect(await models.getExact(claims, 2)).toBe(kept[1]);
    expect((await models.getExact(claims, 1)).version).toBe(5);
  });

  it('want a tenant, and pass on a failed load without keeping it', async () => {
    const { state, models } = setUp();
    await expect(models.get(anonymousClaims, null)).rejects.toMatchObject({ code: 'TENANT_REQUIRED' });
    state.gate = Promise.reject(new Error('no database'));
    await expect(models.get(claims, null)).rejects.toThrow('no database');
    state.gate = Promise.resolve();
    expect((await models.get(claims, null)).version).toBe(1);
  });
});
