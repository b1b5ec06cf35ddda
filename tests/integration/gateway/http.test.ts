/** GraphQL over HTTP, to the letter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from './fixtures/test-gateway.ts';
import type { TestTenant } from './fixtures/test-subgraphs.ts';

let platform: TestGateway;
let tenant: TestTenant;
let authorization: string;

beforeAll(async () => {
  platform = await startTestGateway();
  tenant = platform.addTenant('acme');
  authorization = await platform.signIn(tenant, 'ADMIN');
});
afterAll(() => platform[Symbol.asyncDispose]());

const send = (init: RequestInit & { path?: string }): Promise<Response> =>
  fetch(`${platform.url}${init.path ?? '/graphql'}`, init);
const get = (parameters: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> =>
  send({ path: `/graphql?${new URLSearchParams(parameters)}`, headers });
const postText = (body: string, headers: Record<string, string> = {}): Promise<Response> =>
  send({ method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('what comes in', () => {
  it('answers GET with parameters', async () => {
    const query = 'query ($input: EchoInput) { echo(input: $input) }';
    const response = await get({ query, variables: '{"input":{"text":"hi"}}' }, { authorization });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ data: { echo: 'hi' } });
  });

  it('refuses a mutation over GET with 405 and says what is allowed', async () => {
    const response = await get({ query: 'mutation { createMovie(title: "x") { id } }' }, { authorization });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('POST');
    expect(tenant.movies.size).toBe(0);
  });

  it.each(['PUT', 'DELETE', 'PATCH'])('refuses %s with 405', async (method) => {
    const response = await send({ method });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toContain('POST');
  });

  it('takes the operation that is named, and refuses to guess', async () => {
    const query = 'query A { plans } query B { me { id } }';
    const named = await platform.post(query, { authorization, operationName: 'B' });
    expect(named.data).toMatchObject({ me: { id: 'user-1' } });
    for (const operationName of [undefined, 'C']) {
      const answer = await platform.post(query, { authorization, operationName });
      expect(answer.status).toBe(400);
      expect(answer.errors?.[0]?.extensions['code']).toBe('OPERATION_RESOLUTION_FAILURE');
    }
  });

  it.each([
    ['no JSON', '{"query"', 400],
    ['a list of requests', '[{"query":"{ plans }"}]', 400],
    ['an empty object', '{}', 400],
    ['a query that is no text', '{"query":{"a":1}}', 400],
    ['variables that are no object', '{"query":"{ plans }","variables":"x"}', 400],
    ['variables in a list', '{"query":"{ plans }","variables":[1]}', 400],
  ])('refuses %s', async (_what, body, status) => {
    const response = await postText(body);
    expect(response.status).toBe(status);
    const { errors, data } = (await response.json()) as {
      errors: { extensions: { code: string } }[];
      data?: unknown;
    };
    expect(errors[0]?.extensions.code).toMatch(/^(BAD_REQUEST|GRAPHQL_PARSE_FAILED)$/);
    expect(data).toBeUndefined();
  });

  it('refuses other content types with 415', async () => {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
    ]) {
      expect((await postText('query={plans}', { 'content-type': type })).status).toBe(415);
    }
  });

  it('refuses a body over a megabyte with 413 and a code', async () => {
    const response = await postText(JSON.stringify({ query: `{ plans } # ${'x'.repeat(10 * 2 ** 20)}` }));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('refuses a subscription over HTTP', async () => {
    const answer = await platform.post('subscription { movieChanged { cursor } }', { authorization });
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.message).toContain('WebSocket');
  });
});

describe('what goes out', () => {
  it.each([
    ['application/graphql-response+json', 'application/graphql-response+json'],
    ['application/json', 'application/json'],
    ['*/*', 'application/json'],
    ['application/graphql-response+json, application/json;q=0.9', 'application/graphql-response+json'],
  ])('speaks %s', async (accept, type) => {
    const response = await postText('{"query":"{ plans }"}', { accept });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(
      new RegExp(`^${type.replace('+', '\\+')}; ?charset=utf-8`),
    );
  });

  it('answers 406 where none of its types is accepted', async () => {
    expect((await postText('{"query":"{ plans }"}', { accept: 'text/csv' })).status).toBe(406);
  });

  it.each([
    ['what does not parse', '{'],
    ['what does not validate', '{ nosuch }'],
    ['variables that do not fit', 'query ($input: EchoInput) { echo(input: $input) }'],
  ])(
    'answers %s with 200 in application/json and 400 in application/graphql-response+json',
    async (_what, query) => {
      const body = JSON.stringify({ query, variables: { input: 5 } });
      expect((await postText(body, { authorization, accept: 'application/json' })).status).toBe(200);
      expect(
        (await postText(body, { authorization, accept: 'application/graphql-response+json' })).status,
      ).toBe(400);
    },
  );

  it('passes errors of subgraphs on with code and path, beside the data', async () => {
    const answer = await platform.post('{ failing plans }', { authorization });
    expect(answer.status).toBe(200);
    expect(answer.data).toMatchObject({ failing: null });
    expect(answer.errors).toMatchObject([
      { message: 'It went wrong', path: ['failing'], extensions: { code: 'CONFLICT' } },
    ]);
    expect(JSON.stringify(answer.errors)).not.toContain('serviceName');
  });

  it('names the field of a bad variable', async () => {
    const query = 'query ($input: EchoInput) { echo(input: $input) }';
    const answer = await platform.post(query, { authorization, variables: { input: { count: 'many' } } });
    expect(answer.status).toBe(400);
    expect(answer.data).toBeUndefined();
    const fields = (answer.errors ?? []).flatMap((error) => error.extensions['fields']);
    expect(fields).toMatchObject([
      { field: expect.stringMatching(/input\.(text|count)/) as string },
      { field: expect.stringMatching(/input\.(text|count)/) as string },
    ]);
    expect(answer.errors?.every((error) => error.extensions['code'] === 'BAD_USER_INPUT')).toBe(true);
  });

  it('introspects the tenant, with descriptions', async () => {
    const query =
      '{ __type(name: "Movie") { name description fields { name } } __schema { subscriptionType { name } } }';
    const answer = await platform.post(query, { authorization });
    expect(answer.data).toMatchObject({
      __type: { name: 'Movie', description: 'A film.' },
      __schema: { subscriptionType: { name: 'Subscription' } },
    });
  });

  it('carries security headers, a request id, and CORS for any page that has a token', async () => {
    const response = await postText('{"query":"{ plans }"}', {
      origin: 'https://app.example',
      'x-request-id': 'abc-1',
    });
    expect(response.headers.get('x-request-id')).toBe('abc-1');
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-credentials')).toBeNull();
    expect(response.headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    const preflight = await send({
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
  });
});

describe('what is too much', () => {
  const nested = (depth: number): string => `{ ${'a { '.repeat(depth)} b ${'} '.repeat(depth)} }`;
  const doubling = Array.from(
    { length: 40 },
    (_, level) => `fragment F${level} on Query { ...F${level + 1} ...F${level + 1} }`,
  );

  it.each([
    ['2,000 levels', nested(2_000)],
    ['300 levels', nested(300)],
    ['100,000 levels of a list', `{ a(b: ${'['.repeat(100_000)}${']'.repeat(100_000)}) }`],
    ['20,000 fields', `{ ${'plans '.repeat(20_000)} }`],
    ['fragments that double each other', `{ ...F0 } ${doubling.join(' ')} fragment F40 on Query { plans }`],
  ])('refuses %s as too complex', async (_what, query) => {
    const answer = await platform.post(query, { authorization });
    expect(answer.status).toBe(400);
    expect(answer.errors?.[0]?.extensions['code']).toBe('QUERY_TOO_COMPLEX');
  });

  it('refuses fragments that go in circles', async () => {
    const query = '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }';
    const answer = await platform.post(query, { authorization });
    expect(answer.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  });
});

describe('beside /graphql', () => {
  it('gives each caller its own SDL', async () => {
    const own = await send({ path: '/schema.graphql', headers: { authorization } });
    const text = await own.text();
    expect(text).toContain('type Movie {');
    expect(text).not.toContain('@key');
    const etag = own.headers.get('etag') ?? '';
    const again = await send({ path: '/schema.graphql', headers: { authorization, 'if-none-match': etag } });
    expect(again.status).toBe(304);
    const open = await (await send({ path: '/schema.graphql' })).text();
    expect(open).toContain('login(');
    expect(open).not.toContain('Movie');
    expect((await send({ path: '/schema.graphql', headers: { authorization: 'Bearer x' } })).status).toBe(
      401,
    );
  });

  it('serves keys and health', async () => {
    const jwks = (await (await send({ path: '/.well-known/jwks.json' })).json()) as {
      keys: { kid: string }[];
    };
    expect(jwks.keys.map((key) => key.kid)).toEqual(['key-1']);
    expect(JSON.stringify(jwks)).not.toContain('"d"');
    expect((await send({ path: '/healthz' })).status).toBe(200);
    expect((await send({ path: '/readyz' })).status).toBe(200);
    expect((await send({ path: '/nowhere' })).status).toBe(404);
  });
});

it('shows an unexpected failure by its request id only, and logs its cause', async () => {
  const entities = platform.subgraphs.services.find((service) => service.name === 'entities');
  const execute = entities?.execute;
  Object.assign(entities ?? {}, {
    execute: () => Promise.reject(new Error('password=hunter2 at /srv/db.ts')),
  });
  const answer = await platform.post('{ movies { id } }', {
    authorization,
    headers: { 'x-request-id': 'req-9' },
  });
  Object.assign(entities ?? {}, { execute });
  expect(answer.errors).toMatchObject([
    { message: 'Internal error (request req-9)', extensions: { code: 'INTERNAL_SERVER_ERROR' } },
  ]);
  const logged = platform.log.find((entry) => entry.details['requestId'] === 'req-9');
  expect(String((logged?.details['err'] as Error | undefined)?.message)).toContain('hunter2');
});

it('tells the subgraphs when the client has gone', async () => {
  const controller = new AbortController();
  const request = fetch(`${platform.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization },
    body: JSON.stringify({ query: '{ slow }' }),
    signal: controller.signal,
  });
  request.catch(() => undefined);
  const isSlow = (entry: (typeof platform.subgraphs.seen)[number]): boolean =>
    entry.request.query.includes('slow');
  await expect.poll(() => platform.subgraphs.seen.some(isSlow)).toBe(true);
  const { signal } = platform.subgraphs.seen.find(isSlow)?.request ?? {};
  const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
  controller.abort();
  await aborted;
  expect(signal?.aborted).toBe(true);
});
