/** Many subscribers of the same thing share what is done for them; none gets more, less or other than alone. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { Client } from '#tests/harness/client.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let viewer: Client;

beforeAll(async () => {
  product = await startProduct();
  tenant = await createTenant();
  viewer = await addUser(product, tenant, 'VIEWER');
});
afterAll(() => product[Symbol.asyncDispose]());

async function createTenant(): Promise<TestTenant> {
  const created = await registerTenant(product);
  await created.admin.query(`mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`, {
    input: {
      name: 'movie',
      fields: [
        { name: 'title', type: 'TEXT' },
        { name: 'year', type: 'INTEGER' },
        { name: 'script', type: 'LONG_TEXT' },
      ],
    },
  });
  return created;
}

const subscription = `subscription ($after: String) {
  movieChanged(after: $after) { cursor operation movieId movie { title createdBy { email } } }
}`;
const create = async (client: Client, input: Record<string, unknown>): Promise<string> => {
  const { createMovie } = await client.query(
    `mutation ($input: CreateMovieInput!) { createMovie(input: $input) { id } }`,
    { input },
  );
  return createMovie.id as string;
};
const headOf = async (client: Client): Promise<string> =>
  (await client.query(`{ changes(first: 0) { pageInfo { endCursor } } }`)).changes.pageInfo.endCursor;
/** The log's own order, for comparison. */
async function idsAfter(cursor: string): Promise<string[]> {
  const ids: string[] = [];
  for (let after = cursor; ; ) {
    const { changes } = await tenant.admin.query(
      `query ($after: String) { changes(first: 1000, after: $after, entities: ["movie"]) { nodes { recordId } pageInfo { hasNextPage endCursor } } }`,
      { after },
    );
    ids.push(...changes.nodes.map((node: { recordId: string }) => node.recordId));
    if (!changes.pageInfo.hasNextPage) return ids;
    after = changes.pageInfo.endCursor;
  }
}

it('loses and repeats nothing over 100 forced reconnects, while others write, come and go', async () => {
  const start = await headOf(tenant.admin);
  const reconnects = 100;
  const resuming = 10;
  const total = 400;
  let isWriting = true;
  const written = Promise.all(
    Array.from({ length: 4 }, async (_, writer) => {
      for (let index = 0; index < total / 4; index += 1)
        await create(tenant.admin, { title: `w${writer}-${index}` });
    }),
  ).finally(() => (isWriting = false));

  /** Somebody who is there the whole time, whoever else is not. */
  const watcher = product.client(viewer.credentials);
  await using watched = await watcher.subscribe(subscription, { after: start });
  /** They join the shared stream for a moment, live. */
  const passers = Array.from({ length: 3 }, async () => {
    while (isWriting) {
      const passer = product.client(viewer.credentials);
      await using changes = await passer.subscribe(subscription);
      if (isWriting) await Promise.race([changes.take(2), written]);
      passer.dropSocket();
    }
  });
  let dropped = 0;
  const received = await Promise.all(
    Array.from({ length: resuming }, async (_, own) => {
      const client = product.client(viewer.credentials);
      const ids: string[] = [];
      let after = start;
      while (ids.length < total) {
        const changes = await client.subscribe(subscription, { after });
        // Each of them at places of its own.
        const stretch = Math.min(total / (reconnects / resuming) - own, total - ids.length);
        for (const { movieChanged } of await changes.take(stretch)) {
          ids.push(movieChanged.movieId);
          after = movieChanged.cursor;
        }
        if (ids.length < total) dropped += 1;
        client.dropSocket();
      }
      return ids;
    }),
  );
  await Promise.all([written, ...passers]);
  const expected = await idsAfter(start);
  expect(expected.length).toBe(total);
  expect(dropped).toBeGreaterThanOrEqual(reconnects - resuming);
  for (const ids of received) expect(ids).toEqual(expected);
  expect((await watched.take(total)).map(({ movieChanged }) => movieChanged.movieId)).toEqual(expected);
});

it('gives who comes later only what comes later', async () => {
  const early = product.client(viewer.credentials);
  const late = product.client(viewer.credentials);
  await using first = await early.subscribe(subscription);
  const before = await create(tenant.admin, { title: 'before' });
  await using second = await late.subscribe(subscription);
  const after = await create(tenant.admin, { title: 'after' });
  expect((await first.take(2)).map(({ movieChanged }) => movieChanged.movieId)).toEqual([before, after]);
  expect((await second.next()).movieChanged.movieId).toBe(after);
});

describe('who is not the same gets another message', () => {
  const setPermissions = (permissions: Record<string, unknown>[]): Promise<unknown> =>
    tenant.admin.query(
      `mutation ($permissions: [PermissionInput!]!) { setPermissions(entity: "movie", permissions: $permissions) { id } }`,
      { permissions },
    );

  it('two tenants with the same definitions', async () => {
    const other = await createTenant();
    await using ours = await tenant.admin.subscribe(subscription);
    await using theirs = await other.admin.subscribe(subscription);
    const theirMovie = await create(other.admin, { title: 'theirs' });
    const ourMovie = await create(tenant.admin, { title: 'ours' });
    expect((await ours.next()).movieChanged).toMatchObject({
      movieId: ourMovie,
      movie: { title: 'ours', createdBy: { email: tenant.adminEmail } },
    });
    expect((await theirs.next()).movieChanged).toMatchObject({
      movieId: theirMovie,
      movie: { title: 'theirs', createdBy: { email: other.adminEmail } },
    });
  });

  it('two roles of which one sees less', async () => {
    await setPermissions([{ role: 'VIEWER', rowFilter: { year: { lt: 2000 } } }]);
    const user = await addUser(product, tenant, 'USER');
    await using all = await user.subscribe(subscription);
    await using some = await product.client(viewer.credentials).subscribe(subscription);
    const recent = await create(tenant.admin, { title: 'recent', year: 2001 });
    const old = await create(tenant.admin, { title: 'old', year: 1999 });
    expect((await all.take(2)).map(({ movieChanged }) => movieChanged.movieId)).toEqual([recent, old]);
    expect((await some.next()).movieChanged).toMatchObject({ movieId: old, movie: { title: 'old' } });
    await setPermissions([]);
  });

  it('two users whose permission names the user, from the moment that it does to the moment that it does not', async () => {
    const users = [await addUser(product, tenant, 'USER'), await addUser(product, tenant, 'USER')];
    const streams = await Promise.all(users.map((user) => user.subscribe(subscription)));
    const everybodys = await create(tenant.admin, { title: 'everybody’s' });
    for (const stream of streams) expect((await stream.next()).movieChanged.movieId).toBe(everybodys);

    await setPermissions([{ role: 'USER', rowFilter: { createdBy: { eq: '$me' } } }]);
    await create(tenant.admin, { title: 'nobody’s' });
    const own = await Promise.all(users.map((user, index) => create(user, { title: `of ${index}` })));
    for (const [index, stream] of streams.entries()) {
      expect((await stream.next()).movieChanged).toMatchObject({
        movieId: own[index],
        movie: { title: `of ${index}` },
      });
    }

    await setPermissions([]);
    const again = await create(tenant.admin, { title: 'everybody’s again' });
    for (const [index, stream] of streams.entries()) {
      // What was another's may be told late, now that it may be seen; nothing is told twice.
      let { movieChanged } = await stream.next();
      if (movieChanged.movieId === own[1 - index]) ({ movieChanged } = await stream.next());
      expect(movieChanged.movieId).toBe(again);
      await stream[Symbol.asyncDispose]();
    }
  });

  it('a user who is gone: only that one is ended', async () => {
    const [stays, goes] = [await addUser(product, tenant, 'USER'), await addUser(product, tenant, 'USER')];
    const { me } = await goes.query(`{ me { id } }`);
    await using kept = await stays.subscribe(subscription);
    await using ended = await goes.subscribe(subscription);
    const last = ended.next();
    last.catch(() => undefined);
    await tenant.admin.query(`mutation ($id: ID!) { deleteUser(id: $id) }`, { id: me.id });
    await expect(last).rejects.toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
    const id = await create(tenant.admin, { title: 'still here' });
    expect((await kept.next()).movieChanged.movieId).toBe(id);
  });
});

it('lets nobody wait for one that does not read, and tells that one where to go on', async () => {
  const query = `subscription ($after: String) { movieChanged(after: $after) { cursor movieId movie { script } } }`;
  const script = 'x'.repeat(100_000);
  const count = 150;
  const socket = new WebSocket(`${product.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const seen: string[] = [];
  const ended = Promise.withResolvers<{ code: string; cursor: string }>();
  const opened = Promise.withResolvers<void>();
  socket.on('message', (data) => {
    const { type, payload } = JSON.parse((data as Buffer).toString());
    if (type === 'connection_ack') {
      socket.send(JSON.stringify({ id: 's', type: 'subscribe', payload: { query } }));
      socket.send(JSON.stringify({ type: 'ping' }));
    } else if (type === 'pong') opened.resolve();
    else if (payload?.errors) ended.resolve(payload.errors[0].extensions);
    else if (type === 'next') seen.push(payload.data.movieChanged.movieId);
  });
  socket.send(JSON.stringify({ type: 'connection_init', payload: viewer.credentials }));
  await opened.promise;
  socket.pause();

  const others = Array.from({ length: 20 }, () => product.client(viewer.credentials));
  const streams = await Promise.all(others.map((other) => other.subscribe(query)));
  const written: string[] = [];
  for (let index = 0; index < count; index += 1) written.push(await create(tenant.admin, { script }));
  for (const stream of streams) {
    expect((await stream.take(count)).map(({ movieChanged }) => movieChanged.movieId)).toEqual(written);
    await stream[Symbol.asyncDispose]();
  }
  for (const other of others) other.dropSocket();

  socket.resume();
  const { code, cursor } = await ended.promise;
  expect(code).toBe('SUBSCRIBER_TOO_SLOW');
  expect(seen.length).toBeLessThan(count);
  await using resumed = await product.client(viewer.credentials).subscribe(query, { after: cursor });
  const rest = await resumed.take(count - seen.length);
  expect([...seen, ...rest.map(({ movieChanged }) => movieChanged.movieId)]).toEqual(written);
  socket.terminate();
});
