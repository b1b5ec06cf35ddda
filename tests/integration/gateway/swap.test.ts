/** What a change of definitions does, and what it never does to anybody else. */
import { expect, it } from 'vitest';
import { openSocket } from './fixtures/socket-client.ts';
import { startTestGateway, type Answer, type TestGateway } from './fixtures/test-gateway.ts';

/** Sends requests without a pause until told to stop; answers how many there were and those that failed. */
function keepAsking(platform: TestGateway, query: string, authorization: string, connections: number) {
  let running = true;
  let count = 0;
  const failed: Answer[] = [];
  const loops = Array.from({ length: connections }, async () => {
    while (running) {
      const answer = await platform.post(query, { authorization });
      count += 1;
      if (answer.status !== 200 || answer.errors) failed.push(answer);
    }
  });
  return async () => {
    running = false;
    await Promise.all(loops);
    return { count, failed };
  };
}

it('is seen in the request after the mutation, while no request fails, of this tenant or another', async () => {
  await using platform = await startTestGateway();
  const [acme, globex] = [platform.addTenant('acme'), platform.addTenant('globex')];
  const admin = await platform.signIn(acme, 'ADMIN');
  const other = await platform.signIn(globex, 'ADMIN');
  await platform.post('mutation { createMovie(title: "Cléo") { id } }', { authorization: admin });
  const stop = [
    keepAsking(platform, '{ movies { id title createdBy { email } } }', admin, 8),
    keepAsking(platform, '{ movies { id title createdBy { email } } }', other, 8),
  ];
  for (let round = 0; round < 5; round += 1) {
    const field = `field${round}`;
    const added = await platform.post(`mutation { createField(name: "${field}") }`, { authorization: admin });
    expect(added.errors).toBeUndefined();
    const used = await platform.post(`{ movies { ${field} } }`, { authorization: admin });
    expect(used.data).toEqual({ movies: [{ [field]: `${field} of Cléo` }] });
  }
  for (const finish of stop) {
    const { count, failed } = await finish();
    expect(count).toBeGreaterThan(10);
    expect(failed).toEqual([]);
  }
  const foreign = await platform.post('{ __type(name: "Movie") { fields { name } } }', {
    authorization: other,
  });
  expect(foreign.data.__type.fields.map((field: { name: string }) => field.name)).toEqual([
    'id',
    'title',
    'createdBy',
  ]);
});

it('is found by polling by a gateway that did not carry the mutation', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'USER');
  expect((await platform.post('{ movies { id } }', { authorization })).status).toBe(200);
  // No hint: found by polling alone.
  acme.fields.push('rating');
  acme.definitionsVersion += 1;
  await expect
    .poll(async () => (await platform.post('{ movies { rating } }', { authorization })).status, {
      timeout: 10_000,
    })
    .toBe(200);
});

it('keeps the last good graph when the new one does not compose, and tells the admin', async () => {
  await using platform = await startTestGateway();
  const [acme, globex] = [platform.addTenant('acme'), platform.addTenant('globex')];
  const authorization = await platform.signIn(acme, 'ADMIN');
  expect((await platform.post('{ movies { id } }', { authorization })).status).toBe(200);
  acme.isBroken = true;
  const broken = await platform.post('mutation { createField(name: "rating") }', { authorization });
  expect(broken.data).toEqual({ createField: true });
  expect(broken.errors).toMatchObject([{ extensions: { code: 'CONFLICT' } }]);
  expect(broken.errors?.[0]?.message).toContain('stays as it was');
  expect(
    platform.log.some((entry) => entry.level === 'error' && entry.message.includes('does not compose')),
  ).toBe(true);

  const after = await platform.post('{ movies { id title } }', { authorization });
  expect([after.status, after.errors]).toEqual([200, undefined]);
  expect((await platform.post('{ movies { rating } }', { authorization })).status).toBe(400);
  const other = await platform.signIn(globex, 'USER');
  expect((await platform.post('{ movies { id } }', { authorization: other })).status).toBe(200);

  platform.change(acme, (tenant) => {
    tenant.isBroken = false;
    tenant.definitionsVersion += 1;
  });
  await expect
    .poll(async () => (await platform.post('{ movies { rating } }', { authorization })).status)
    .toBe(200);
});

it('says so when there never was a good graph', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  acme.isBroken = true;
  const authorization = await platform.signIn(acme, 'ADMIN');
  const answer = await platform.post('{ movies { id } }', { authorization });
  expect([answer.status, answer.errors?.[0]?.extensions['code']]).toEqual([500, 'INTERNAL_SERVER_ERROR']);
});

it('composes once, however many requests wait, and shares the graph between equal tenants', async () => {
  await using platform = await startTestGateway();
  const tenants = ['a', 'b', 'c', 'd'].map((slug) => platform.addTenant(slug));
  const authorizations = await Promise.all(tenants.map((tenant) => platform.signIn(tenant, 'USER')));
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      platform.post('{ movies { id } }', { authorization: authorizations[index % 4] }),
    ),
  );
  expect(answers.every((answer) => answer.status === 200)).toBe(true);
  const sdl = async (authorization: string | undefined): Promise<string | null> =>
    (
      await fetch(`${platform.url}/schema.graphql`, { headers: { authorization: authorization ?? '' } })
    ).headers.get('etag');
  expect(new Set(await Promise.all(authorizations.map(sdl))).size).toBe(1);
});

it('lets a request that has begun finish on the graph that it began with', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  await platform.post('mutation { createMovie(title: "Cléo") { id } }', { authorization });
  acme.fields.push('rating');
  acme.definitionsVersion += 1;
  await expect
    .poll(async () => (await platform.post('{ movies { rating } }', { authorization })).status, {
      timeout: 10_000,
    })
    .toBe(200);

  const gate = Promise.withResolvers<void>();
  platform.subgraphs.hold = gate.promise;
  const before = platform.subgraphs.seen.length;
  const slow = platform.post('{ movies { id rating createdBy { email } } }', { authorization });
  await expect.poll(() => platform.subgraphs.seen.length).toBeGreaterThan(before);
  const version = acme.definitionsVersion;
  platform.change(acme, (tenant) => (tenant.definitionsVersion += 1));
  await expect
    .poll(() => platform.log.some((entry) => entry.details['definitionsVersion'] === version + 1))
    .toBe(true);
  platform.subgraphs.hold = null;
  gate.resolve();
  expect((await slow).errors).toBeUndefined();
  const sent = platform.subgraphs.seen.slice(before).map((entry) => entry.request.definitionsVersion);
  expect(sent).toEqual([version, version]);
});

it('is waited for by a request that needs it, where composing takes longer than the mutation waits', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const authorization = await platform.signIn(acme, 'ADMIN');
  expect((await platform.post('{ movies { id } }', { authorization })).status).toBe(200);
  const entities = platform.subgraphs.services.find((service) => service.name === 'entities');
  const getSdl = entities?.getSdl;
  const gate = Promise.withResolvers<void>();
  Object.assign(entities ?? {}, {
    getSdl: async (request: never) => {
      await gate.promise;
      return getSdl?.(request);
    },
  });
  const added = await platform.post('mutation { createField(name: "rating") }', { authorization });
  expect(added.data).toEqual({ createField: true });
  const early = platform.post('{ movies { rating } }', { authorization });
  // What the last good graph answers does not wait.
  expect((await platform.post('{ movies { title } }', { authorization })).status).toBe(200);
  gate.resolve();
  expect(await early).toMatchObject({ status: 200, data: { movies: [] } });
  expect((await platform.post('{ movies { nosuch } }', { authorization })).status).toBe(400);
});

it('tells who repeats an operation that no longer fits which change took what away', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  acme.fields.push('rating');
  const authorization = await platform.signIn(acme, 'USER');
  const query = '{ movies { title rating } }';
  const kept = '{ movies { title } }';
  for (const text of [query, kept]) {
    expect((await platform.post(text, { authorization })).errors).toBeUndefined();
  }
  await using client = await openSocket(platform.url);
  await client.init({ authorization });
  await client.subscribe('1', 'subscription { movieChanged { movie { rating } } }');
  platform.change(acme, (tenant) => {
    tenant.fields.splice(0);
    tenant.definitionsVersion = 2;
  });
  await expect.poll(async () => (await platform.post(query, { authorization })).status).toBe(400);
  const expected = {
    message:
      'Cannot query field "rating" on type "Movie". It was valid until a change of the definitions, from version 1 to 2, took it away.',
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED', change: { from: 1, to: 2 } },
  };
  expect((await platform.post(query, { authorization })).errors).toMatchObject([expected]);
  expect(JSON.stringify((await client.next('1')).payload)).toContain('from version 1 to 2');
  expect((await platform.post(kept, { authorization })).errors).toBeUndefined();
  // What never was is only wrong.
  const wrong = await platform.post('{ movies { nosuch } }', { authorization });
  expect(wrong.errors?.[0]?.message).toBe('Cannot query field "nosuch" on type "Movie".');
  expect(wrong.errors?.[0]?.extensions['change']).toBeUndefined();
});
