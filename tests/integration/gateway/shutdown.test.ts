/** Going down: nothing new is taken, what runs is answered, sockets are told. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { openSocket } from './fixtures/socket-client.ts';
import { startTestGateway } from './fixtures/test-gateway.ts';

it('answers requests that run, closes sockets with 1001 and takes nothing new', async () => {
  const platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  await using client = await openSocket(platform.url);
  await client.init({ authorization });
  await client.subscribe('1', 'subscription { movieChanged { cursor } }');

  const gate = Promise.withResolvers<void>();
  platform.subgraphs.hold = gate.promise;
  const before = platform.subgraphs.seen.length;
  const running = platform.post('{ movies { id } plans }', { authorization });
  await expect.poll(() => platform.subgraphs.seen.length).toBeGreaterThan(before);

  const closing = platform.gateway.close();
  expect(await client.closed).toMatchObject({ code: 1001 });
  await platform.subgraphs.hub.whenCount(`${acme.id} movieChanged`, 0);
  const refused = await fetch(`${platform.url}/readyz`).then(
    (response) => response.status,
    () => 'refused',
  );
  expect([503, 'refused']).toContain(refused);
  const late = new WebSocket(`${platform.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  const [error] = (await once(late, 'error')) as [Error];
  expect(error.message).toMatch(/503|ECONNREFUSED/);

  platform.subgraphs.hold = null;
  gate.resolve();
  const answer = await running;
  expect([answer.status, answer.data]).toEqual([200, { movies: [], plans: ['FREE', 'PROFESSIONAL'] }]);
  await closing;
  await platform.gateway.close();
  await platform[Symbol.asyncDispose]();
});

it('closes a socket that does not read instead of holding its messages', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  await using client = await openSocket(platform.url);
  await client.init({ authorization });
  const big = 'x'.repeat(200_000);
  const query =
    `query { ${Array.from({ length: 5 }, (_, index) => `a${index}: echo(input: $input)`).join(' ')} }`.replace(
      'query',
      'query ($input: EchoInput)',
    );
  client.socket.pause();
  for (let index = 0; index < 60; index += 1) {
    client.send({
      type: 'subscribe',
      id: `${index}`,
      payload: { query, variables: { input: { text: big } } },
    });
  }
  await expect
    .poll(() => platform.log.some((entry) => entry.message.includes('does not read')), { timeout: 20_000 })
    .toBe(true);
  client.socket.resume();
  await client.closed;
});

it('leaves a connection that sends nothing to the HTTP server’s own limits and still goes down', async () => {
  const platform = await startTestGateway();
  const { port } = new URL(platform.url);
  const idle = connect(Number(port), '127.0.0.1');
  await once(idle, 'connect');
  const ended = once(idle, 'close');
  await platform[Symbol.asyncDispose]();
  idle.destroy();
  await ended;
});
