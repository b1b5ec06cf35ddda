/** Another team's subgraph in tenants' graphs: what it adds, what it is told, and what it can never spoil. */
import { createHmac } from 'node:crypto';
import { jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { createEventHub } from '../fixtures/event-hub.ts';
import { openSocket } from '../fixtures/socket-client.ts';
import { startTestGateway, type TestGateway } from '../fixtures/test-gateway.ts';
import { servePlainSubgraph, type ServedPlainSubgraph } from '../supergraph/served-subgraph.ts';

const subgraphSecret = 'a secret of the test alone';
const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7",
  import: ["@key", "@shareable", "@external", "@requires", "@override", "@inaccessible"])`;
const reviewsSdl = `${link}
  type Query { topReviews: [Review!]! }
  type Mutation { addReview(text: String!): Review! }
  type Subscription { reviewAdded: Review! }
  type Review { text: String! author: User movie: Movie }
  type User @key(fields: "id") { id: ID! reviews: [Review!]! }
  type Movie @key(fields: "id") { id: ID! title: String! @external stars: Int shout: String @requires(fields: "title") }`;

const hub = createEventHub();
const reviewsResolvers = {
  Query: { topReviews: () => [{ text: 'good', author: { id: 'user-1' }, movie: { id: 'm1' } }] },
  Mutation: { addReview: (_: unknown, { text }: { text: string }) => ({ text, movie: { id: 'm1' } }) },
  Subscription: {
    reviewAdded: { subscribe: () => hub.subscribe('added'), resolve: (event: unknown) => event },
  },
  User: {
    __resolveReference: (user: object) => user,
    reviews: ({ id }: { id: string }) => [{ text: `by ${id}` }],
  },
  Movie: {
    __resolveReference: (movie: object) => movie,
    stars: () => 5,
    shout: ({ title }: { title: string }) => title.toUpperCase(),
  },
};

const serveReviews = (sdl = reviewsSdl): Promise<ServedPlainSubgraph> =>
  servePlainSubgraph('reviews', sdl, reviewsResolvers);

const environment = (extra: ServedPlainSubgraph, more: Record<string, string> = {}) => ({
  EXTRA_SUBGRAPHS: `reviews=${extra.url}`,
  SUBGRAPH_SECRET: subgraphSecret,
  ...more,
});

async function signInNew(platform: TestGateway, slug: string) {
  const tenant = platform.addTenant(slug);
  const authorization = await platform.signIn(tenant, 'ADMIN');
  await platform.post('mutation { createMovie(title: "Cléo") { id } }', { authorization });
  return { tenant, authorization };
}

async function readyz(platform: TestGateway) {
  const response = await fetch(`${platform.url}/readyz`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('an extra subgraph', () => {
  it('adds root fields, and fields to tenants’ own types, both ways', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    const answer = await platform.post(
      '{ topReviews { text author { email } movie { title stars } } movies { shout stars createdBy { email reviews { text } } } }',
      { authorization },
    );
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      topReviews: [
        { text: 'good', author: { email: 'user-1@example.com' }, movie: { title: 'Cléo', stars: 5 } },
      ],
      movies: [
        {
          ...{ shout: 'CLÉO', stars: 5 },
          createdBy: { email: 'user-1@example.com', reviews: [{ text: 'by user-1' }] },
        },
      ],
    });
    const added = await platform.post('mutation { addReview(text: "x") { text movie { title } } }', {
      authorization,
    });
    expect(added.data).toEqual({ addReview: { text: 'x', movie: { title: 'Cléo' } } });
    expect((await readyz(platform)).body).toEqual({
      status: 'ready',
      extraSubgraphs: [{ name: 'reviews', status: 'UP', hasSchema: true, leftOut: 0 }],
    });
  });

  it('is in no graph but a tenant’s', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const names = async (authorization?: string): Promise<string[]> => {
      const { data } = await platform.post('{ __schema { queryType { fields { name } } } }', {
        authorization,
      });
      return data.__schema.queryType.fields.map(({ name }: { name: string }) => name);
    };
    const { authorization } = await signInNew(platform, 'acme');
    expect(await names(authorization)).toContain('topReviews');
    expect(await names()).not.toContain('topReviews');
    expect(await names(await platform.signIn(null, 'OPERATOR'))).not.toContain('topReviews');
  });

  it('is told who asks by claims under its own secret, and gets the allowed headers alone', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({
      environment: environment(extra, { FORWARD_HEADERS: 'x-color' }),
    });
    const { tenant, authorization } = await signInNew(platform, 'acme');
    await platform.post('{ topReviews { text } }', {
      authorization,
      headers: { 'x-color': 'red', 'x-other': 'no', cookie: 'session=1' },
    });
    const headers: Record<string, unknown> =
      extra.seen.find(({ query }) => query.includes('topReviews'))?.headers ?? {};
    expect(headers).toMatchObject({ 'x-color': 'red', 'x-request-id': expect.any(String) });
    expect(Object.keys(headers)).not.toEqual(expect.arrayContaining(['x-other']));
    expect([headers['authorization'], headers['cookie']]).toEqual([undefined, undefined]);
    const token = String(headers['x-tenantry-claims']);
    const secret = createHmac('sha256', subgraphSecret).update('extra-subgraph:reviews').digest('hex');
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
      issuer: 'tenantry-gateway',
      audience: 'tenantry-subgraph:reviews',
    });
    expect(payload['claims']).toMatchObject({ tenantId: tenant.id, role: 'ADMIN', actorId: 'user-1' });
    // What it was sent opens no door of ours: another key, another audience.
    await expect(jwtVerify(token, new TextEncoder().encode(subgraphSecret))).rejects.toThrow();
  });

  it('is subscribed to under its caller’s claims', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    await client.subscribe('1', 'subscription { reviewAdded { text movie { title } } }');
    await hub.whenCount('added', 1);
    hub.publish('added', { text: 'new', movie: { id: 'm1' } });
    expect((await client.next('1')).payload).toEqual({
      data: { reviewAdded: { text: 'new', movie: { title: 'Cléo' } } },
    });
    client.send({ type: 'complete', id: '1' });
    await hub.whenCount('added', 0);
  });
});

describe('one that is', () => {
  it('down from the start: graphs are made without it; it joins by itself when it comes', async () => {
    await using extra = await serveReviews();
    await extra.stop();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    expect((await platform.post('{ movies { title } }', { authorization })).errors).toBeUndefined();
    expect((await platform.post('{ topReviews { text } }', { authorization })).status).toBe(400);
    expect(await readyz(platform)).toMatchObject({
      status: 200,
      body: { extraSubgraphs: [{ status: 'DOWN', hasSchema: false }] },
    });
    expect(
      platform.log.filter(({ message }) => message.includes('does not answer for its schema')),
    ).toHaveLength(1);
    await extra.start();
    await expect
      .poll(async () => (await platform.post('{ topReviews { text } }', { authorization })).status, {
        timeout: 15_000,
      })
      .toBe(200);
  });

  it('lost later: its part of an answer fails with a code, its fields stay, and it recovers', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { tenant, authorization } = await signInNew(platform, 'acme');
    const query = '{ movies { title stars } }';
    expect((await platform.post(query, { authorization })).data).toEqual({
      movies: [{ title: 'Cléo', stars: 5 }],
    });
    await extra.stop();
    await expect
      .poll(async () => (await readyz(platform)).body, { timeout: 15_000 })
      .toMatchObject({ extraSubgraphs: [{ status: 'DOWN', hasSchema: true }] });
    // Also in a graph that is made anew meanwhile.
    platform.change(tenant, (it) => {
      it.fields.push('rating');
      it.definitionsVersion += 1;
    });
    await expect
      .poll(async () => (await platform.post('{ movies { rating stars } }', { authorization })).status)
      .toBe(200);
    const part = await platform.post(query, { authorization });
    expect(part.data).toEqual({ movies: [{ title: 'Cléo', stars: null }] });
    expect(part.errors?.[0]?.extensions['code']).toBe('SUBGRAPH_UNAVAILABLE');
    await extra.start();
    await expect
      .poll(async () => (await platform.post(query, { authorization })).errors, { timeout: 15_000 })
      .toBeUndefined();
  });

  it('broken: the last good schema stays, it is reported once, and what follows is taken', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    expect((await platform.post('{ topReviews { text } }', { authorization })).status).toBe(200);
    extra.rubbish = JSON.stringify({ data: { _service: { sdl: 'type Query { a: NoSuch }' } } });
    await expect
      .poll(async () => (await readyz(platform)).body, { timeout: 15_000 })
      .toMatchObject({ extraSubgraphs: [{ status: 'BROKEN', hasSchema: true }] });
    expect((await platform.post('{ movies { title } }', { authorization })).errors).toBeUndefined();
    expect(platform.log.filter(({ message }) => message.includes('is no good'))).toHaveLength(1);
    extra.rubbish = null;
    extra.sdl = reviewsSdl.replace('topReviews', 'bestReviews');
    await expect
      .poll(async () => (await platform.post('{ bestReviews { text } }', { authorization })).status, {
        timeout: 15_000,
      })
      .toBe(200);
    expect((await platform.post('{ topReviews { text } }', { authorization })).status).toBe(400);
  });

  it('clashing with one tenant’s definitions: that tenant’s graph alone is made without it', async () => {
    const clashing = `${link} type Query { topReviews: Int } type Movie @key(fields: "id") { id: ID! rating: Int }`;
    await using extra = await servePlainSubgraph('reviews', clashing, {
      Query: { topReviews: () => 1 },
    });
    await using platform = await startTestGateway({ environment: environment(extra) });
    const acme = await signInNew(platform, 'acme');
    const globex = await signInNew(platform, 'globex');
    const status = async ({ authorization }: { authorization: string }) =>
      (await platform.post('{ topReviews }', { authorization })).status;
    expect([await status(acme), await status(globex)]).toEqual([200, 200]);
    const changed = await platform.post('mutation { createField(name: "rating") }', {
      authorization: acme.authorization,
    });
    expect(changed.errors).toBeUndefined();
    expect([await status(acme), await status(globex)]).toEqual([400, 200]);
    const own = await platform.post('{ movies { rating } }', { authorization: acme.authorization });
    expect(own.data).toEqual({ movies: [{ rating: 'rating of Cléo' }] });
    expect((await readyz(platform)).body).toMatchObject({ extraSubgraphs: [{ status: 'UP', leftOut: 1 }] });
    expect(platform.log.filter(({ message }) => message.includes('without an extra'))).toMatchObject([
      { details: { tenantId: acme.tenant.id, subgraph: 'reviews' } },
    ]);
  });

  it('clashing itself: it is left out, and another beside it is not', async () => {
    await using good = await serveReviews();
    await using bad = await servePlainSubgraph(
      'bad',
      `${link} type Query { movies: [String!]! surprise: Int }`,
      {},
    );
    await using platform = await startTestGateway({
      environment: environment(good, { EXTRA_SUBGRAPHS: `bad=${bad.url},reviews=${good.url}` }),
    });
    const { authorization } = await signInNew(platform, 'acme');
    expect(
      (await platform.post('{ topReviews { text } movies { title } }', { authorization })).errors,
    ).toBeUndefined();
    expect((await platform.post('{ surprise }', { authorization })).status).toBe(400);
    expect((await readyz(platform)).body).toMatchObject({
      extraSubgraphs: [
        { name: 'bad', leftOut: 1 },
        { name: 'reviews', leftOut: 0 },
      ],
    });
  });
});

describe('one that means harm', () => {
  it('answers more than it was asked: none of it is believed', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    const query = '{ me { id email role reviews { text } } topReviews { text } plans }';
    expect((await platform.post(query, { authorization })).errors).toBeUndefined();
    extra.rubbish = JSON.stringify({
      data: {
        topReviews: [{ text: 'x' }],
        me: { id: 'user-9', email: 'evil@example.com', role: 'VIEWER' },
        plans: ['EVERYTHING'],
        _entities: [
          { __typename: 'User', id: 'user-9', email: 'evil@example.com', reviews: [{ text: 'y' }] },
        ],
      },
    });
    expect((await platform.post(query, { authorization })).data).toEqual({
      me: { id: 'user-1', email: 'user-1@example.com', role: 'ADMIN', reviews: [{ text: 'y' }] },
      topReviews: [{ text: 'x' }],
      plans: ['FREE', 'PROFESSIONAL'],
    });
  });

  it('names what its caller may not have: our subgraphs decide by the caller’s claims', async () => {
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    await signInNew(platform, 'acme');
    const globex = platform.addTenant('globex');
    const authorization = await platform.signIn(globex, 'ADMIN');
    // The review names the other tenant's movie.
    const answer = await platform.post('{ topReviews { movie { id title } } }', { authorization });
    expect(answer.data.topReviews[0].movie?.title ?? null).toBeNull();
  });

  it('sends rubbish over a socket: the subscription ends with a code, the gateway does not', async () => {
    const { WebSocketServer } = await import('ws');
    await using extra = await serveReviews();
    await using platform = await startTestGateway({ environment: environment(extra) });
    const { authorization } = await signInNew(platform, 'acme');
    expect((await platform.post('{ topReviews { text } }', { authorization })).status).toBe(200);
    const { port } = new URL(extra.url);
    await extra.stop();
    await using stack = new AsyncDisposableStack();
    const rude = new WebSocketServer({ port: Number(port), host: '127.0.0.1' });
    stack.defer(() => rude.close());
    rude.on('connection', (socket) => {
      socket.on('message', (data) => {
        const { type, id } = JSON.parse((data as Buffer).toString()) as { type: string; id: string };
        if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
        if (type === 'subscribe') socket.send(JSON.stringify({ type: 'error', id, payload: 7 }));
      });
    });
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    client.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { reviewAdded { text } }' } });
    const refused = await client.next('1');
    expect(JSON.stringify(refused.payload)).toContain('SUBGRAPH_UNAVAILABLE');
    expect((await platform.post('{ movies { title } }', { authorization })).errors).toBeUndefined();
  });
});
