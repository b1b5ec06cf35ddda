/** Two gateways of one platform and a Redis: what one made, the other does not make again. */
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { GraphEngine } from '#gateway/execution/executor.ts';
import { createRedisHints } from '#gateway/graph/redis-hints.ts';
import type { GatewayOptions } from '#gateway/server.ts';
import { createRedisCache, type RedisCache } from '#gateway/shared-cache/redis-cache.ts';
import { wakeUpChannel, writeWakeUp } from '#schema/wake-up.ts';
import { describeWithRedis } from '#tests/harness/redis.ts';
import { startRedis } from '#tests/harness/redis-server.ts';
import { servePlainSubgraph } from './supergraph/served-subgraph.ts';
import { startTestGateway, type TestGateway } from './fixtures/test-gateway.ts';
import type { TestTenant } from './fixtures/test-subgraphs.ts';

const logger = { warn() {}, info() {} };
const query = `query Movies($filter: EchoInput = { text: "a", count: 2 }) {
  movies { id title createdBy { email } } echo(input: $filter)
}`;

/** The product's engine, with its loads and plans counted. */
function countingEngine() {
  const counts = { loads: 0, plans: 0, revived: 0 };
  const createEngine: GatewayOptions['createEngine'] = (options) => {
    const engine: GraphEngine = createCompiledEngine(options);
    return {
      ...engine,
      async load(sdl) {
        counts.loads += 1;
        const graph = await engine.load(sdl);
        return {
          ...graph,
          prepare(parsed) {
            counts.plans += 1;
            return graph.prepare(parsed);
          },
        };
      },
      revive(recipe, hash) {
        counts.revived += 1;
        if (!engine.revive) throw new Error('the engine revives nothing');
        return engine.revive(recipe, hash);
      },
    };
  };
  return { counts, createEngine };
}

/** A platform's replicas: the same tenants, each its own memory. */
async function startReplica(
  redisUrl: string,
  secret: string,
  tenants: Map<string, TestTenant>,
  extra?: string,
) {
  const engine = countingEngine();
  const environment = {
    ...{ REDIS_URL: redisUrl, SUBGRAPH_SECRET: secret },
    ...(extra === undefined ? {} : { EXTRA_SUBGRAPHS: `reviews=${extra}` }),
  };
  const platform = await startTestGateway({ tenants, environment, createEngine: engine.createEngine });
  return { platform, counts: engine.counts, [Symbol.asyncDispose]: () => platform[Symbol.asyncDispose]() };
}

async function use(platform: TestGateway, tenant: TestTenant) {
  const authorization = await platform.signIn(tenant, 'ADMIN');
  const answers = [
    await platform.post(query, { authorization, variables: { filter: { text: 'b' } } }),
    await platform.post(query, { authorization }),
    await platform.post(query, { authorization, variables: { filter: { text: 1 } } }),
    await platform.post('{ __schema { queryType { name } } }', { authorization }),
  ];
  const sdl = await fetch(`${platform.url}/schema.graphql`, { headers: { authorization } });
  return [...answers.map(({ data, errors }) => ({ data, errors })), await sdl.text()];
}

describeWithRedis('with a shared cache', (redisUrl) => {
  it('the second gateway composes, loads and plans nothing that the first one did', async () => {
    const secret = randomUUID();
    const tenants = new Map<string, TestTenant>();
    const keys = await countKeys(redisUrl);
    await using first = await startReplica(redisUrl, secret, tenants);
    const acme = first.platform.addTenant('acme');
    const expected = await use(first.platform, acme);
    expect(expected[0]).toEqual({ data: { movies: [], echo: 'b' }, errors: undefined });
    expect(expected[2]).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] });
    expect(first.counts).toMatchObject({ plans: 2, revived: 0 });
    expect(first.counts.loads).toBeGreaterThan(0);
    // Written behind the answers.
    await expect.poll(() => countKeys(redisUrl)).toBeGreaterThanOrEqual(keys + 6);

    await using second = await startReplica(redisUrl, secret, tenants);
    await expect.poll(async () => use(second.platform, acme)).toEqual(expected);
    expect(second.counts).toEqual({ loads: 0, plans: 0, revived: 2 });
    // What nobody planned yet is planned here.
    const authorization = await second.platform.signIn(acme, 'USER');
    expect((await second.platform.post('{ movies { title } }', { authorization })).errors).toBeUndefined();
    expect(second.counts).toEqual({ loads: 1, plans: 1, revived: 2 });
  });

  it('so it is with extra subgraphs, and a swap', async () => {
    const keys = await countKeys(redisUrl);
    await using extra = await servePlainSubgraph(
      'reviews',
      'extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key"]) type Query { stars: Int }',
      { Query: { stars: () => 5 } },
    );
    const secret = randomUUID();
    const tenants = new Map<string, TestTenant>();
    await using first = await startReplica(redisUrl, secret, tenants, extra.url);
    const acme = first.platform.addTenant('acme');
    const ask = async ({ platform }: { platform: TestGateway }, text = '{ stars movies { title } }') => {
      const answer = await platform.post(text, { authorization: await platform.signIn(acme, 'ADMIN') });
      return answer.errors ?? answer.data;
    };
    expect(await ask(first)).toEqual({ stars: 5, movies: [] });
    // Of the public graph and the tenant's, the trial and the operation.
    await expect.poll(() => countKeys(redisUrl)).toBeGreaterThanOrEqual(keys + 6);
    await using second = await startReplica(redisUrl, secret, tenants, extra.url);
    expect(await ask(second)).toEqual({ stars: 5, movies: [] });
    expect(second.counts).toEqual({ loads: 0, plans: 0, revived: 1 });

    acme.fields.push('rating');
    acme.definitionsVersion += 1;
    const added = '{ stars movies { rating } }';
    await expect.poll(() => ask(first, added), { timeout: 10_000 }).toEqual({ stars: 5, movies: [] });
    await expect.poll(() => countKeys(redisUrl)).toBeGreaterThan(keys + 6);
    await expect.poll(() => ask(second, added), { timeout: 10_000 }).toEqual({ stars: 5, movies: [] });
    expect(await ask(second)).toEqual({ stars: 5, movies: [] });
  });

  it('what is corrupt, foreign or moved is not believed', async () => {
    const prefix = `test:${randomUUID()}`;
    const redis = new Redis(redisUrl);
    await using cache = await connectedCache(redisUrl, 'one secret of all', prefix);
    await using foreign = await connectedCache(redisUrl, 'another secret', prefix);
    cache.set('operation', 'a', 'text of a');
    cache.set(
      'operation',
      'large',
      randomUUID().repeat(20_000) + Array.from({ length: 40_000 }, () => randomUUID()).join(''),
    );
    await cache.flushed();
    expect(await cache.get('operation', 'a')).toBe('text of a');
    expect(await foreign.get('operation', 'a')).toBeNull();
    expect(await cache.get('operation', 'large')).toBeNull();
    expect(await redis.ttl(`${prefix}:operation:a`)).toBeGreaterThan(3_600);
    const bytes = (await redis.getBuffer(`${prefix}:operation:a`)) ?? Buffer.alloc(0);
    await redis.set(`${prefix}:operation:b`, bytes);
    await redis.set(`${prefix}:supergraph:a`, bytes);
    await redis.set(`${prefix}:operation:c`, bytes.subarray(0, 20));
    await redis.set(`${prefix}:operation:d`, 'rubbish'.repeat(20));
    await redis.lpush(`${prefix}:operation:e`, 'a list');
    for (const id of ['b', 'c', 'd']) expect(await cache.get('operation', id)).toBeNull();
    expect(await cache.get('supergraph', 'a')).toBeNull();
    bytes.writeUInt8((bytes.readUInt8(40) + 1) % 256, 40);
    await redis.set(`${prefix}:operation:a`, bytes);
    expect(await cache.get('operation', 'a')).toBeNull();
    expect(await cache.get('operation', 'e')).toBeNull();
    redis.disconnect();
  });

  it('hints reach a gateway that stands alone', async () => {
    await using hints = createRedisHints(redisUrl, logger);
    await hints.connected();
    const tenantId = randomUUID();
    const heard = Promise.withResolvers<void>();
    hints.subscribe((id) => id === tenantId && heard.resolve());
    const redis = new Redis(redisUrl);
    await redis.publish(wakeUpChannel, writeWakeUp(randomUUID(), [randomUUID(), tenantId]));
    await heard.promise;
    redis.disconnect();
  });

  it('a gateway works on when Redis goes', async () => {
    await using server = await startRedis();
    if (!server) return;
    const tenants = new Map<string, TestTenant>();
    await using replica = await startReplica(server.url, randomUUID(), tenants);
    const acme = replica.platform.addTenant('acme');
    const authorization = await replica.platform.signIn(acme, 'USER');
    const ask = async (field: string) =>
      (await replica.platform.post(`{ movies { ${field} } }`, { authorization })).errors;
    expect(await ask('id')).toBeUndefined();
    await server[Symbol.asyncDispose]();
    expect(await ask('title')).toBeUndefined();
    acme.fields.push('rating');
    acme.definitionsVersion += 1;
    await expect.poll(() => ask('rating'), { timeout: 10_000 }).toBeUndefined();
    const isTold = ({ message }: { message: string }): boolean => message.includes('shared cache is not');
    await expect.poll(() => replica.platform.log.filter(isTold).length).toBe(1);
  });
});

it('a gateway starts without the Redis that it was told of', async () => {
  await using replica = await startReplica('redis://127.0.0.1:1', randomUUID(), new Map());
  const acme = replica.platform.addTenant('acme');
  const authorization = await replica.platform.signIn(acme, 'USER');
  expect((await replica.platform.post('{ movies { id } }', { authorization })).errors).toBeUndefined();
});

async function connectedCache(url: string, secret: string, prefix: string): Promise<RedisCache> {
  const cache = createRedisCache({ url, secret, prefix, logger, timeoutMs: 5_000 });
  // Until it is connected, it has nothing.
  await expect
    .poll(async () => {
      cache.set('extras', 'probe', 'there');
      await cache.flushed();
      return cache.get('extras', 'probe');
    })
    .toBe('there');
  return cache;
}

async function countKeys(url: string): Promise<number> {
  const redis = new Redis(url);
  const keys = await redis.keys('tenantry:cache:*');
  redis.disconnect();
  return keys.length;
}
