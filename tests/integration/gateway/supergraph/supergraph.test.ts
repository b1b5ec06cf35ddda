/** The gateway in front of a supergraph that is not ours: plain subgraphs over HTTP, marked fields, other teams' specs. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventHub } from '../fixtures/event-hub.ts';
import { openSocket } from '../fixtures/socket-client.ts';
import { startSupergraph } from './start-supergraph.ts';
import { servePlainSubgraph, type ServedPlainSubgraph } from './served-subgraph.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9",
  import: ["@key", "@external", "@requires", "@authenticated", "@requiresScopes", "@policy"])`;
const booksSdl = `${link}
  scalar federation__Scope scalar federation__Policy
  type Query { books: [Book!]! account: Account owner: String @authenticated media: [Media!]! header(name: String!): String }
  type Subscription { bookAdded: Book! audited: Book! @authenticated }
  interface Media { title: String! }
  type Book implements Media @key(fields: "isbn") {
    isbn: ID! title: String! cost: Int @requiresScopes(scopes: [["cost:read"], ["admin", "all"]])
    margin: Int! @policy(policies: [["finance"]])
    code: ID @authenticated
  }
  type Tape implements Media @authenticated { title: String! }
  extend type Query { authors: [Author!]! }
  type Author @key(fields: "code") { code: ID @authenticated }
  type Account @authenticated { balance: Int! }`;
const reviewsSdl = `${link}
  type Query { ping: String }
  type Book @key(fields: "isbn") @key(fields: "code") { isbn: ID! code: ID reviews: [Review!]! }
  type Author @key(fields: "code") { code: ID bio: String }
  type Review { stars: Int! by: String @authenticated }`
  .replace(' @key(fields: "code")', '')
  .replace(' code: ID reviews', ' reviews');

const hub = createEventHub();
const book = { isbn: '1', title: 'Emma', cost: 3, margin: 4, code: 'c1' };
let books: ServedPlainSubgraph;
let reviews: ServedPlainSubgraph;
let supergraphSdl: string;

beforeAll(async () => {
  books = await servePlainSubgraph('books', booksSdl, {
    Query: {
      books: () => [book],
      authors: () => [{ code: 'secret-1' }],
      account: () => ({ balance: 5 }),
      owner: () => 'Jane',
      media: () => [{ __typename: 'Book', ...book }],
      header: (_: unknown, { name }: { name: string }, { headers }: { headers: Record<string, string> }) =>
        headers[name] ?? null,
    },
    Subscription: {
      bookAdded: { subscribe: () => hub.subscribe('added'), resolve: () => book },
      audited: { subscribe: () => hub.subscribe('audited'), resolve: () => book },
    },
    Book: { __resolveReference: () => book },
  });
  reviews = await servePlainSubgraph('reviews', reviewsSdl, {
    Author: { __resolveReference: (it: object) => it, bio: () => 'writes' },
    Book: { __resolveReference: (it: object) => it, reviews: () => [{ stars: 5, by: 'Ann' }] },
  });
  const composed = composeServices(
    [books, reviews].map(({ name, url, sdl }) => ({ name, url, typeDefs: parse(sdl) })),
  );
  expect(composed.errors).toBeUndefined();
  supergraphSdl = composed.supergraphSdl ?? '';
});
afterAll(async () => {
  await books[Symbol.asyncDispose]();
  await reviews[Symbol.asyncDispose]();
});

const start = (environment: Record<string, string> = {}, sdl = supergraphSdl) =>
  startSupergraph(sdl, environment);

/** An issuer whose tokens the gateway may be told to believe. */
async function startIssuer() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] });
  const server = createServer((_request, response) => response.end(jwks));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`,
    sign: async (claims: Record<string, unknown>, issuer = 'idp') =>
      `Bearer ${await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', kid: 'k' })
        .setIssuer(issuer)
        .setExpirationTime('5m')
        .sign(privateKey)}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

describe('a supergraph file', () => {
  it('is served over HTTP, with a hop between its subgraphs and the allowed headers alone', async () => {
    await using gateway = await start();
    const answer = await gateway.post(
      '{ books { title reviews { stars } } token: header(name: "authorization") other: header(name: "cookie") id: header(name: "x-request-id") claims: header(name: "x-tenantry-claims") }',
      {
        authorization: 'Bearer theirs',
        cookie: 'a=b',
        'x-request-id': 'r-7',
        'x-tenantry-claims': 'forged',
      },
    );
    expect(answer).toMatchObject({ status: 200, errors: undefined });
    expect(answer.data).toEqual({
      books: [{ title: 'Emma', reviews: [{ stars: 5 }] }],
      ...{ token: 'Bearer theirs', other: null, id: 'r-7', claims: null },
    });
    expect(reviews.seen.at(-1)?.headers).toMatchObject({
      authorization: 'Bearer theirs',
      'x-request-id': 'r-7',
    });
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    expect(await (await fetch(`${gateway.url}/schema.graphql`)).text()).not.toContain('join__');
    const unknown = await gateway.post('{ nothing }');
    expect(unknown.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  it('is served over WebSocket, each event completed by the other subgraph', async () => {
    await using gateway = await start();
    await using client = await openSocket(gateway.url);
    await client.init({ authorization: 'Bearer mine' });
    client.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { bookAdded { title reviews { stars } } }' },
    });
    await hub.whenCount('added', 1);
    hub.publish('added', {});
    expect((await client.next('1')).payload).toEqual({
      data: { bookAdded: { title: 'Emma', reviews: [{ stars: 5 }] } },
    });
    const upstream = books.seen.findLast(({ query }) => query.includes('subscription'));
    expect(upstream?.headers['authorization']).toBe('Bearer mine');
    client.send({ type: 'complete', id: '1' });
    await hub.whenCount('added', 0);
  });

  it('shares upstreams among who sends the same, and sockets among their operations', async () => {
    await using gateway = await start();
    const clients = await Promise.all(['Bearer a', 'Bearer a', 'Bearer b'].map((it) => connect(it)));
    async function connect(authorization: string) {
      const client = await openSocket(gateway.url);
      await client.init({ authorization });
      return client;
    }
    for (const client of clients) await client.subscribe('1', 'subscription { bookAdded { title } }');
    expect([hub.count('added'), books.connections]).toEqual([2, 2]);
    await clients[0]?.subscribe('2', 'subscription { bookAdded { isbn } }');
    expect([hub.count('added'), books.connections]).toEqual([3, 2]);
    hub.publish('added', {});
    for (const client of clients)
      expect((await client.next('1')).payload).toEqual({ data: { bookAdded: { title: 'Emma' } } });
    for (const client of clients) await client[Symbol.asyncDispose]();
    await hub.whenCount('added', 0);
    await expect.poll(() => books.connections).toBe(0);
  });

  it('shares no upstream where that is configured', async () => {
    await using gateway = await start({ SHARE_SUBSCRIPTIONS: 'false' });
    await using client = await openSocket(gateway.url);
    await client.init();
    for (const id of ['1', '2']) await client.subscribe(id, 'subscription { bookAdded { title } }');
    expect([hub.count('added'), books.connections]).toEqual([2, 1]);
  });

  it('says so when an upstream is lost, and subscribes to it again', async () => {
    await using gateway = await start();
    await using client = await openSocket(gateway.url);
    await client.init();
    await client.subscribe('1', 'subscription { bookAdded { title } }');
    await books.stop();
    const ended = await client.next('1');
    expect(ended.payload.errors[0]).toMatchObject({
      message: expect.stringContaining('"books" was lost') as string,
      extensions: { code: 'SUBGRAPH_UNAVAILABLE' },
    });
    expect((await client.next('1')).type).toBe('complete');
    client.send({ type: 'subscribe', id: '2', payload: { query: 'subscription { bookAdded { title } }' } });
    expect((await client.next('2')).payload[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    await books.start();
    await client.subscribe('3', 'subscription { bookAdded { title } }');
    hub.publish('added', {});
    expect((await client.next('3')).payload).toEqual({ data: { bookAdded: { title: 'Emma' } } });
  });

  it.each(['0.1', '0.2', '0.3'])('of join v%s is loaded', async (version) => {
    const core = version === '0.1' ? 'core' : 'link';
    const sdl = `
      schema @${core === 'core' ? 'core(feature: "https://specs.apollo.dev/core/v0.1")' : 'link(url: "https://specs.apollo.dev/link/v1.0")'}
        @${core}(${core === 'core' ? 'feature' : 'url'}: "https://specs.apollo.dev/join/v${version}"${core === 'link' ? ', for: EXECUTION' : ''}) { query: Query }
      ${
        version === '0.1'
          ? `directive @core(feature: String!) repeatable on SCHEMA
             directive @join__field(graph: join__Graph, provides: join__FieldSet, requires: join__FieldSet) on FIELD_DEFINITION
             directive @join__owner(graph: join__Graph!) on INTERFACE | OBJECT
             directive @join__type(graph: join__Graph!, key: join__FieldSet) repeatable on INTERFACE | OBJECT`
          : `directive @link(url: String, as: String, for: link__Purpose, import: [link__Import]) repeatable on SCHEMA
             directive @join__field(graph: join__Graph${version === '0.2' ? '!' : ''}, requires: join__FieldSet, provides: join__FieldSet, type: String, external: Boolean, override: String, usedOverridden: Boolean) repeatable on FIELD_DEFINITION | INPUT_FIELD_DEFINITION
             directive @join__implements(graph: join__Graph!, interface: String!) repeatable on OBJECT | INTERFACE
             directive @join__type(graph: join__Graph!, key: join__FieldSet, extension: Boolean! = false, resolvable: Boolean! = true${version === '0.3' ? ', isInterfaceObject: Boolean! = false' : ''}) repeatable on OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
             ${version === '0.3' ? 'directive @join__enumValue(graph: join__Graph!) repeatable on ENUM_VALUE directive @join__unionMember(graph: join__Graph!, member: String!) repeatable on UNION' : ''}
             scalar link__Import enum link__Purpose { SECURITY EXECUTION }`
      }
      directive @join__graph(name: String!, url: String!) on ENUM_VALUE
      scalar join__FieldSet
      enum join__Graph { BOOKS @join__graph(name: "books", url: "${books.url}") }
      type Query ${version === '0.1' ? '' : '@join__type(graph: BOOKS)'} { owner: String @join__field(graph: BOOKS) }`;
    await using gateway = await start({}, sdl);
    expect((await gateway.post('{ owner }')).data).toEqual({ owner: 'Jane' });
  });

  it.each([
    ['no supergraph', 'type Query { a: Int }', /no enum join__Graph/],
    ['subgraphs without an address', '', /SUBGRAPH_URLS may give it one, books=/],
  ])('with %s is refused at the start', async (_what, sdl, message) => {
    await expect(start({}, sdl || supergraphSdl.replace(books.url, ''))).rejects.toThrow(message);
  });

  it('answers without a part whose subgraph is down', async () => {
    await using gateway = await start();
    await reviews.stop();
    const answer = await gateway.post('{ owner: header(name: "x") books { title } }');
    expect(answer.errors).toBeUndefined();
    const part = await gateway.post('{ books { title reviews { stars } } }');
    expect(part.errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    await reviews.start();
  });
});

describe('with authentication off', () => {
  const denied = (path: string[]) => ({ path, extensions: { code: 'UNAUTHORIZED_FIELD_OR_TYPE' } });

  it('marked fields and types are null, with an error each, and no subgraph is asked for them', async () => {
    await using gateway = await start();
    const before = books.seen.length;
    const answer = await gateway.post(
      '{ books { isbn cost c: code reviews { stars by } } owner account { balance } }',
    );
    expect(answer.data).toEqual({
      books: [{ isbn: '1', cost: null, c: null, reviews: [{ stars: 5, by: null }] }],
      ...{ owner: null, account: null },
    });
    expect(answer.errors).toHaveLength(5);
    expect(answer.errors).toMatchObject(
      [['books', 'cost'], ['books', 'c'], ['books', 'reviews', 'by'], ['owner'], ['account']].map(denied),
    );
    expect(
      books.seen
        .slice(before)
        .map(({ query }) => query)
        .join(),
    ).not.toMatch(/cost|code|owner|account/);
  });

  it('a key that the plan fetches for itself is not told', async () => {
    await using gateway = await start();
    const answer = await gateway.post('{ authors { code other: code bio } }');
    expect(answer.data).toEqual({ authors: [{ code: null, other: null, bio: 'writes' }] });
    expect(answer.errors).toMatchObject([denied(['authors', 'code']), denied(['authors', 'other'])]);
  });

  it('a null goes up where the schema allows none, with no other error', async () => {
    await using gateway = await start();
    const answer = await gateway.post('{ books { margin } header(name: "x") }');
    expect(answer).toMatchObject({ data: null, errors: [denied(['books', 'margin'])] });
  });

  it.each([
    ['a fragment', 'query { ...Q } fragment Q on Query { owner }'],
    ['an alias of an allowed field', '{ header: owner }'],
    ['a nested inline fragment', '{ ... on Query { ... { owner } } }'],
    ['a type that it answers', '{ account { __typename } }'],
    ['an interface of which one type is marked', '{ media { title } }'],
    ['a condition', 'query { owner @include(if: true) }'],
  ])('cannot be passed by %s', async (_way, query) => {
    await using gateway = await start({ UNAUTHORIZED: 'refuse' });
    const before = books.seen.length;
    const answer = await gateway.post(query);
    expect(answer.errors[0].extensions.code).toBe('UNAUTHORIZED_FIELD_OR_TYPE');
    expect(books.seen).toHaveLength(before);
    await using filtering = await start();
    const filtered = await filtering.post(query);
    expect(JSON.stringify(filtered.data ?? null)).not.toMatch(/Jane|balance|Account|Emma/);
    expect(filtered.errors[0].extensions.code).toBe('UNAUTHORIZED_FIELD_OR_TYPE');
  });

  it('the whole operation is refused where that is configured', async () => {
    await using gateway = await start({ UNAUTHORIZED: 'refuse' });
    const answer = await gateway.post('{ books { title cost } }');
    expect(answer).toMatchObject({ data: null, errors: [denied(['books', 'cost'])] });
    expect((await gateway.post('{ books { title } }')).errors).toBeUndefined();
  });

  it('a marked subscription is refused, and a token that nobody verified grants nothing', async () => {
    await using gateway = await start();
    await using client = await openSocket(gateway.url);
    await client.init({ authorization: 'Bearer whatever' });
    client.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { audited { title } }' } });
    expect((await client.next('1')).payload[0].extensions.code).toBe('UNAUTHORIZED_FIELD_OR_TYPE');
    expect(hub.count('audited')).toBe(0);
  });
});

describe('with an issuer configured', () => {
  it('grants what the token holds: authentication, scopes, policies', async () => {
    await using issuer = await startIssuer();
    await using gateway = await start({ AUTH_JWKS_URL: issuer.url, AUTH_ISSUER: 'idp' });
    const query = '{ owner books { cost } }';
    const plain = await gateway.post(query, { authorization: await issuer.sign({}) });
    expect(plain.data).toEqual({ owner: 'Jane', books: [{ cost: null }] });
    const half = await gateway.post(query, { authorization: await issuer.sign({ scope: 'admin' }) });
    expect(half.data.books).toEqual([{ cost: null }]);
    for (const scope of ['cost:read', 'all admin']) {
      const full = await gateway.post(query, { authorization: await issuer.sign({ scope }) });
      expect(full).toMatchObject({ errors: undefined, data: { books: [{ cost: 3 }] } });
    }
    const finance = await gateway.post('{ books { margin } }', {
      authorization: await issuer.sign({ policies: ['finance'] }),
    });
    expect(finance.data).toEqual({ books: [{ margin: 4 }] });
    expect((await gateway.post('{ owner }')).data).toEqual({ owner: null });
  });

  it('refuses a bad token with 401, and one of another issuer', async () => {
    await using issuer = await startIssuer();
    await using other = await startIssuer();
    await using gateway = await start({ AUTH_JWKS_URL: issuer.url, AUTH_ISSUER: 'idp' });
    for (const authorization of [
      'Bearer x',
      'Basic abc',
      await other.sign({}),
      await issuer.sign({}, 'somebody'),
    ]) {
      const answer = await gateway.post('{ books { title } }', { authorization });
      expect(answer).toMatchObject({ status: 401, errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    }
  });
});
