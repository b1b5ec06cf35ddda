/** graphql-transport-ws at /graphql: who connects, what runs, when a Pong comes, and how rights and graphs change below. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSocket, type SocketClient } from './fixtures/socket-client.ts';
import { startTestGateway, type TestGateway } from './fixtures/test-gateway.ts';
import type { TestTenant } from './fixtures/test-subgraphs.ts';

let platform: TestGateway;
let tenant: TestTenant;
let authorization: string;

beforeAll(async () => {
  platform = await startTestGateway({ environment: { ALLOWED_ORIGINS: 'https://console.example' } });
  tenant = platform.addTenant('acme');
  authorization = await platform.signIn(tenant, 'ADMIN');
});
afterAll(() => platform[Symbol.asyncDispose]());

const createMovie = (title: string): Promise<unknown> =>
  platform.post('mutation ($title: String!) { createMovie(title: $title) { id } }', {
    authorization,
    variables: { title },
  });
const topic = (): string => `${tenant.id} movieChanged`;

describe('connecting', () => {
  it.each([
    ['a forged token', { authorization: 'Bearer x' }, 4401, 'UNAUTHENTICATED'],
    ['an unknown key', { authorization: 'ApiKey tk_nosuch' }, 4401, 'UNAUTHENTICATED'],
  ])('with %s is refused', async (_what, payload, code, reason) => {
    await using client = await openSocket(platform.url);
    client.send({ type: 'connection_init', payload });
    const closed = await client.closed;
    expect(closed.code).toBe(code);
    expect(closed.reason).toContain(reason);
  });

  it('with another tenant is refused', async () => {
    await using client = await openSocket(platform.url);
    client.send({ type: 'connection_init', payload: { authorization, 'x-tenant-id': 'globex' } });
    expect(await client.closed).toMatchObject({
      code: 4403,
      reason: expect.stringContaining('FORBIDDEN') as string,
    });
  });

  it('without credentials sees the public graph only', async () => {
    await using client = await openSocket(platform.url);
    await client.init();
    client.send({ type: 'subscribe', id: '1', payload: { query: '{ plans }' } });
    expect((await client.next('1')).payload).toEqual({ data: { plans: ['FREE', 'PROFESSIONAL'] } });
    client.send({
      type: 'subscribe',
      id: '2',
      payload: { query: 'subscription { movieChanged { cursor } }' },
    });
    const refused = await client.next('2');
    expect(refused.type).toBe('error');
    expect(refused.payload[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  it('by cookie needs an origin that is ours or allowed', async () => {
    const cookie = `tenantry_session=${authorization.slice('Bearer '.length)}`;
    for (const [origin, sees] of [
      ['https://console.example', true],
      ['https://evil.example', false],
    ] as const) {
      await using client = await openSocket(platform.url, { cookie, origin });
      await client.init();
      client.send({ type: 'subscribe', id: '1', payload: { query: '{ me { id } }' } });
      expect((await client.next('1')).type).toBe(sees ? 'next' : 'error');
    }
  });

  it('elsewhere or with another protocol is refused', async () => {
    const elsewhere = new WebSocket(`${platform.url.replace('http', 'ws')}/other`, 'graphql-transport-ws');
    const [error] = (await once(elsewhere, 'error')) as [Error];
    expect(error.message).toContain('404');
    const old = new WebSocket(`${platform.url.replace('http', 'ws')}/graphql`, 'graphql-ws');
    await once(old, 'error').catch(() => undefined);
    expect(old.readyState).not.toBe(WebSocket.OPEN);
  });

  it('does not take a Subscribe before the connection is acknowledged, nor rubbish', async () => {
    await using early = await openSocket(platform.url);
    early.send({ type: 'subscribe', id: '1', payload: { query: '{ plans }' } });
    expect((await early.closed).code).toBe(4401);
    await using rubbish = await openSocket(platform.url);
    rubbish.socket.send('{"type":');
    expect((await rubbish.closed).code).toBe(4400);
    await using large = await openSocket(platform.url);
    await large.init({ authorization });
    large.send({ type: 'subscribe', id: '1', payload: { query: `{ plans } # ${'x'.repeat(5 * 2 ** 20)}` } });
    expect((await large.closed).code).toBe(1009);
  });
});

describe('operations', () => {
  it('run queries and mutations, with the errors of HTTP', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    client.send({ type: 'subscribe', id: 'q', payload: { query: '{ me { role } }' } });
    expect((await client.next('q')).payload).toEqual({ data: { me: { role: 'ADMIN' } } });
    expect((await client.next('q')).type).toBe('complete');
    client.send({ type: 'subscribe', id: 'v', payload: { query: '{ nosuch }' } });
    const invalid = await client.next('v');
    expect([invalid.type, invalid.payload[0].extensions.code]).toEqual([
      'error',
      'GRAPHQL_VALIDATION_FAILED',
    ]);
    client.send({ type: 'subscribe', id: 's', payload: { query: 'subscription { ticks(a: ' } });
    expect((await client.next('s')).payload[0].extensions.code).toBe('GRAPHQL_PARSE_FAILED');
  });

  it('deliver each event once, in order, with fields of the other subgraphs', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    await client.subscribe(
      '1',
      'subscription { movieChanged { cursor movie { title createdBy { email } } } }',
    );
    const titles = Array.from({ length: 20 }, (_, index) => `movie ${index}`);
    for (const title of titles) await createMovie(title);
    for (const title of titles) {
      const { payload } = await client.next('1');
      expect(payload.errors).toBeUndefined();
      expect(payload.data.movieChanged.movie).toEqual({ title, createdBy: { email: 'user-1@example.com' } });
    }
    client.send({ type: 'complete', id: '1' });
    await platform.subgraphs.hub.whenCount(topic(), 0);
  });

  it('are refused by the upstream with its code', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization: await platform.signIn(tenant, 'VIEWER') });
    client.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { ticks }' } });
    const refused = await client.next('1');
    expect([refused.type, refused.payload[0].extensions.code]).toEqual(['error', 'FORBIDDEN']);
  });

  it('answer a Ping only when the Subscribe before it has its place', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    const gate = Promise.withResolvers<void>();
    platform.subgraphs.holdSubscribe = gate.promise;
    client.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { movieChanged { cursor } }' },
    });
    client.send({ type: 'ping', payload: { id: 'after' } });
    // An answer to a query sent later shows that the server went on without the Pong.
    client.send({ type: 'subscribe', id: 'q', payload: { query: '{ plans }' } });
    await client.next('q');
    expect(client.inbox.some((message) => message.type === 'pong')).toBe(false);
    platform.subgraphs.holdSubscribe = null;
    gate.resolve();
    await client.take((message) => message.type === 'pong');
    expect(platform.subgraphs.hub.count(topic())).toBe(1);
  });

  it.each<[string, (client: SocketClient) => void]>([
    ['completed', (client) => client.send({ type: 'complete', id: 'q' })],
    ['left with the socket', (client) => client.socket.terminate()],
  ])('stop reading when they are %s', async (_how, leave) => {
    const client = await openSocket(platform.url);
    await client.init({ authorization });
    const before = platform.subgraphs.seen.length;
    client.send({ type: 'subscribe', id: 'q', payload: { query: '{ slow }' } });
    await expect.poll(() => platform.subgraphs.seen.length).toBe(before + 1);
    const signal = platform.subgraphs.seen.at(-1)?.request.signal;
    expect(signal?.aborted).toBe(false);
    leave(client);
    await expect.poll(() => signal?.aborted).toBe(true);
    client.socket.terminate();
  });

  it('write to the end, whether somebody waits for it or not', async () => {
    const client = await openSocket(platform.url);
    await client.init({ authorization });
    const gate = Promise.withResolvers<void>();
    platform.subgraphs.hold = gate.promise;
    const before = platform.subgraphs.seen.length;
    const query =
      'mutation { a: createMovie(title: "kept a") { id } b: createMovie(title: "kept b") { id } }';
    client.send({ type: 'subscribe', id: 'm', payload: { query } });
    await expect.poll(() => platform.subgraphs.seen.length).toBe(before + 1);
    client.send({ type: 'complete', id: 'm' });
    client.socket.terminate();
    await client.closed;
    platform.subgraphs.hold = null;
    gate.resolve();
    const titles = async (): Promise<string[]> => {
      const { data } = await platform.post('{ movies { title } }', { authorization });
      return data.movies.map((movie: { title: string }) => movie.title);
    };
    await expect.poll(titles).toEqual(expect.arrayContaining(['kept a', 'kept b']) as string[]);
  });

  it('end upstream when the socket is gone', async () => {
    const client = await openSocket(platform.url);
    await client.init({ authorization });
    for (const id of ['1', '2', '3']) await client.subscribe(id, 'subscription { movieChanged { cursor } }');
    await platform.subgraphs.hub.whenCount(topic(), 3);
    client.socket.terminate();
    await platform.subgraphs.hub.whenCount(topic(), 0);
  });

  it('end upstream when they are completed before they have their place', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    const gate = Promise.withResolvers<void>();
    platform.subgraphs.holdSubscribe = gate.promise;
    client.send({
      type: 'subscribe',
      id: '1',
      payload: { query: 'subscription { movieChanged { cursor } }' },
    });
    client.send({ type: 'complete', id: '1' });
    client.send({ type: 'ping' });
    platform.subgraphs.holdSubscribe = null;
    gate.resolve();
    await client.take((message) => message.type === 'pong');
    await platform.subgraphs.hub.whenCount(topic(), 0);
  });
});

describe('what changes below an open subscription', () => {
  it('goes on over a change of definitions, on the new graph', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    await client.subscribe('old', 'subscription { movieChanged { movie { title } } }');
    const added = await platform.post('mutation { createField(name: "rating") }', { authorization });
    expect(added.errors).toBeUndefined();
    await client.subscribe('new', 'subscription { movieChanged { movie { rating } } }');
    await createMovie('after');
    expect((await client.next('old')).payload.data.movieChanged.movie).toEqual({ title: 'after' });
    expect((await client.next('new')).payload.data.movieChanged.movie).toEqual({ rating: 'rating of after' });
  });

  it('ends with a clear error when it no longer fits', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization });
    await client.subscribe('1', 'subscription { movieChanged { movie { rating } } }');
    platform.change(tenant, (it) => {
      it.fields.splice(it.fields.indexOf('rating'), 1);
      it.definitionsVersion += 1;
    });
    const ended = await client.next('1');
    expect(ended.payload.errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(ended.payload.errors[0].message).toContain('rating');
    expect((await client.next('1')).type).toBe('complete');
    await platform.subgraphs.hub.whenCount(topic(), 0);
  });

  it('ends when the session does, and what is asked afterwards is refused', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization: await platform.signIn(tenant, 'USER') });
    const user = [...platform.identity.users.values()].at(-1);
    await client.subscribe('1', 'subscription { movieChanged { cursor } }');
    user?.ended.add('session-1');
    platform.change(tenant, (it) => (it.authVersion += 1));
    expect((await client.next('1')).payload.errors[0].extensions.code).toBe('UNAUTHENTICATED');
    client.send({ type: 'subscribe', id: '2', payload: { query: '{ me { id } }' } });
    expect((await client.next('2')).payload[0].extensions.code).toBe('UNAUTHENTICATED');
  });

  it('ends what the new role may not, and keeps what it may', async () => {
    await using client = await openSocket(platform.url);
    await client.init({ authorization: await platform.signIn(tenant, 'DEVELOPER') });
    const user = [...platform.identity.users.values()].at(-1);
    await client.subscribe('kept', 'subscription { movieChanged { cursor } }');
    await client.subscribe('ended', 'subscription { ticks }');
    if (user) user.role = 'VIEWER';
    platform.change(tenant, (it) => (it.authVersion += 1));
    expect((await client.next('ended')).payload.errors[0].extensions.code).toBe('FORBIDDEN');
    await createMovie('kept');
    expect((await client.next('kept')).payload.data.movieChanged.cursor).toBeTruthy();
  });

  it('ends when the tenant is suspended', async () => {
    const initech = platform.addTenant('initech');
    await using client = await openSocket(platform.url);
    await client.init({ authorization: await platform.signIn(initech, 'ADMIN') });
    await client.subscribe('1', 'subscription { movieChanged { cursor } }');
    platform.change(initech, (it) => {
      it.status = 'SUSPENDED';
      it.authVersion += 1;
    });
    expect((await client.next('1')).payload.errors[0].extensions.code).toBe('TENANT_SUSPENDED');
  });
});

it('limits what one socket may run at once', async () => {
  await using client = await openSocket(platform.url);
  await client.init({ authorization });
  for (let index = 0; index <= 500; index += 1) {
    client.send({
      type: 'subscribe',
      id: `s${index}`,
      payload: { query: 'subscription { movieChanged { cursor } }' },
    });
  }
  const refused = await client.take((message) => message.type === 'error');
  expect(refused.payload[0].extensions.code).toBe('RATE_LIMITED');
});
