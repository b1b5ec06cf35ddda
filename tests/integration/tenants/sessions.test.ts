/** Signing in, refreshing, signing out, and who a token or key is afterwards. */
import { createLocalJWKSet, jwtVerify } from 'jose';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessToken, anonymousClaims, type Claims } from '#schema/claims.ts';
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
let admin: pg.Client;

beforeAll(async () => {
  subject = await createSubject();
  tenant = await subject.register();
  admin = new pg.Client({ connectionString: subject.url });
  await admin.connect();
});
afterAll(async () => {
  await admin?.end();
  await subject?.[Symbol.asyncDispose]();
});

const loginMutation = `mutation ($input: LoginInput!) { login(input: $input) {
  user { id email role } tenant { id slug } accessToken refreshToken expiresAt } }`;
const refreshMutation =
  'mutation ($token: String) { refreshSession(refreshToken: $token) { accessToken refreshToken user { role } } }';
const logoutMutation = 'mutation { logout }';

const login = (input: Record<string, unknown>) =>
  subject.send(anonymousClaims, loginMutation, { input }) as Promise<Anything>;
const refresh = (token: string | null) =>
  subject.send(anonymousClaims, refreshMutation, { token }) as Promise<Anything>;

function payloadOf(token: string): Anything {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
}

async function identify(token: string): Promise<Claims | null> {
  const { sub, sid, tenant_id: tenantId = null } = payloadOf(token);
  return (await subject.identity.identify({ kind: 'SUBJECT', sub, sid, tenantId })).claims;
}

describe('login', () => {
  it.each(['slug', 'id'] as const)(
    'signs a user in by the tenant’s %s, without regard to the e-mail’s case',
    async (by) => {
      const { data } = await login({ email: tenant.adminEmail.toUpperCase(), password, tenant: tenant[by] });
      expect(data.login).toMatchObject({
        user: { id: tenant.adminId, email: tenant.adminEmail, role: 'ADMIN' },
        tenant: { id: tenant.id, slug: tenant.slug },
      });
    },
  );

  it('issues a token that the published keys verify', async () => {
    const { data } = await login({ email: tenant.adminEmail, password, tenant: tenant.slug });
    const jwks = await subject.identity.getJwks();
    for (const key of jwks.keys)
      expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    const verified = await jwtVerify(data.login.accessToken, createLocalJWKSet(jwks as Anything), {
      issuer: accessToken.issuer,
      audience: accessToken.audience,
      algorithms: ['ES256'],
    });
    expect(verified.payload).toMatchObject({ sub: tenant.adminId, tenant_id: tenant.id, role: 'ADMIN' });
    const { exp = 0, iat = 0 } = verified.payload;
    expect(exp - iat).toBe(accessToken.lifetimeSeconds);
    expect(new Date(data.login.expiresAt).getTime()).toBe(exp * 1000);
  });

  it('signs the operator in where no tenant is named', async () => {
    const { data } = await login(operator);
    expect(data.login).toMatchObject({ user: { email: operator.email, role: 'OPERATOR' }, tenant: null });
    expect(payloadOf(data.login.accessToken)).not.toHaveProperty('tenant_id');
    expect(await identify(data.login.accessToken)).toMatchObject({
      actorKind: 'OPERATOR',
      role: 'OPERATOR',
      tenantId: null,
    });
  });

  it('answers alike whatever is wrong', async () => {
    const other = await subject.register();
    const attempts = [
      { email: tenant.adminEmail, password: 'wrong password', tenant: tenant.slug },
      { email: 'nobody@x.example', password, tenant: tenant.slug },
      { email: tenant.adminEmail, password, tenant: 'no-such-tenant' },
      { email: tenant.adminEmail, password, tenant: crypto.randomUUID() },
      { email: tenant.adminEmail, password, tenant: other.slug },
      { email: tenant.adminEmail, password, tenant: '' },
      { email: tenant.adminEmail, password },
      { email: operator.email, password: operator.password, tenant: tenant.slug },
      { email: operator.email, password },
      { email: `${tenant.adminEmail}\u0000`, password, tenant: tenant.slug },
      { email: tenant.adminEmail, password, tenant: `${tenant.slug}\u0000` },
      { email: "' or 1=1 --", password: "' or 1=1 --", tenant: "' or 1=1 --" },
      { email: '%', password, tenant: tenant.slug },
      { email: tenant.adminEmail, password: '', tenant: tenant.slug },
    ];
    const messages = new Set<string>();
    for (const input of attempts) {
      const { errors, data } = await login(input);
      expect(data, JSON.stringify(input)).toBeNull();
      expect(errors[0].extensions).toEqual({ code: 'UNAUTHENTICATED' });
      messages.add(errors[0].message);
    }
    expect(messages.size).toBe(1);
  });

  it('tells who proved the password that the tenant is suspended, and nobody else', async () => {
    const suspended = await subject.register();
    await subject.store.tenants.setStatus(suspended.id, 'SUSPENDED');
    const right = await login({ email: suspended.adminEmail, password, tenant: suspended.slug });
    expect(right.errors[0].extensions.code).toBe('TENANT_SUSPENDED');
    const wrong = await login({
      email: suspended.adminEmail,
      password: 'wrong password',
      tenant: suspended.slug,
    });
    expect(wrong.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await refresh(suspended.refreshToken)).errors[0].extensions.code).toBe('TENANT_SUSPENDED');
  });
});

describe('a refresh token', () => {
  it('gives a new pair once, with the rights of now', async () => {
    const user = await subject.addUser(tenant, 'USER');
    const first = (await login({ email: user.email, password, tenant: tenant.slug })).data.login;
    await subject.store.users.update(tenant.admin, user.id, { role: 'VIEWER' });
    const { data } = await refresh(first.refreshToken);
    expect(data.refreshSession.user.role).toBe('VIEWER');
    expect(data.refreshSession.refreshToken).not.toBe(first.refreshToken);
    expect(payloadOf(data.refreshSession.accessToken)).toMatchObject({
      sid: payloadOf(first.accessToken).sid,
      role: 'VIEWER',
    });
  });

  it('used twice ends its whole session, also for who has the newer one', async () => {
    const first = (await login({ email: tenant.adminEmail, password, tenant: tenant.slug })).data.login;
    const second = (await refresh(first.refreshToken)).data.refreshSession;
    expect(await identify(second.accessToken)).not.toBeNull();
    subject.hints.length = 0;
    expect((await refresh(first.refreshToken)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(subject.hints).toEqual([tenant.id]);
    expect((await refresh(second.refreshToken)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(await identify(second.accessToken)).toBeNull();
  });

  it('used by two at once serves at most one, and ends the session', async () => {
    const { refreshToken } = (await login({ email: tenant.adminEmail, password, tenant: tenant.slug })).data
      .login;
    const answers = await Promise.all([refresh(refreshToken), refresh(refreshToken), refresh(refreshToken)]);
    const served = answers.filter((answer) => answer.data);
    expect(served.length).toBeLessThanOrEqual(1);
    for (const { data } of served) expect(await identify(data.refreshSession.accessToken)).toBeNull();
  });

  it.each([null, '', 'rt_nope', 'rt_\u0000', `rt_${'A'.repeat(43)}`])(
    'that is %j is refused',
    async (token) => {
      expect((await refresh(token)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    },
  );

  it('of a session that ran out is refused', async () => {
    const made = (await login({ email: tenant.adminEmail, password, tenant: tenant.slug })).data.login;
    const { sid } = payloadOf(made.accessToken);
    await admin.query(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [sid]);
    expect((await refresh(made.refreshToken)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(await identify(made.accessToken)).toBeNull();
  });

  it('is nowhere in the database as it is', async () => {
    const { refreshToken } = await subject.register();
    const { rows } = await admin.query(`select encode(hash, 'escape') as kept from refresh_tokens`);
    expect(rows.some((row) => row.kept.includes(refreshToken.slice(3, 20)))).toBe(false);
  });
});

describe('a session', () => {
  it('does not begin behind a change of password, or after its user is gone', async () => {
    const user = await subject.addUser(tenant, 'USER');
    const credential = await subject.store.users.findCredential(tenant.id, user.email);
    if (!credential) throw new Error('no credential');
    const begin = (passwordHash: string) =>
      subject.store.sessions.create({
        id: crypto.randomUUID(),
        owner: { tenantId: tenant.id, subjectId: user.id },
        passwordHash,
        expiresAt: new Date(Date.now() + 60_000),
        tokenHash: crypto.getRandomValues(new Uint8Array(32)),
      });
    expect(await begin(credential.passwordHash)).toBe(true);
    await subject.store.users.update(tenant.admin, user.id, { passwordHash: 'another' });
    expect(await begin(credential.passwordHash)).toBe(false);
    expect(await begin('another')).toBe(true);
    await subject.store.users.remove(tenant.admin, user.id);
    expect(await begin('another')).toBe(false);
  });

  it('that is refreshed and ended at once leaves no token that passes for current', async () => {
    for (let round = 0; round < 5; round += 1) {
      const made = (await login({ email: tenant.adminEmail, password, tenant: tenant.slug })).data.login;
      const { sid } = payloadOf(made.accessToken);
      const [renewed] = await Promise.all([refresh(made.refreshToken), subject.store.sessions.revoke(sid)]);
      const { tenants } = await subject.identity.getVersions(null);
      const current = tenants.find((version) => version.tenantId === tenant.id)?.authVersion ?? 0;
      if (renewed.data) {
        expect(payloadOf(renewed.data.refreshSession.accessToken).auth_version).toBeLessThan(current);
        expect(await identify(renewed.data.refreshSession.accessToken)).toBeNull();
      }
    }
  });
});

describe('logout', () => {
  it('makes access and refresh tokens worthless and says so to gateways', async () => {
    const made = (await login({ email: tenant.adminEmail, password, tenant: tenant.slug })).data.login;
    const claims = (await identify(made.accessToken)) as Claims;
    expect((await subject.query(claims, logoutMutation)).logout).toBe(true);
    expect(await identify(made.accessToken)).toBeNull();
    expect((await refresh(made.refreshToken)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect((await subject.query(claims, logoutMutation)).logout).toBe(false);
  });

  it('ends an operator’s session too, and no other', async () => {
    const [one, two] = [(await login(operator)).data.login, (await login(operator)).data.login];
    await subject.query((await identify(one.accessToken)) as Claims, logoutMutation);
    expect(await identify(one.accessToken)).toBeNull();
    expect(await identify(two.accessToken)).not.toBeNull();
  });

  it('has nothing to end for a key', async () => {
    const { claims } = await subject.identity.identify({ kind: 'API_KEY', key: tenant.apiKey });
    expect((await subject.query(claims as Claims, logoutMutation)).logout).toBe(false);
  });
});

describe('identity', () => {
  it('of a deleted user’s session is nobody, at once', async () => {
    const user = await subject.addUser(tenant, 'DEVELOPER');
    const made = (await login({ email: user.email, password, tenant: tenant.slug })).data.login;
    expect(await identify(made.accessToken)).not.toBeNull();
    await subject.query(tenant.admin, 'mutation ($id: ID!) { deleteUser(id: $id) }', { id: user.id });
    expect(await identify(made.accessToken)).toBeNull();
    expect((await refresh(made.refreshToken)).errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(
      (await login({ email: user.email, password, tenant: tenant.slug })).errors[0].extensions.code,
    ).toBe('UNAUTHENTICATED');
  });

  it('follows a new password, not the sessions of the old one', async () => {
    const user = await subject.addUser(tenant, 'USER');
    const made = (await login({ email: user.email, password, tenant: tenant.slug })).data.login;
    await subject.query(
      tenant.admin,
      'mutation ($id: ID!, $input: UpdateUserInput!) { updateUser(id: $id, input: $input) { id } }',
      {
        id: user.id,
        input: { password: 'another password' },
      },
    );
    expect(await identify(made.accessToken)).toBeNull();
    expect(
      (await login({ email: user.email, password, tenant: tenant.slug })).errors[0].extensions.code,
    ).toBe('UNAUTHENTICATED');
    expect(
      (await login({ email: user.email, password: 'another password', tenant: tenant.slug })).errors,
    ).toBeUndefined();
  });

  it('of a key ends with its revocation and with its time', async () => {
    const create = `mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { apiKey { id prefix expiresAt } key } }`;
    const { createApiKey: made } = await subject.query(tenant.admin, create, {
      input: { name: 'short', role: 'VIEWER', expiresAt: new Date(Date.now() + 3_600_000).toISOString() },
    });
    expect(made.key.startsWith(made.apiKey.prefix)).toBe(true);
    const identifyKey = async () =>
      (await subject.identity.identify({ kind: 'API_KEY', key: made.key })).claims;
    expect(await identifyKey()).toMatchObject({
      role: 'VIEWER',
      actorKind: 'SERVICE',
      actorId: made.apiKey.id,
    });
    await admin.query(`update api_keys set expires_at = now() where id = $1`, [made.apiKey.id]);
    expect(await identifyKey()).toBeNull();
    await admin.query(`update api_keys set expires_at = null where id = $1`, [made.apiKey.id]);
    expect(await identifyKey()).not.toBeNull();
    await subject.query(tenant.admin, 'mutation ($id: ID!) { revokeApiKey(id: $id) }', {
      id: made.apiKey.id,
    });
    expect(await identifyKey()).toBeNull();
  });

  it('is null for what cannot be ours, without an error', async () => {
    const { sub, sid } = payloadOf(tenant.accessToken);
    const other = await subject.register();
    const requests = [
      { kind: 'API_KEY', key: 'tk_nope' },
      { kind: 'API_KEY', key: '' },
      { kind: 'API_KEY', key: tenant.refreshToken },
      { kind: 'SUBJECT', sub: 'nobody', sid, tenantId: tenant.id },
      { kind: 'SUBJECT', sub, sid: "'; drop table sessions; --", tenantId: tenant.id },
      { kind: 'SUBJECT', sub, sid, tenantId: other.id },
      { kind: 'SUBJECT', sub, sid, tenantId: null },
      { kind: 'SUBJECT', sub: other.adminId, sid, tenantId: tenant.id },
    ] as const;
    for (const request of requests) {
      expect(await subject.identity.identify(request), JSON.stringify(request)).toEqual({ claims: null });
    }
  });
});
