/** What administrators do, its limits, and its races. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type Anything,
  createSubject,
  operator,
  password,
  type Registered,
  type Subject,
} from './subject.ts';

let subject: Subject;
let tenant: Registered;

beforeAll(async () => {
  subject = await createSubject();
  tenant = await subject.register();
});
afterAll(() => subject?.[Symbol.asyncDispose]());

const createUser =
  'mutation ($input: CreateUserInput!) { createUser(input: $input) { id email name role createdAt } }';
const updateUser =
  'mutation ($id: ID!, $input: UpdateUserInput!) { updateUser(id: $id, input: $input) { id email name role } }';
const deleteUser = 'mutation ($id: ID!) { deleteUser(id: $id) }';
const createApiKey =
  'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id name role } key } }';
const updateTenant =
  'mutation ($input: UpdateTenantInput!) { updateTenant(input: $input) { name contactEmail settings maxUsers } }';
const changePlan = 'mutation ($plan: PlanCode!) { changePlan(plan: $plan) { plan maxUsers } }';

function draft(input: Record<string, unknown> = {}): { input: Record<string, unknown> } {
  return { input: { email: `${crypto.randomUUID()}@x.example`, password, ...input } };
}

async function authVersionOf(tenantId: string): Promise<number> {
  const { tenants } = await subject.identity.getVersions(null);
  return tenants.find((version) => version.tenantId === tenantId)?.authVersion ?? -1;
}

describe('users', () => {
  it('are created, read, changed and removed', async () => {
    const made = (await subject.query(tenant.admin, createUser, draft({ name: 'Grace', role: 'DEVELOPER' })))
      .createUser;
    expect(made).toMatchObject({ name: 'Grace', role: 'DEVELOPER' });
    const read = 'query ($id: ID!) { user(id: $id) { id name role } }';
    expect((await subject.query(tenant.admin, read, { id: made.id })).user.name).toBe('Grace');
    const changed = await subject.query(tenant.admin, updateUser, {
      id: made.id,
      input: { name: null, role: 'VIEWER' },
    });
    expect(changed.updateUser).toMatchObject({ name: null, role: 'VIEWER', email: made.email });
    expect((await subject.query(tenant.admin, deleteUser, { id: made.id })).deleteUser).toBe(true);
    expect((await subject.query(tenant.admin, read, { id: made.id })).user).toBeNull();
    expect(await subject.codeOf(tenant.admin, deleteUser, { id: made.id })).toBe('NOT_FOUND');
    expect(await subject.codeOf(tenant.admin, updateUser, { id: made.id, input: { name: 'x' } })).toBe(
      'NOT_FOUND',
    );
    // The address is free again.
    expect(
      (await subject.query(tenant.admin, createUser, draft({ email: made.email }))).createUser.role,
    ).toBe('USER');
  });

  it('have an e-mail of their own in a tenant, whatever its case', async () => {
    const email = `${crypto.randomUUID()}@x.example`;
    await subject.query(tenant.admin, createUser, draft({ email }));
    const { errors } = (await subject.send(
      tenant.admin,
      createUser,
      draft({ email: email.toUpperCase() }),
    )) as Anything;
    expect(errors[0].extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'email', rule: 'unique' }],
    });
    const user = (await subject.query(tenant.admin, createUser, draft())).createUser;
    expect(await subject.codeOf(tenant.admin, updateUser, { id: user.id, input: { email } })).toBe(
      'CONFLICT',
    );
    const other = await subject.register();
    expect((await subject.query(other.admin, createUser, draft({ email }))).createUser.email).toBe(email);
  });

  it.each([
    [{ email: 'x' }, 'email'],
    [{ email: `${'x'.repeat(250)}@x.de` }, 'email'],
    [{ password: '1234567' }, 'password'],
    [{ name: 'a\nb' }, 'name'],
    [{ role: 'SERVICE' }, 'role'],
  ])('are refused with %j by field', async (input, field) => {
    const { errors } = (await subject.send(tenant.admin, createUser, draft(input))) as Anything;
    expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field }] });
  });

  it('cannot have a required value emptied', async () => {
    const { id } = await subject.addUser(tenant, 'USER');
    for (const input of [
      { email: null },
      { password: null },
      { role: null },
      { email: '' },
      { password: '' },
    ]) {
      expect(await subject.codeOf(tenant.admin, updateUser, { id, input }), JSON.stringify(input)).toBe(
        'BAD_USER_INPUT',
      );
    }
  });

  it('take seats: the last one goes to one of many who ask at once', async () => {
    const small = await subject.register({ plan: 'FREE' });
    for (let seat = 2; seat <= 4; seat += 1) await subject.query(small.admin, createUser, draft());
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => subject.send(small.admin, createUser, draft())),
    );
    const codes = answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'created');
    expect(codes.filter((code) => code === 'created')).toHaveLength(1);
    expect(codes.filter((code) => code === 'QUOTA_EXCEEDED')).toHaveLength(5);
    const { users } = await subject.query(small.admin, '{ users { totalCount } }');
    expect(users.totalCount).toBe(5);
  });

  it('always include an administrator, also when two remove each other at once', async () => {
    const pair = await subject.register();
    const second = await subject.addUser(pair, 'ADMIN');
    const answers = await Promise.all([
      subject.send(pair.admin, deleteUser, { id: second.id }),
      subject.send(second.claims, updateUser, { id: pair.adminId, input: { role: 'VIEWER' } }),
    ]);
    const codes = answers.map((answer) => answer.errors?.[0]?.extensions.code ?? 'done');
    expect(new Set(codes)).toEqual(new Set(['CONFLICT', 'done']));
    const alone = await subject.register();
    expect(await subject.codeOf(alone.admin, deleteUser, { id: alone.adminId })).toBe('CONFLICT');
    expect(
      await subject.codeOf(alone.admin, updateUser, { id: alone.adminId, input: { role: 'USER' } }),
    ).toBe('CONFLICT');
  });

  it('are paged by cursors, and counted only as a whole', async () => {
    const paged = await subject.register();
    const ids = [paged.adminId];
    for (let index = 0; index < 4; index += 1)
      ids.push((await subject.query(paged.admin, createUser, draft())).createUser.id);
    const query = `query ($first: Int, $after: String) { users(first: $first, after: $after) {
      edges { cursor node { id } } nodes { id } totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const { users }: Anything = await subject.query(paged.admin, query, { first: 2, after });
      expect(users.totalCount).toBe(5);
      expect(users.pageInfo.hasPreviousPage).toBe(after !== null);
      expect(users.pageInfo.endCursor).toBe(users.edges.at(-1).cursor);
      seen.push(...users.nodes.map((node: Anything) => node.id));
      after = users.pageInfo.hasNextPage ? users.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(ids);
    for (const bad of [
      { first: 0 },
      { first: 1001 },
      { first: -1 },
      { after: 'nope' },
      { after: Buffer.from('id:x').toString('base64url') },
    ]) {
      expect(await subject.codeOf(paged.admin, query, bad), JSON.stringify(bad)).toBe('BAD_USER_INPUT');
    }
  });
});

describe('API keys', () => {
  it('are listed without their secret and never again once revoked', async () => {
    const { createApiKey: made } = await subject.query(tenant.admin, createApiKey, { input: { name: 'ci' } });
    expect(made.apiKey).toMatchObject({ name: 'ci', role: 'SERVICE' });
    const list = '{ apiKeys { id name role prefix createdBy { id } createdAt expiresAt } }';
    const { apiKeys } = await subject.query(tenant.admin, list);
    expect(JSON.stringify(apiKeys)).not.toContain(made.key);
    expect(apiKeys.find((key: Anything) => key.id === made.apiKey.id)).toMatchObject({
      createdBy: { id: tenant.adminId },
    });
    const revoke = 'mutation ($id: ID!) { revokeApiKey(id: $id) }';
    expect((await subject.query(tenant.admin, revoke, { id: made.apiKey.id })).revokeApiKey).toBe(true);
    expect(await subject.codeOf(tenant.admin, revoke, { id: made.apiKey.id })).toBe('NOT_FOUND');
    const after = await subject.query(tenant.admin, list);
    expect(after.apiKeys.map((key: Anything) => key.id)).not.toContain(made.apiKey.id);
  });

  it('cannot expire before they begin, nor be more than a tenant may have', async () => {
    const past = { name: 'past', expiresAt: '2020-01-01T00:00:00Z' };
    expect(await subject.codeOf(tenant.admin, createApiKey, { input: past })).toBe('BAD_USER_INPUT');
    const full = await subject.register();
    await Promise.all(
      Array.from({ length: 99 }, (_, index) =>
        subject.query(full.admin, createApiKey, { input: { name: `key ${index}` } }),
      ),
    );
    expect(await subject.codeOf(full.admin, createApiKey, { input: { name: 'one more' } })).toBe(
      'QUOTA_EXCEEDED',
    );
  });
});

describe('the tenant', () => {
  it('is changed by what is given and nothing else', async () => {
    const settings = { theme: 'dark', nested: { list: [1, 'ü', null] } };
    const { updateTenant: changed } = await subject.query(tenant.admin, updateTenant, {
      input: { name: 'Renamed', settings },
    });
    expect(changed).toEqual({ name: 'Renamed', contactEmail: tenant.adminEmail, settings, maxUsers: null });
    const emptied = await subject.query(tenant.admin, updateTenant, {
      input: { contactEmail: null, maxUsers: 500 },
    });
    expect(emptied.updateTenant).toEqual({ name: 'Renamed', contactEmail: null, settings, maxUsers: 500 });
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ name: null }, 'name'],
    [{ contactEmail: 'x' }, 'contactEmail'],
    [{ settings: [1] }, 'settings'],
    [{ settings: null }, 'settings'],
    [{ settings: { __registration: 'pending' } }, 'settings'],
    [{ settings: { text: 'a\u0000b' } }, 'settings'],
    [{ settings: { text: '\ud800' } }, 'settings'],
    [{ settings: { long: 'x'.repeat(70_000) } }, 'settings'],
    [{ maxUsers: 0 }, 'maxUsers'],
  ])('refuses %j by field', async (input, field) => {
    const { errors } = (await subject.send(tenant.admin, updateTenant, { input })) as Anything;
    expect(errors[0].extensions).toMatchObject({ code: 'BAD_USER_INPUT', fields: [{ field }] });
  });

  it('changes its plan where its users fit', async () => {
    const grown = await subject.register({ plan: 'PROFESSIONAL' });
    for (let index = 0; index < 5; index += 1) await subject.query(grown.admin, createUser, draft());
    expect(await subject.codeOf(grown.admin, changePlan, { plan: 'FREE' })).toBe('QUOTA_EXCEEDED');
    expect((await subject.query(grown.admin, changePlan, { plan: 'ENTERPRISE' })).changePlan).toEqual({
      plan: 'ENTERPRISE',
      maxUsers: null,
    });
    expect(await subject.codeOf(grown.admin, updateTenant, { input: { maxUsers: 5 } })).toBe(
      'QUOTA_EXCEEDED',
    );
    expect(
      (await subject.query(grown.admin, updateTenant, { input: { maxUsers: 6 } })).updateTenant.maxUsers,
    ).toBe(6);
  });

  it('tells its frontends what they need', async () => {
    const query = `{ me { email role } config { tenant { name slug } plan { code maxUsers } features endpoints { graphql subscriptions graphiql schema } } plans { code maxUsers apiCallsPerMonth } }`;
    const answer = await subject.query((await subject.addUser(tenant, 'VIEWER')).claims, query);
    expect(answer.me.role).toBe('VIEWER');
    expect(answer.config).toMatchObject({
      tenant: { slug: tenant.slug },
      plan: { code: 'ENTERPRISE', maxUsers: null },
      endpoints: {
        graphql: '/graphql',
        subscriptions: '/graphql',
        graphiql: '/graphiql',
        schema: '/schema.graphql',
      },
    });
    expect(answer.plans).toEqual([
      { code: 'FREE', maxUsers: 5, apiCallsPerMonth: 1_000 },
      { code: 'PROFESSIONAL', maxUsers: 50, apiCallsPerMonth: 100_000 },
      { code: 'ENTERPRISE', maxUsers: null, apiCallsPerMonth: null },
    ]);
  });
});

describe('the operator', () => {
  it('lists, finds and suspends tenants', async () => {
    const staff = await subject.signIn(operator);
    const found = await subject.register({ name: 'Needle_100% in a haystack' });
    const list = `query ($first: Int, $after: String, $search: String, $status: TenantStatus) {
      tenants(first: $first, after: $after, search: $search, status: $status) { nodes { id status } totalCount pageInfo { hasNextPage endCursor } } }`;
    const { tenants } = await subject.query(staff, list, { search: 'nEEDLE_100%' });
    expect(tenants).toMatchObject({ nodes: [{ id: found.id, status: 'ACTIVE' }], totalCount: 1 });
    expect((await subject.query(staff, list, { search: '%' })).tenants.totalCount).toBe(1);
    expect((await subject.query(staff, list, { search: '\u0000' })).tenants.totalCount).toBe(0);
    const setStatus =
      'mutation ($id: ID!, $status: TenantStatus!) { setTenantStatus(id: $id, status: $status) { status } }';
    const before = await authVersionOf(found.id);
    subject.hints.length = 0;
    await subject.query(staff, setStatus, { id: found.id, status: 'SUSPENDED' });
    expect(await authVersionOf(found.id)).toBe(before + 1);
    expect(subject.hints).toEqual([found.id]);
    const suspended = await subject.query(staff, list, { status: 'SUSPENDED' });
    expect(suspended.tenants.nodes).toEqual([{ id: found.id, status: 'SUSPENDED' }]);
    for (const id of ['nope', crypto.randomUUID()]) {
      expect(await subject.codeOf(staff, setStatus, { id, status: 'ACTIVE' })).toBe('NOT_FOUND');
    }
    const first = await subject.query(staff, list, { first: 1 });
    const second = await subject.query(staff, list, { first: 1, after: first.tenants.pageInfo.endCursor });
    expect(second.tenants.nodes[0].id).not.toBe(first.tenants.nodes[0].id);
  });

  it('acts in a tenant only after choosing it', async () => {
    const staff = await subject.signIn(operator);
    for (const query of [
      '{ tenant { id } }',
      '{ users { nodes { id } } }',
      '{ apiKeys { id } }',
      '{ config { features } }',
    ]) {
      expect(await subject.codeOf(staff, query), query).toBe('TENANT_REQUIRED');
    }
    expect(await subject.codeOf(staff, createUser, draft())).toBe('TENANT_REQUIRED');
    expect((await subject.query(staff, '{ me { email role } }')).me).toEqual({
      email: operator.email,
      role: 'OPERATOR',
    });
    const chosen = { ...staff, tenantId: tenant.id };
    expect((await subject.query(chosen, '{ tenant { id } }')).tenant.id).toBe(tenant.id);
    expect((await subject.query(chosen, createUser, draft())).createUser.role).toBe('USER');
    // No tenant has operators.
    expect(await subject.codeOf(chosen, createUser, draft({ role: 'OPERATOR' }))).toBe('BAD_USER_INPUT');
  });
});

describe('authVersion', () => {
  it('rises with every change of rights, and gateways are told', async () => {
    const watched = await subject.register();
    const user = await subject.addUser(watched, 'USER');
    const { createApiKey: key } = await subject.query(watched.admin, createApiKey, { input: { name: 'k' } });
    const changes: [string, Record<string, unknown>][] = [
      [createUser, draft()],
      [updateUser, { id: user.id, input: { role: 'VIEWER' } }],
      [createApiKey, { input: { name: 'k2' } }],
      ['mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: key.apiKey.id }],
      [deleteUser, { id: user.id }],
      ['mutation { logout }', {}],
    ];
    for (const [mutation, variables] of changes) {
      const before = await authVersionOf(watched.id);
      const { next } = await subject.identity.getVersions(null);
      subject.hints.length = 0;
      await subject.query(watched.admin, mutation, variables);
      expect(await authVersionOf(watched.id), mutation).toBe(before + 1);
      expect(subject.hints, mutation).toEqual([watched.id]);
      const changed = await subject.identity.getVersions(next);
      expect(
        changed.tenants.map((version) => version.tenantId),
        mutation,
      ).toContain(watched.id);
    }
  });
});
