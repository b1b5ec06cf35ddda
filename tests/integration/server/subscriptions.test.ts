/** A subgraph's subscriptions, in process and over WebSocket: authorised at subscribe, ended when told. */
import { EventEmitter, on, once } from 'node:events';
import { type Client, createClient } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { anonymousClaims, type Claims, gatewayClaims, signedClaims } from '#schema/claims.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import { buildExecutableSubgraph } from '#subgraphs/server/executable-subgraph.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { type RequestContext, requestContextOf } from '#subgraphs/server/request-context.ts';
import { createClaimsSigner } from '#subgraphs/server/signed-claims.ts';
import { serveSubgraph } from '#subgraphs/server/subgraph-server.ts';
import { createSubgraphService } from '#subgraphs/server/subgraph-service.ts';

const secret = 'a secret of sixteen or more';
const sign = createClaimsSigner(secret);
const logger = createLogger('silent');
const user: Claims = {
  tenantId: '018f0000-0000-7000-8000-000000000001',
  actorKind: 'USER',
  actorId: 'u',
  role: 'USER',
  authVersion: 1,
  sessionId: null,
};

/** "open" and "close" for each source; "tick" is what sources wait for. */
const life = new EventEmitter();

function ticks({ claims, requestId, definitionsVersion }: RequestContext): AsyncIterableIterator<unknown> {
  const source = on(life, 'tick');
  life.emit('open');
  return {
    async next() {
      const step = await source.next();
      if (step.done) return { value: undefined, done: true };
      const [n] = step.value as [number];
      return { value: { ticked: `${claims.actorId} ${requestId} ${definitionsVersion} ${n}` }, done: false };
    },
    async return() {
      await source.return?.();
      life.emit('close');
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"])
type Query { hello: String }
type Subscription { ticked: String counted(to: Int!): Int breaks: Int! }`;

const schema = buildExecutableSubgraph(sdl, {
  Query: { hello: () => 'hello' },
  Subscription: {
    ticked: {
      subscribe(_root: unknown, _args: unknown, context: RequestContext) {
        assertTenantRole(context.claims, 'USER');
        return ticks(context);
      },
    },
    counted: {
      async *subscribe(_root: unknown, { to }: { to: number }) {
        for (let n = 1; n <= to; n += 1) yield { counted: n };
      },
    },
    breaks: {
      async *subscribe() {
        yield { breaks: 1 };
        yield { breaks: null };
        throw new Error('a secret');
      },
    },
  },
});

const service: SubgraphService = createSubgraphService({
  name: 'realtime',
  logger,
  getSdl: async () => ({ sdl, version: null }),
  getSchema: async () => schema,
  createContext: requestContextOf,
});

function request(query: string, more: Partial<SubgraphRequest> = {}): SubgraphRequest {
  return { query, claims: user, definitionsVersion: 3, requestId: 'r1', clientAddress: null, ...more };
}

describe('in process', () => {
  it('deliver events in order and end with their source', async () => {
    const stream = await service.subscribe(request('subscription { counted(to: 3) }'));
    if (!('next' in stream)) throw new Error(JSON.stringify(stream));
    const seen = [];
    for await (const { data } of stream) seen.push(data?.['counted']);
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([
    ['subscription { ticked }', { claims: anonymousClaims }, 'UNAUTHENTICATED'],
    ['subscription { ticked }', { claims: gatewayClaims }, 'UNAUTHENTICATED'],
    ['subscription { ticked }', { claims: { ...user, role: 'VIEWER' as const } }, 'FORBIDDEN'],
    ['subscription { ticked }', { claims: { ...user, tenantId: null } }, 'TENANT_REQUIRED'],
    ['subscription { nope }', {}, 'GRAPHQL_VALIDATION_FAILED'],
    ['subscription {', {}, 'GRAPHQL_PARSE_FAILED'],
    ['{ hello }', {}, 'BAD_USER_INPUT'],
    ['subscription ($to: Int!) { counted(to: $to) }', { variables: { to: 'x' } }, 'BAD_USER_INPUT'],
  ])('%s is refused as a result: %j %s', async (query, more, code) => {
    const result = await service.subscribe(request(query, more));
    expect(result).toMatchObject({ errors: [{ extensions: { code } }] });
  });

  it('is no operation for execute', async () => {
    expect(await service.execute(request('subscription { counted(to: 1) }'))).toMatchObject({
      errors: [{ extensions: { code: 'BAD_USER_INPUT' } }],
    });
  });

  it('mask errors of events, and keep those of the domain', async () => {
    const stream = await service.subscribe(request('subscription { breaks }'));
    if (!('next' in stream)) throw new Error(JSON.stringify(stream));
    expect((await stream.next()).value).toEqual({ data: { breaks: 1 } });
    expect((await stream.next()).value).toMatchObject({
      errors: [
        {
          message: 'Internal error (request r1)',
          path: ['breaks'],
          extensions: { code: 'INTERNAL_SERVER_ERROR' },
        },
      ],
    });
  });

  it('end while waiting, and by signal', async () => {
    const controller = new AbortController();
    for (const end of ['return', 'signal']) {
      const stream = await service.subscribe(
        request('subscription { ticked }', { signal: controller.signal }),
      );
      if (!('next' in stream)) throw new Error(JSON.stringify(stream));
      const pending = stream.next();
      if (end === 'return') await stream.return?.();
      else controller.abort();
      expect((await pending).done).toBe(true);
    }
  });
});

describe('over WebSocket', () => {
  const cleanup = new AsyncDisposableStack();
  let url: string;

  beforeAll(async () => {
    const server = await serveSubgraph({ service, secret, port: 0, host: '127.0.0.1', logger });
    cleanup.defer(() => server.close());
    url = `${server.url.replace('http', 'ws')}/graphql`;
  });
  afterAll(() => cleanup.disposeAsync());

  function connect(claims: Claims): Client {
    return createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: async () => ({ [signedClaims.header]: await sign(claims) }),
      retryAttempts: 0,
    });
  }

  it('serve many identities over one connection, and end each alone', async () => {
    const client = connect(gatewayClaims);
    const opened = [once(life, 'open')];
    const extensionsOf = async (actorId: string) => ({
      [signedClaims.header]: await sign({ ...user, actorId }),
      'x-request-id': `request of ${actorId}`,
      'x-definitions-version': '7',
    });
    const ada = client.iterate<{ ticked: string }>({
      query: 'subscription { ticked }',
      extensions: await extensionsOf('ada'),
    });
    await opened[0];
    const second = once(life, 'open');
    const bob = client.iterate<{ ticked: string }>({
      query: 'subscription { ticked }',
      extensions: await extensionsOf('bob'),
    });
    await second;
    life.emit('tick', 1);
    expect((await ada.next()).value?.data).toEqual({ ticked: 'ada request of ada 7 1' });
    expect((await bob.next()).value?.data).toEqual({ ticked: 'bob request of bob 7 1' });
    const closed = once(life, 'close');
    await ada.return?.();
    await closed;
    life.emit('tick', 2);
    expect((await bob.next()).value?.data).toEqual({ ticked: 'bob request of bob 7 2' });
    await client.dispose();
  });

  it('answer who may not with the code', async () => {
    const client = connect({ ...user, role: 'VIEWER' });
    const answers = [];
    for await (const answer of client.iterate({ query: 'subscription { ticked }' })) answers.push(answer);
    expect(answers).toMatchObject([{ errors: [{ extensions: { code: 'FORBIDDEN' } }] }]);
    await client.dispose();
  });

  it('end when the server goes', async () => {
    const server = await serveSubgraph({ service, secret, port: 0, host: '127.0.0.1', logger });
    const token = await sign(user);
    const client = createClient({
      url: `${server.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { [signedClaims.header]: token },
      retryAttempts: 0,
    });
    const opened = once(life, 'open');
    const next = client.iterate({ query: 'subscription { ticked }' }).next();
    next.catch(() => undefined);
    await opened;
    await Promise.all([server.close(), server.close()]);
    await expect(next).rejects.toMatchObject({ code: 1001 });
    await client.dispose();
  });
});
