/** The served subgraph, attacked over HTTP and WebSocket: without the gateway's signature nothing is answered. */
import { createClient } from 'graphql-ws';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { anonymousClaims, type Claims, gatewayClaims, signedClaims } from '#schema/claims.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createRemoteSubgraph } from '#subgraphs/server/remote-subgraph.ts';
import { createClaimsSigner } from '#subgraphs/server/signed-claims.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { type Anything, createSubject, type Registered, secret, type Subject } from './subject.ts';

const cleanup = new AsyncDisposableStack();
let subject: Subject;
let tenant: Registered;
let url: string;
const sign = createClaimsSigner(secret);

beforeAll(async () => {
  subject = cleanup.use(await createSubject());
  tenant = await subject.register();
  const { service, identity } = subject;
  const options = { service, identity, secret, port: 0, host: '127.0.0.1', logger: createLogger('silent') };
  const server = cleanup.adopt(await serveSubgraph(options), (it) => it.close());
  url = server.url;
});
afterAll(() => cleanup.disposeAsync());

interface Claim {
  alg?: string;
  key?: string;
  issuer?: string;
  audience?: string;
  expires?: string | number;
  claims?: unknown;
}

function forge({
  alg = 'HS256',
  key = secret,
  issuer = signedClaims.issuer,
  audience = signedClaims.audience,
  expires = '5m',
  claims = tenant.admin,
}: Claim): Promise<string> {
  return new SignJWT({ claims })
    .setProtectedHeader({ alg })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(key));
}

/** Tokens that must be worth nothing, by name. */
async function badTokens(): Promise<Record<string, string | undefined>> {
  const good = await forge({});
  const [head, , signature] = good.split('.');
  const raised = Buffer.from(
    JSON.stringify({
      iss: signedClaims.issuer,
      aud: signedClaims.audience,
      exp: 9e9,
      claims: { ...tenant.admin, role: 'OPERATOR' },
    }),
  );
  return {
    none: undefined,
    empty: '',
    'not a token': 'x.y.z',
    expired: await forge({ expires: Math.floor(Date.now() / 1000) - 1 }),
    'another key': await forge({ key: 'another secret of the same length' }),
    'another issuer': await forge({ issuer: 'somebody' }),
    'another audience': await forge({ audience: 'somewhere' }),
    'another algorithm': await forge({ alg: 'HS512', key: secret.padEnd(64, 'x') }),
    'alg none': new UnsecuredJWT({ claims: tenant.admin })
      .setIssuer(signedClaims.issuer)
      .setAudience(signedClaims.audience)
      .setExpirationTime('5m')
      .encode(),
    'a payload of another signature': `${head}.${raised.toString('base64url')}.${signature}`,
    'an access token': tenant.accessToken,
    'no claims in it': await forge({ claims: null }),
    'a role that is none': await forge({ claims: { ...tenant.admin, role: 'ROOT' } }),
    'a tenant that is no id': await forge({ claims: { ...tenant.admin, tenantId: "' or true --" } }),
    'a kind that is none': await forge({ claims: { ...tenant.admin, actorKind: 'GOD' } }),
  };
}

async function post(
  token: string | undefined,
  body: unknown,
  headers?: Record<string, string>,
): Promise<{ status: number; body: Anything }> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { [signedClaims.header]: token }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

describe('over HTTP', () => {
  it('answers who comes with signed claims', async () => {
    const { status, body } = await post(await sign(tenant.admin), { query: '{ tenant { id } }' });
    expect([status, body]).toEqual([200, { data: { tenant: { id: tenant.id } } }]);
    const remote = createRemoteSubgraph({ url, secret });
    const request = {
      query: '{ me { id } }',
      claims: tenant.admin,
      definitionsVersion: 1,
      requestId: 'r',
      clientAddress: '::1',
    };
    expect(await remote.execute(request)).toEqual({ data: { me: { id: tenant.adminId } } });
  });

  it('answers UNAUTHENTICATED to every other, and says no more', async () => {
    for (const [name, token] of Object.entries(await badTokens())) {
      for (const headers of [
        undefined,
        { authorization: `Bearer ${tenant.accessToken}`, 'x-tenant-id': tenant.id },
      ]) {
        const { status, body } = await post(token, { query: '{ tenant { id } plans { code } }' }, headers);
        expect([status, body.errors?.[0]?.extensions, body.data], name).toEqual([
          401,
          { code: 'UNAUTHENTICATED' },
          undefined,
        ]);
      }
    }
  });

  it('gives anonymous claims the public fields alone', async () => {
    const token = await sign(anonymousClaims);
    expect((await post(token, { query: '{ plans { code } }' })).body.data.plans).toHaveLength(3);
    const { body } = await post(token, { query: '{ tenant { id } }' });
    expect(body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  it.each([
    ['', 400],
    ['{', 400],
    ['[]', 400],
    ['{"query": 1}', 400],
    ['{"query": "{ plans { code } }", "variables": []}', 400],
    ['{"query": "{ plans { code } }", "variables": {"__proto__": {"role": "ADMIN"}}}', 400],
  ])('refuses the body %j without a stack', async (text, status) => {
    const answer = await post(await sign(tenant.admin), text);
    expect(answer.status).toBe(status);
    expect(answer.body.errors[0].extensions.code).toBe('BAD_USER_INPUT');
    expect(JSON.stringify(answer.body)).not.toMatch(/\bat .*\.[jt]s/);
  });

  it('masks what broke', async () => {
    const query = 'query ($first: Int) { users(first: $first) { nodes { id } } }';
    const broken: Claims = { ...tenant.admin, actorId: '00000000-0000-0000-0000-00000000000x' };
    const { body } = await post(await sign(broken), { query: '{ me { id } }' });
    expect(body.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    expect(
      (await post(await sign(tenant.admin), { query, variables: { first: 'x' } })).body.errors[0].extensions
        .code,
    ).toBe('BAD_USER_INPUT');
    const deep = `{ ${'a { '.repeat(2_000)} b ${'}'.repeat(2_000)} }`;
    expect(['GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']).toContain(
      (await post(await sign(tenant.admin), { query: deep })).body.errors[0].extensions.code,
    );
  });
});

describe('/internal', () => {
  const requests: [string, RequestInit][] = [
    ['/internal/sdl?audience=PUBLIC', {}],
    ['/internal/versions', {}],
    ['/internal/jwks', {}],
    ['/internal/identity', { method: 'POST', body: '{"kind":"API_KEY","key":"tk_x"}' }],
  ];
  const ask = async (
    [path, init]: [string, RequestInit],
    token?: string,
  ): Promise<{ status: number; body: Anything }> => {
    const headers = {
      ...(init.body ? { 'content-type': 'application/json' } : {}),
      ...(token ? { [signedClaims.header]: token } : {}),
    };
    const response = await fetch(url + path, { ...init, headers });
    return { status: response.status, body: await response.json() };
  };

  it('is the gateway’s alone', async () => {
    for (const request of requests) {
      expect((await ask(request, await sign(gatewayClaims))).status, request[0]).toBe(200);
      expect(await ask(request), request[0]).toMatchObject({
        status: 401,
        body: { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
      });
      const others: Claims[] = [
        tenant.admin,
        anonymousClaims,
        { ...tenant.admin, role: 'OPERATOR', actorKind: 'OPERATOR' },
        { ...tenant.admin, actorKind: 'SYSTEM' },
      ];
      for (const claims of others) {
        expect(await ask(request, await sign(claims)), request[0]).toMatchObject({
          status: 403,
          body: { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
        });
      }
      for (const [name, token] of Object.entries(await badTokens())) {
        if (token) expect((await ask(request, token)).status, `${request[0]} ${name}`).toBe(401);
      }
    }
  });

  it('gives SDL by audience, and refuses what is none', async () => {
    const token = await sign(gatewayClaims);
    const sdlOf = async (query: string) => (await ask([`/internal/sdl?${query}`, {}], token)).body;
    const open = await sdlOf('audience=PUBLIC');
    const whole = await sdlOf(`audience=TENANT&tenant=${tenant.id}&version=3`);
    expect(open.sdl).toContain('registerTenant');
    for (const hidden of ['ApiKey', 'createUser', 'tenants', 'FrontendConfig', 'UserConnection']) {
      expect(open.sdl).not.toContain(hidden);
      expect(whole.sdl).toContain(hidden);
    }
    expect((await sdlOf('audience=PLATFORM')).sdl).toBe(whole.sdl);
    for (const bad of [
      '',
      'audience=ROOT',
      'audience=TENANT',
      'audience=TENANT&tenant=x',
      `audience=TENANT&tenant=${tenant.id}&version=-1`,
    ]) {
      expect((await ask([`/internal/sdl?${bad}`, {}], token)).status, bad).toBe(400);
    }
  });

  it('refuses an identity request of no kind', async () => {
    const token = await sign(gatewayClaims);
    for (const body of [
      '{}',
      '{"kind":"ROOT"}',
      '{"kind":"SUBJECT","sub":1}',
      '[]',
      `{"kind":"API_KEY","key":"${'x'.repeat(300)}"}`,
    ]) {
      expect((await ask(['/internal/identity', { method: 'POST', body }], token)).status, body).toBe(400);
    }
  });
});

describe('over WebSocket', () => {
  /** The answers of one operation, or the close code of the connection. */
  async function run(
    params: Record<string, unknown>,
    query: string,
    extensions?: Record<string, unknown>,
  ): Promise<Anything> {
    const client = createClient({
      url: `${url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: params,
      retryAttempts: 0,
    });
    try {
      const answers: Anything[] = [];
      for await (const answer of client.iterate({ query, ...(extensions ? { extensions } : {}) }))
        answers.push(answer);
      return answers;
    } catch (error) {
      return Array.isArray(error) ? error : { closed: (error as { code?: number }).code };
    } finally {
      await client.dispose();
    }
  }

  it('answers who comes with signed claims, and closes on every other', async () => {
    const token = await sign(tenant.admin);
    expect(await run({ [signedClaims.header]: token }, '{ tenant { id } }')).toEqual([
      { data: { tenant: { id: tenant.id } } },
    ]);
    for (const [name, bad] of Object.entries(await badTokens())) {
      const params = bad === undefined ? {} : { [signedClaims.header]: bad };
      expect(
        await run({ authorization: `Bearer ${tenant.accessToken}`, ...params }, '{ tenant { id } }'),
        name,
      ).toEqual({ closed: 4403 });
    }
  });

  it('lets an operation bring claims of its own, checked like the connection’s', async () => {
    const anonymous = { [signedClaims.header]: await sign(anonymousClaims) };
    const query = '{ tenant { id } }';
    expect(await run(anonymous, query)).toMatchObject([
      { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] },
    ]);
    expect(await run(anonymous, query, { [signedClaims.header]: await sign(tenant.admin) })).toEqual([
      { data: { tenant: { id: tenant.id } } },
    ]);
    const bad = (await badTokens())['another key'];
    expect(await run(anonymous, query, { [signedClaims.header]: bad })).toMatchObject([
      { extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  it('refuses broken operations with their code', async () => {
    const params = { [signedClaims.header]: await sign(tenant.admin) };
    expect(await run(params, '{')).toMatchObject([{ extensions: { code: 'GRAPHQL_PARSE_FAILED' } }]);
    expect(await run(params, '{ nope }')).toMatchObject([
      { errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] },
    ]);
    expect(await run(params, '{ plans { code } }', { 'x-definitions-version': 'x' })).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });
});
