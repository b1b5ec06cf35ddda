/**
 * Faults while many ask: every request is answered, with the part that is lost as null and an error with a code that tells
 * nothing of the inside; what else is asked for is there; and when the fault is over, nothing of it is left.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { createHttpSubgraph } from '#gateway/execution/http/http-subgraph.ts';
import { type Fault, maxResponseBytes, startFaultyProxy } from './fixtures/faulty-proxy.ts';
import type { FaultyProxy } from './fixtures/faulty-proxy.ts';
import { overHttp, secret, type ServedSubgraph } from './fixtures/over-http.ts';
import { type Answer, startTestGateway, type TestGateway } from './fixtures/test-gateway.ts';

const callers = 12;
const query = '{ movie(id: "m1") { id title createdBy { email } } plans }';
const whole = {
  movie: { id: 'm1', title: 'Cléo', createdBy: { email: 'user-1@example.com' } },
  plans: ['FREE', 'PROFESSIONAL'],
};
const lost = { movie: null, plans: ['FREE', 'PROFESSIONAL'] };

interface Subject extends AsyncDisposable {
  readonly platform: TestGateway;
  readonly proxy: FaultyProxy;
  readonly authorization: string;
}

/** A gateway whose entities subgraph is behind a proxy that can spoil its answers, and a movie. */
async function startSubject(timeoutMs = 15_000): Promise<Subject> {
  const served: ServedSubgraph[] = [];
  const between = overHttp(served, timeoutMs);
  let proxy: FaultyProxy | undefined;
  const platform = await startTestGateway({
    async between(services, identity, stack) {
      const used = await between(services, identity, stack);
      const entities = served.find(({ name }) => name === 'entities');
      proxy = stack.use(await startFaultyProxy(entities?.url ?? ''));
      const address = {
        name: 'entities',
        url: proxy.url,
        signer: createClaimsSigner(secret),
        timeoutMs,
      };
      const faulty = stack.use(createHttpSubgraph({ ...address, maxResponseBytes, shareReads: true }));
      const others = used.services.filter(({ name }) => name !== 'entities');
      return { services: [...others, faulty], identity: used.identity };
    },
  });
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  await platform.post('mutation { createMovie(title: "Cléo") { id } }', { authorization });
  expect((await platform.post(query, { authorization })).data).toEqual(whole);
  return {
    platform,
    proxy: proxy as FaultyProxy,
    authorization,
    [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose](),
  };
}

/** `callers` ask without a pause, each until it has been given `rounds` answers. */
async function underLoad({ platform, authorization }: Subject, rounds: number): Promise<Answer[]> {
  const answers = Array.from({ length: callers }, async () => {
    const own: Answer[] = [];
    while (own.length < rounds) own.push(await platform.post(query, { authorization }));
    return own;
  });
  return (await Promise.all(answers)).flat();
}

const faults: readonly (readonly [Fault, string])[] = [
  ['refuses connections', 'SUBGRAPH_UNAVAILABLE'],
  ['never answers', 'GATEWAY_TIMEOUT'],
  ['answers no JSON', 'SUBGRAPH_UNAVAILABLE'],
  ['answers another content type', 'SUBGRAPH_UNAVAILABLE'],
  ['answers half of its JSON', 'SUBGRAPH_UNAVAILABLE'],
  ['closes in the middle of a body', 'SUBGRAPH_UNAVAILABLE'],
  ['closes at once', 'SUBGRAPH_UNAVAILABLE'],
  ['answers more than is taken in', 'SUBGRAPH_UNAVAILABLE'],
  ['answers a list for data', 'SUBGRAPH_UNAVAILABLE'],
  ['answers numbers for objects', 'INTERNAL_SERVER_ERROR'],
  ['answers null for everything', 'SUBGRAPH_UNAVAILABLE'],
  ['answers an error of its proxy', 'SUBGRAPH_UNAVAILABLE'],
];

it.each(faults)('a subgraph that %s', async (fault, code) => {
  await using subject = await startSubject(fault === 'never answers' ? 1_500 : undefined);
  const { proxy } = subject;
  const before = underLoad(subject, 3);
  await Promise.race([before, underLoad(subject, 1)]);
  proxy.fault = fault;
  const during = await underLoad(subject, 3);
  await before;
  expect(proxy.spoiled()).toBeGreaterThan(0);
  for (const answer of during) {
    expect(answer.status).toBe(200);
    expect(answer.data).toEqual(lost);
    const codes = answer.errors?.map(({ extensions }) => extensions['code']) ?? [];
    // A breaker that opened says so for the rest of the fault.
    expect(codes.every((told) => told === code || told === 'SUBGRAPH_UNAVAILABLE')).toBe(true);
    expect(codes.length).toBeGreaterThan(0);
    expect(JSON.stringify(answer.errors)).not.toMatch(
      /127\.0\.0\.1|10\.0\.0\.7|ECONN|socket|\.ts|Segmentation|<h1>/i,
    );
  }
  expect(during.some((answer) => answer.errors?.some(({ extensions }) => extensions['code'] === code))).toBe(
    true,
  );

  proxy.fault = 'none';
  await expect
    .poll(async () => (await subject.platform.post(query, subject)).errors, { timeout: 10_000 })
    .toBeUndefined();
  for (const answer of await underLoad(subject, 3)) expect(answer.data).toEqual(whole);
});

/** Sends bytes as they are, over a connection of its own. */
async function openRaw({ url }: TestGateway): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function rawRequest(authorization: string, body: string, length = Buffer.byteLength(body)): string {
  const head = [
    'POST /graphql HTTP/1.1',
    'host: localhost',
    'content-type: application/json',
    `authorization: ${authorization}`,
    `content-length: ${length}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}

it('clients that never read their answers hold up nobody else', async () => {
  await using subject = await startSubject();
  const { platform, authorization } = subject;
  // More than any buffer between us and them holds.
  const fields = Array.from({ length: 300 }, (_, index) => `f${index}: plans`).join(' ');
  const body = JSON.stringify({ query: `{ ${fields} }` });
  const silent = await Promise.all(Array.from({ length: 4 }, () => openRaw(platform)));
  for (const socket of silent) {
    socket.pause();
    for (let request = 0; request < 50; request++) socket.write(rawRequest(authorization, body));
  }
  for (const answer of await underLoad(subject, 4))
    expect(answer).toMatchObject({ data: whole, errors: undefined });
  for (const socket of silent) socket.destroy();
});

it('clients that hang up while they send, wait or read take nothing from the others', async () => {
  await using subject = await startSubject();
  const { platform, authorization } = subject;
  const body = JSON.stringify({ query });
  const rude = async (): Promise<void> => {
    const sending = await openRaw(platform);
    sending.write(rawRequest(authorization, body.slice(0, 20), 1_000_000), () => sending.resetAndDestroy());
    const waiting = await openRaw(platform);
    waiting.write(rawRequest(authorization, body), () => waiting.resetAndDestroy());
    const reading = await openRaw(platform);
    reading.write(rawRequest(authorization, body));
    await once(reading, 'data');
    reading.resetAndDestroy();
  };
  const polite = underLoad(subject, 6);
  for (let round = 0; round < 10; round++) await Promise.all([rude(), rude()]);
  for (const answer of await polite) expect(answer.data).toEqual(whole);
  expect(platform.log.filter(({ level }) => level === 'error')).toEqual([]);
});
