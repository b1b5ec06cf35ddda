/** The same over HTTP subgraphs, and what happens when one of them is slow, down or wrong. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { createHttpSubgraph } from '#gateway/execution/http/http-subgraph.ts';
import { anonymousClaims } from '#schema/claims.ts';
import { overHttp, type ServedSubgraph } from './fixtures/over-http.ts';
import { openSocket } from './fixtures/socket-client.ts';
import { startTestGateway } from './fixtures/test-gateway.ts';

it('answers federated queries, swaps and refuses as in one process', async () => {
  await using platform = await startTestGateway({ between: overHttp() });
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  const created = await platform.post('mutation { createMovie(title: "Cléo") { id createdBy { email } } }', {
    authorization,
  });
  expect(created.data).toEqual({ createMovie: { id: 'm1', createdBy: { email: 'user-1@example.com' } } });
  expect(
    (await platform.post('mutation { createField(name: "rating") }', { authorization })).errors,
  ).toBeUndefined();
  const used = await platform.post('{ movies { rating } }', { authorization });
  expect(used.data).toEqual({ movies: [{ rating: 'rating of Cléo' }] });
  const failing = await platform.post('{ failing }', { authorization });
  expect(failing.errors).toMatchObject([{ path: ['failing'], extensions: { code: 'CONFLICT' } }]);
  expect((await platform.post('{ me { id } }')).status).toBe(401);
  const { claims, clientAddress, requestId } = platform.subgraphs.seen[0]?.request ?? {};
  expect(claims).toMatchObject({ tenantId: acme.id, role: 'ADMIN', actorKind: 'USER' });
  expect([clientAddress, typeof requestId]).toEqual(['127.0.0.1', 'string']);
});

it('delivers federated subscriptions over one upstream socket, each under its own claims', async () => {
  await using platform = await startTestGateway({ between: overHttp() });
  const acme = platform.addTenant('acme');
  const admin = await platform.signIn(acme, 'ADMIN');
  await using one = await openSocket(platform.url);
  await using two = await openSocket(platform.url);
  await one.init({ authorization: admin });
  await two.init({ authorization: await platform.signIn(acme, 'VIEWER') });
  const query = 'subscription { movieChanged { cursor movie { title createdBy { email } } } }';
  await one.subscribe('1', query);
  await two.subscribe('1', query);
  expect(platform.subgraphs.hub.count(`${acme.id} movieChanged`)).toBe(2);
  for (const title of ['a', 'b', 'c']) {
    await platform.post(`mutation { createMovie(title: "${title}") { id } }`, { authorization: admin });
  }
  for (const client of [one, two]) {
    for (const title of ['a', 'b', 'c']) {
      const { payload } = await client.next('1');
      expect(payload.data.movieChanged.movie).toEqual({ title, createdBy: { email: 'user-1@example.com' } });
    }
  }
  two.send({ type: 'subscribe', id: '2', payload: { query: 'subscription { ticks }' } });
  expect((await two.next('2')).payload[0].extensions.code).toBe('FORBIDDEN');
  one.send({ type: 'complete', id: '1' });
  await platform.subgraphs.hub.whenCount(`${acme.id} movieChanged`, 1);
  two.socket.terminate();
  await platform.subgraphs.hub.whenCount(`${acme.id} movieChanged`, 0);
});

it('answers a Ping only when the subgraph over there has taken the place', async () => {
  await using platform = await startTestGateway({ between: overHttp() });
  const acme = platform.addTenant('acme');
  await using client = await openSocket(platform.url);
  await client.init({ authorization: await platform.signIn(acme, 'ADMIN') });
  // The upstream socket is open already, so that nothing but the subscription itself is waited for.
  await client.subscribe('0', 'subscription { ticks }');
  const gate = Promise.withResolvers<void>();
  platform.subgraphs.holdSubscribe = gate.promise;
  client.send({ type: 'subscribe', id: '1', payload: { query: 'subscription { movieChanged { cursor } }' } });
  client.send({ type: 'ping', payload: { id: 'after' } });
  await expect
    .poll(() => platform.subgraphs.seen.some(({ request }) => request.query.includes('movieChanged')))
    .toBe(true);
  client.send({ type: 'subscribe', id: 'q', payload: { query: '{ plans }' } });
  await client.next('q');
  expect(client.inbox.some((message) => message.type === 'pong')).toBe(false);
  gate.resolve();
  await client.take((message) => message.type === 'pong');
  expect(platform.subgraphs.hub.count(`${acme.id} movieChanged`)).toBe(1);
});

describe('a subgraph that is', () => {
  it('down: its part fails with a code, the rest is answered, and it recovers by itself', async () => {
    const served: ServedSubgraph[] = [];
    await using platform = await startTestGateway({ between: overHttp(served) });
    const acme = platform.addTenant('acme');
    const authorization = await platform.signIn(acme, 'ADMIN');
    const query = '{ movies { id } plans }';
    expect((await platform.post(query, { authorization })).errors).toBeUndefined();
    const entities = served.find((it) => it.name === 'entities');
    await entities?.stop();
    const part = await platform.post('{ movie(id: "m1") { id } plans }', { authorization });
    expect(part.data).toEqual({ movie: null, plans: ['FREE', 'PROFESSIONAL'] });
    expect(part.errors).toMatchObject([{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }]);
    await entities?.start();
    expect((await platform.post(query, { authorization })).errors).toBeUndefined();
  });

  it('lost while it was subscribed to: the subscription ends with a code and can be made again', async () => {
    const served: ServedSubgraph[] = [];
    await using platform = await startTestGateway({ between: overHttp(served) });
    const acme = platform.addTenant('acme');
    await using client = await openSocket(platform.url);
    await client.init({ authorization: await platform.signIn(acme, 'ADMIN') });
    await client.subscribe('1', 'subscription { movieChanged { cursor } }');
    const realtime = served.find((it) => it.name === 'realtime');
    await realtime?.stop();
    expect((await client.next('1')).payload.errors[0].extensions.code).toBe('SUBGRAPH_UNAVAILABLE');
    expect((await client.next('1')).type).toBe('complete');
    await realtime?.start();
    await client.subscribe('2', 'subscription { movieChanged { cursor } }');
  });

  it('slow: GATEWAY_TIMEOUT', async () => {
    await using platform = await startTestGateway({ between: overHttp([], 300) });
    const acme = platform.addTenant('acme');
    const authorization = await platform.signIn(acme, 'ADMIN');
    expect((await platform.post('{ plans }', { authorization })).status).toBe(200);
    const answer = await platform.post('{ slow plans }', { authorization });
    expect(answer.data).toEqual({ slow: null, plans: ['FREE', 'PROFESSIONAL'] });
    expect(answer.errors).toMatchObject([{ extensions: { code: 'GATEWAY_TIMEOUT' } }]);
  });
});

describe('the client of a subgraph', () => {
  const request = {
    query: '{ a }',
    claims: anonymousClaims,
    definitionsVersion: 7,
    requestId: 'r1',
    clientAddress: null,
  };
  const serve = async (answer: (request: IncomingMessage, response: ServerResponse) => void) => {
    const server = createServer(answer);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const signer = createClaimsSigner('a secret of the test alone');
    const subgraph = createHttpSubgraph({
      name: 'other',
      url: `http://127.0.0.1:${port}`,
      signer,
      maxResponseBytes: 1_000,
    });
    return {
      subgraph,
      async [Symbol.asyncDispose]() {
        await subgraph[Symbol.asyncDispose]();
        server.closeAllConnections();
        server.close();
      },
    };
  };

  it('sends a read twice over a broken connection, a mutation once', async () => {
    let count = 0;
    await using served = await serve((_request, response) => {
      count += 1;
      response.destroy();
    });
    await expect(served.subgraph.execute(request)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    expect(count).toBe(2);
    const mutation = { ...request, query: 'mutation { a }' };
    await expect(served.subgraph.execute(mutation)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
    expect(count).toBe(3);
  });

  it.each([
    ['no JSON', 200, '<html>'],
    ['JSON that is no answer', 200, '{"hello":1}'],
    ['more than allowed', 200, JSON.stringify({ data: { a: 'x'.repeat(2_000) } })],
    [
      'a refusal of our signature',
      401,
      '{"errors":[{"message":"no","extensions":{"code":"UNAUTHENTICATED"}}]}',
    ],
  ])('takes %s for an unavailable subgraph', async (_what, status, body) => {
    await using served = await serve((_request, response) => {
      response.writeHead(status).end(body);
    });
    await expect(served.subgraph.execute(request)).rejects.toMatchObject({ code: 'SUBGRAPH_UNAVAILABLE' });
  });
});
