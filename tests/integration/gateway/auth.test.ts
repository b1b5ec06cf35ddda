/** Who may ask, and what each attempt to be someone else gets. */
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessToken } from '#schema/claims.ts';
import { startTestGateway, type Answer, type TestGateway } from './fixtures/test-gateway.ts';
import type { TestTenant } from './fixtures/test-subgraphs.ts';

let platform: TestGateway;
let acme: TestTenant;
let globex: TestTenant;

beforeAll(async () => {
  platform = await startTestGateway({ environment: { ALLOWED_ORIGINS: 'https://console.example' } });
  acme = platform.addTenant('acme');
  globex = platform.addTenant('globex');
});
afterAll(() => platform[Symbol.asyncDispose]());

const me = '{ me { id role } }';
const codeOf = (answer: Answer): unknown => answer.errors?.[0]?.extensions['code'];
/** What an attacker gets: the status, the code and nothing else. */
const expectRefusal = (answer: Answer, status: number, code: string): void => {
  expect([answer.status, codeOf(answer)]).toEqual([status, code]);
  expect(answer.data ?? null).toBeNull();
};

describe('callers without credentials', () => {
  it('have the public graph and its introspection only', async () => {
    expect((await platform.post('{ plans }')).data).toEqual({ plans: ['FREE', 'PROFESSIONAL'] });
    const { data } = await platform.post('{ __schema { types { name } } }');
    const names = (data.__schema.types as { name: string }[]).map((type) => type.name);
    expect(names).not.toContain('Movie');
    expect(names).not.toContain('User');
  });

  it('are told to sign in, alike for what exists and what does not', async () => {
    const existing = await platform.post(me);
    const invented = await platform.post('{ nosuchfield { id } }');
    expectRefusal(existing, 401, 'UNAUTHENTICATED');
    expect(existing.errors).toEqual(invented.errors);
    expect(existing.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('learn nothing of tenants from the header', async () => {
    for (const tenant of [acme.id, 'acme', 'nosuch']) {
      const answer = await platform.post('{ plans }', { headers: { 'x-tenant-id': tenant } });
      expect(answer.status).toBe(200);
      expectRefusal(await platform.post(me, { headers: { 'x-tenant-id': tenant } }), 401, 'UNAUTHENTICATED');
    }
  });
});

describe('forged and stale tokens', () => {
  const user = () => ({
    id: crypto.randomUUID(),
    tenantId: acme.id,
    role: 'ADMIN' as const,
    ended: new Set<string>(),
  });
  const payload = () => ({ tenant_id: acme.id, role: 'ADMIN', sid: 's', auth_version: 99, sub: 'x' });

  it.each([
    ['garbage', async () => 'garbage'],
    ['three empty parts', async () => '..'],
    [
      'alg none',
      async () =>
        new UnsecuredJWT(payload())
          .setIssuer(accessToken.issuer)
          .setAudience(accessToken.audience)
          .setIssuedAt()
          .setExpirationTime('1h')
          .encode(),
    ],
    [
      'HS256 with the public key as its secret',
      async () => {
        const { keys } = await platform.identity.getJwks();
        return new SignJWT(payload())
          .setProtectedHeader({ alg: 'HS256', kid: 'key-1' })
          .setIssuer(accessToken.issuer)
          .setAudience(accessToken.audience)
          .setIssuedAt()
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(JSON.stringify(keys[0])));
      },
    ],
    [
      'another key under a known id',
      async () => platform.identity.sign(user(), { privateKey: (await generateKeyPair('ES256')).privateKey }),
    ],
    ['an unknown key id', async () => platform.identity.sign(user(), { kid: 'key-99' })],
    ['another issuer', async () => platform.identity.sign(user(), { issuer: 'https://evil.example' })],
    ['another audience', async () => platform.identity.sign(user(), { audience: 'someone-else' })],
    ['expired', async () => platform.identity.sign(user(), { expiresAt: Math.floor(Date.now() / 1000) - 1 })],
    ['a role that does not exist', async () => platform.identity.sign(user(), { payload: { role: 'ROOT' } })],
    [
      'an operator by role only',
      async () => platform.identity.sign({ ...user(), tenantId: null, role: 'ADMIN' }),
    ],
    [
      'an operator that nobody knows',
      async () => platform.identity.sign({ ...user(), tenantId: null, role: 'OPERATOR' }),
    ],
  ])('%s: 401', async (_what, token) => {
    expectRefusal(
      await platform.post(me, { authorization: `Bearer ${await token()}` }),
      401,
      'UNAUTHENTICATED',
    );
  });

  it.each(['Basic YTpi', 'Bearer', 'ApiKey', 'Bearer a b', 'tk_123'])(
    '"%s" is no credential: 401',
    async (authorization) => {
      expectRefusal(await platform.post(me, { authorization }), 401, 'UNAUTHENTICATED');
    },
  );

  it('asks for unknown keys once in a while, however many tokens name one', async () => {
    const before = platform.identity.calls.getJwks;
    const token = await platform.identity.sign(user(), { kid: 'key-77' });
    await Promise.all(
      Array.from({ length: 50 }, () => platform.post(me, { authorization: `Bearer ${token}` })),
    );
    expect(platform.identity.calls.getJwks - before).toBeLessThanOrEqual(1);
  });

  it('refuses a good token for a tenant that does not exist', async () => {
    const token = await platform.identity.sign({ ...user(), tenantId: crypto.randomUUID() });
    expectRefusal(await platform.post(me, { authorization: `Bearer ${token}` }), 404, 'TENANT_NOT_FOUND');
  });
});

describe('the tenant', () => {
  it.each([
    ['id', () => acme.id],
    ['slug', () => 'acme'],
  ])('may be repeated by %s', async (_what, tenant) => {
    const authorization = await platform.signIn(acme, 'USER');
    const answer = await platform.post(me, { authorization, headers: { 'x-tenant-id': tenant() } });
    expect(answer.data).toMatchObject({ me: { role: 'USER' } });
  });

  it('cannot be another one, and whether that exists is not told', async () => {
    const authorization = await platform.signIn(acme, 'ADMIN');
    const answers: Answer[] = [];
    for (const tenant of [globex.id, 'globex', 'nosuch', '00000000-0000-0000-0000-000000000000']) {
      answers.push(await platform.post(me, { authorization, headers: { 'x-tenant-id': tenant } }));
    }
    for (const answer of answers) {
      expectRefusal(answer, 403, 'FORBIDDEN');
      expect(answer.errors).toEqual(answers[0]?.errors);
    }
  });

  it('is the operator’s to choose', async () => {
    const authorization = await platform.signIn(null, 'OPERATOR');
    expect((await platform.post('{ tenants }', { authorization })).data).toEqual({ tenants: ['all'] });
    const inside = await platform.post('{ movies { id } }', {
      authorization,
      headers: { 'x-tenant-id': 'globex' },
    });
    expect(inside.data).toEqual({ movies: [] });
    const claims = platform.subgraphs.seen.at(-1)?.request.claims;
    expect(claims).toMatchObject({ tenantId: globex.id, actorKind: 'OPERATOR', role: 'OPERATOR' });
    const unknown = await platform.post(me, { authorization, headers: { 'x-tenant-id': 'nosuch' } });
    expectRefusal(unknown, 404, 'TENANT_NOT_FOUND');
  });

  it.each(['SUSPENDED', 'INACTIVE'] as const)('answers TENANT_SUSPENDED while it is %s', async (status) => {
    const initech = platform.addTenant(`initech-${status.toLowerCase()}`);
    const authorization = await platform.signIn(initech, 'ADMIN');
    expect((await platform.post(me, { authorization })).status).toBe(200);
    platform.change(initech, (tenant) => {
      tenant.status = status;
      tenant.authVersion += 1;
    });
    await expect
      .poll(async () => codeOf(await platform.post(me, { authorization })))
      .toBe('TENANT_SUSPENDED');
    expect((await platform.post(me, { authorization })).status).toBe(403);
    platform.change(initech, (tenant) => {
      tenant.status = 'ACTIVE';
      tenant.authVersion += 1;
    });
    await expect.poll(async () => (await platform.post(me, { authorization })).status).toBe(200);
  });
});

describe('API keys', () => {
  it('work, are looked up once, and end when they are revoked', async () => {
    const key = 'tk_the-key';
    platform.identity.apiKeys.set(key, {
      tenantId: acme.id,
      actorKind: 'SERVICE',
      actorId: 'key-1',
      role: 'SERVICE',
      authVersion: acme.authVersion,
      sessionId: null,
    });
    const authorization = `ApiKey ${key}`;
    const before = platform.identity.calls.identify;
    const answers = await Promise.all(Array.from({ length: 20 }, () => platform.post(me, { authorization })));
    expect(answers.every((answer) => answer.data?.me?.role === 'SERVICE')).toBe(true);
    expect(platform.identity.calls.identify - before).toBe(1);
    expectRefusal(
      await platform.post(me, { authorization, headers: { 'x-tenant-id': 'globex' } }),
      403,
      'FORBIDDEN',
    );

    platform.identity.apiKeys.delete(key);
    platform.change(acme, (tenant) => (tenant.authVersion += 1));
    await expect.poll(async () => (await platform.post(me, { authorization })).status).toBe(401);
    expectRefusal(await platform.post(me, { authorization: 'ApiKey tk_nosuch' }), 401, 'UNAUTHENTICATED');
  });
});

describe('rights', () => {
  it('are those of now, not of when the token was made', async () => {
    const authorization = await platform.signIn(globex, 'ADMIN');
    const user = [...platform.identity.users.values()].at(-1);
    expect((await platform.post(me, { authorization })).data.me.role).toBe('ADMIN');
    if (user) user.role = 'VIEWER';
    platform.change(globex, (tenant) => (tenant.authVersion += 1));
    await expect.poll(async () => (await platform.post(me, { authorization })).data.me.role).toBe('VIEWER');
    const refused = await platform.post('mutation { createMovie(title: "x") { id } }', { authorization });
    expect(codeOf(refused)).toBe('FORBIDDEN');

    const before = platform.identity.calls.identify;
    await Promise.all(Array.from({ length: 10 }, () => platform.post(me, { authorization })));
    expect(platform.identity.calls.identify).toBe(before);

    user?.ended.add('session-1');
    platform.change(globex, (tenant) => (tenant.authVersion += 1));
    await expect.poll(async () => (await platform.post(me, { authorization })).status).toBe(401);
  });

  it('survive a change of signing keys', async () => {
    const old = await platform.signIn(acme, 'USER');
    await platform.identity.rotate();
    const fresh = await platform.signIn(acme, 'USER');
    await expect
      .poll(async () => (await platform.post(me, { authorization: fresh })).status, { timeout: 5_000 })
      .toBe(200);
    expect((await platform.post(me, { authorization: old })).status).toBe(200);
  });
});

describe('the session cookie', () => {
  const withCookie = async (headers: Record<string, string>): Promise<number> => {
    const token = (await platform.signIn(acme, 'USER')).slice('Bearer '.length);
    return (await platform.post(me, { headers: { cookie: `tenantry_session=${token}`, ...headers } })).status;
  };

  it('counts for our own pages and allowed ones', async () => {
    const { host } = new URL(platform.url);
    expect(await withCookie({ origin: `http://${host}` })).toBe(200);
    expect(await withCookie({ origin: 'https://console.example' })).toBe(200);
  });

  it('does not count for another site’s page', async () => {
    expect(await withCookie({ origin: 'https://evil.example' })).toBe(401);
    expect(await withCookie({ origin: 'null' })).toBe(401);
  });
});
