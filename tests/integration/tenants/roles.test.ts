/** Every role against every operation, and every tenant against every other. The table is the truth, the cells are generated. */
import { Kind, parse } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anonymousClaims, type Claims, gatewayClaims } from '#schema/claims.ts';
import { readStaticSdl } from '#subgraphs/server/static-sdl.ts';
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
let callers: Record<string, Claims>;

beforeAll(async () => {
  subject = await createSubject();
  tenant = await subject.register();
  const key = async (role: string) => {
    const mutation = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';
    const { createApiKey } = await subject.query(tenant.admin, mutation, { input: { name: role, role } });
    return (await subject.identity.identify({ kind: 'API_KEY', key: createApiKey.key })).claims as Claims;
  };
  const staff = await subject.signIn(operator);
  callers = {
    anonymous: anonymousClaims,
    gateway: gatewayClaims,
    VIEWER: (await subject.addUser(tenant, 'VIEWER')).claims,
    USER: (await subject.addUser(tenant, 'USER')).claims,
    DEVELOPER: (await subject.addUser(tenant, 'DEVELOPER')).claims,
    ADMIN: (await subject.addUser(tenant, 'ADMIN')).claims,
    'key VIEWER': await key('VIEWER'),
    'key SERVICE': await key('SERVICE'),
    'key ADMIN': await key('ADMIN'),
    'OPERATOR without tenant': staff,
    'OPERATOR in the tenant': { ...staff, tenantId: tenant.id },
  };
});
afterAll(() => subject?.[Symbol.asyncDispose]());

/** The least that may: a role, or one of the words. */
type Needs = 'PUBLIC' | 'KNOWN' | 'VIEWER' | 'ADMIN' | 'OPERATOR';

const nobody = '018f0000-0000-7000-8000-000000000000';
/** Each root field: what it needs, and an operation that asks nothing else. Those that may pass change nothing that others need. */
const operations: Record<string, { needs: Needs; text: string }> = {
  'Query.plans': { needs: 'PUBLIC', text: '{ plans { code } }' },
  'Query.me': { needs: 'KNOWN', text: '{ me { id } }' },
  'Query.tenant': { needs: 'VIEWER', text: '{ tenant { id } }' },
  'Query.config': { needs: 'VIEWER', text: '{ config { features } }' },
  'Query.users': { needs: 'VIEWER', text: '{ users { nodes { id } } }' },
  'Query.user': { needs: 'VIEWER', text: `{ user(id: "${nobody}") { id } }` },
  'Query.apiKeys': { needs: 'ADMIN', text: '{ apiKeys { id } }' },
  'Query.tenants': { needs: 'OPERATOR', text: '{ tenants { nodes { id } } }' },
  'Mutation.registerTenant': {
    needs: 'PUBLIC',
    text: 'mutation { registerTenant(input: { name: "", adminEmail: "", adminPassword: "" }) { apiKey } }',
  },
  'Mutation.login': {
    needs: 'PUBLIC',
    text: 'mutation { login(input: { email: "", password: "" }) { accessToken } }',
  },
  'Mutation.refreshSession': { needs: 'PUBLIC', text: 'mutation { refreshSession { accessToken } }' },
  'Mutation.logout': { needs: 'KNOWN', text: 'mutation { logout }' },
  'Mutation.createUser': {
    needs: 'ADMIN',
    text: 'mutation { createUser(input: { email: "", password: "" }) { id } }',
  },
  'Mutation.updateUser': {
    needs: 'ADMIN',
    text: `mutation { updateUser(id: "${nobody}", input: {}) { id } }`,
  },
  'Mutation.deleteUser': { needs: 'ADMIN', text: `mutation { deleteUser(id: "${nobody}") }` },
  'Mutation.createApiKey': { needs: 'ADMIN', text: 'mutation { createApiKey(input: { name: "" }) { key } }' },
  'Mutation.revokeApiKey': { needs: 'ADMIN', text: `mutation { revokeApiKey(id: "${nobody}") }` },
  'Mutation.updateTenant': { needs: 'ADMIN', text: 'mutation { updateTenant(input: {}) { id } }' },
  'Mutation.changePlan': { needs: 'ADMIN', text: 'mutation { changePlan(plan: ENTERPRISE) { id } }' },
  'Mutation.setTenantStatus': {
    needs: 'OPERATOR',
    text: `mutation { setTenantStatus(id: "${nobody}", status: SUSPENDED) { id } }`,
  },
};

const rank: Record<string, number> = {
  VIEWER: 1,
  USER: 2,
  DEVELOPER: 3,
  ADMIN: 4,
  'key VIEWER': 1,
  'key SERVICE': 3,
  'key ADMIN': 4,
  'OPERATOR without tenant': 5,
  'OPERATOR in the tenant': 5,
};
const needed: Record<string, number> = { VIEWER: 1, ADMIN: 4, OPERATOR: 5 };

/** The code that the rules must answer with; null: they let the caller through. */
function expectedRefusal(caller: string, needs: Needs): string | null {
  if (needs === 'PUBLIC') return null;
  const own = rank[caller];
  if (own === undefined) return 'UNAUTHENTICATED';
  if (needs === 'KNOWN') return null;
  if (own < (needed[needs] ?? 0)) return 'FORBIDDEN';
  return caller === 'OPERATOR without tenant' && needs !== 'OPERATOR' ? 'TENANT_REQUIRED' : null;
}

it('has a row in this table for every root field of the schema', () => {
  const fields = parse(readStaticSdl('tenants')).definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION && ['Query', 'Mutation'].includes(definition.name.value)
      ? (definition.fields ?? []).map((field) => `${definition.name.value}.${field.name.value}`)
      : [],
  );
  expect(Object.keys(operations).toSorted()).toEqual(fields.toSorted());
});

const cells = Object.keys({ anonymous: 0, gateway: 0, ...rank }).flatMap((caller) =>
  // Signing out would take the caller away from the rows below.
  Object.entries(operations)
    .toSorted(([one], [two]) => Number(one === 'Mutation.logout') - Number(two === 'Mutation.logout'))
    .map(([field, { needs, text }]) => ({ caller, field, text, refusal: expectedRefusal(caller, needs) })),
);

it.each(cells)('$caller asks $field: $refusal', async ({ caller, field, text, refusal }) => {
  const { errors = [] } = await subject.send(callers[caller] as Claims, text);
  const codes = errors.map((error) => error.extensions.code);
  if (refusal) expect(codes).toEqual([refusal]);
  else {
    // Let through by the rules; what remains is about the input, or that a key has no `me`.
    const later = field === 'Query.me' ? ['FORBIDDEN'] : ['BAD_USER_INPUT', 'NOT_FOUND'];
    const login = ['Mutation.login', 'Mutation.refreshSession'].includes(field) ? ['UNAUTHENTICATED'] : [];
    for (const code of codes) expect([...later, ...login]).toContain(code);
  }
});

describe('nobody gives more than they have', () => {
  const createUser = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }';
  const createApiKey = 'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key } }';

  it.each(['ADMIN', 'key ADMIN'])('%s makes no operator', async (caller) => {
    const claims = callers[caller] as Claims;
    const email = `${crypto.randomUUID()}@x.example`;
    expect(await subject.codeOf(claims, createUser, { input: { email, password, role: 'OPERATOR' } })).toBe(
      'FORBIDDEN',
    );
    expect(await subject.codeOf(claims, createApiKey, { input: { name: 'x', role: 'OPERATOR' } })).toBe(
      'FORBIDDEN',
    );
    const raise = 'mutation ($id: ID!) { updateUser(id: $id, input: { role: OPERATOR }) { id } }';
    expect(await subject.codeOf(claims, raise, { id: tenant.adminId })).toBe('FORBIDDEN');
  });

  it('no role below ADMIN raises itself', async () => {
    for (const caller of ['VIEWER', 'USER', 'DEVELOPER', 'key SERVICE']) {
      const claims = callers[caller] as Claims;
      const raise = 'mutation ($id: ID!) { updateUser(id: $id, input: { role: ADMIN }) { id } }';
      expect(await subject.codeOf(claims, raise, { id: claims.actorId }), caller).toBe('FORBIDDEN');
    }
  });
});

describe('another tenant', () => {
  let other: Registered;
  let foreign: { userId: string; keyId: string };

  beforeAll(async () => {
    other = await subject.register();
    const mutation = 'mutation { createApiKey(input: { name: "k" }) { apiKey { id } } }';
    const { createApiKey } = await subject.query(other.admin, mutation);
    foreign = { userId: (await subject.addUser(other, 'ADMIN')).id, keyId: createApiKey.apiKey.id };
  });

  it('has ids that are as unknown as those that never were', async () => {
    const entities = 'query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { id email } } }';
    for (const id of [foreign.userId, other.adminId, nobody, 'nope', '']) {
      expect(
        (await subject.query(tenant.admin, 'query ($id: ID!) { user(id: $id) { email } }', { id })).user,
      ).toBeNull();
      const read = await subject.query(tenant.admin, entities, { of: [{ __typename: 'User', id }] });
      expect(read._entities, id).toEqual([null]);
      for (const mutation of [
        'mutation ($id: ID!) { deleteUser(id: $id) }',
        'mutation ($id: ID!) { updateUser(id: $id, input: { role: VIEWER }) { id } }',
        'mutation ($id: ID!) { revokeApiKey(id: $id) }',
      ]) {
        const { errors } = (await subject.send(tenant.admin, mutation, { id })) as Anything;
        expect(errors[0].extensions.code, `${mutation} ${id}`).toBe('NOT_FOUND');
        expect(errors[0].message).toMatch(/^The (user|API key) does not exist$/);
      }
    }
    expect(
      await subject.codeOf(tenant.admin, 'mutation ($id: ID!) { revokeApiKey(id: $id) }', {
        id: foreign.keyId,
      }),
    ).toBe('NOT_FOUND');
    expect(
      (await subject.query(other.admin, '{ users { totalCount } apiKeys { id } }')).users.totalCount,
    ).toBe(2);
  });

  it('is in no list', async () => {
    const { users, apiKeys } = await subject.query(
      tenant.admin,
      '{ users(first: 1000) { nodes { id } } apiKeys { id } }',
    );
    const ids = [...users.nodes, ...apiKeys].map((row: Anything) => row.id);
    for (const id of [foreign.userId, foreign.keyId, other.adminId]) expect(ids).not.toContain(id);
  });

  it('cannot be reached by its cursor', async () => {
    const after = Buffer.from(`id:${other.adminId}`).toString('base64url');
    const { users } = await subject.query(
      tenant.admin,
      'query ($after: String) { users(after: $after) { nodes { id } } }',
      { after },
    );
    for (const { id } of users.nodes) expect([foreign.userId, other.adminId]).not.toContain(id);
  });

  it('reads its own users through _entities, and strangers do not', async () => {
    const entities =
      'query ($of: [_Any!]!) { _entities(representations: $of) { ... on User { id email role } } }';
    const of = [
      { __typename: 'User', id: tenant.adminId },
      { __typename: 'User', id: foreign.userId },
    ];
    const { _entities: found } = await subject.query(callers['VIEWER'] as Claims, entities, { of });
    expect(found).toEqual([{ id: tenant.adminId, email: tenant.adminEmail, role: 'ADMIN' }, null]);
    for (const caller of ['anonymous', 'gateway']) {
      expect(await subject.codeOf(callers[caller] as Claims, entities, { of })).toBe('UNAUTHENTICATED');
    }
    expect(await subject.codeOf(callers['OPERATOR without tenant'] as Claims, entities, { of })).toBe(
      'TENANT_REQUIRED',
    );
    // A representation of what is no entity, or none at all, tells nothing and breaks nothing.
    for (const bad of [
      { __typename: 'ApiKey', id: nobody },
      { __typename: 'Nope' },
      { id: nobody },
      { __typename: 'User' },
      { __typename: 'User', id: { $ne: null } },
    ]) {
      const { data } = (await subject.send(tenant.admin, entities, { of: [bad] })) as Anything;
      expect(data?._entities?.[0] ?? null, JSON.stringify(bad)).toBeNull();
    }
  });
});
