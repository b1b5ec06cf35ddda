/** Live changes over graphql-ws: each once, in order, across subgraphs; and nothing lost over a dropped socket. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let directorId: string;

beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
  const create = `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`;
  await tenant.admin.query(create, { input: { name: 'director', fields: [{ name: 'name', type: 'TEXT' }] } });
  await tenant.admin.query(create, {
    input: {
      name: 'movie',
      fields: [
        { name: 'title', type: 'TEXT' },
        { name: 'year', type: 'INTEGER' },
        { name: 'director', type: 'RELATION', targetEntity: 'director', inverseName: 'movies' },
      ],
    },
  });
  const { createDirector } = await tenant.admin.query(
    `mutation { createDirector(input: { name: "Agnès Varda" }) { id } }`,
  );
  directorId = createDirector.id;
});
afterAll(() => product[Symbol.asyncDispose]());

const subscription = `subscription ($after: String) {
  movieChanged(after: $after) { cursor operation movieId changedFields movie { title director { name } createdBy { email } } }
}`;
const createMovie = (title: string): Promise<{ createMovie: { id: string } }> =>
  tenant.admin.query(`mutation ($input: CreateMovieInput!) { createMovie(input: $input) { id } }`, {
    input: { title, directorId },
  });

it('delivers each change once and in order, with fields of three subgraphs', async () => {
  const viewer = await addUser(product, tenant, 'VIEWER');
  await using changes = await viewer.subscribe(subscription);
  const { createMovie: movie } = await createMovie('Cléo');
  await tenant.admin.query(
    `mutation ($id: ID!) { updateMovie(id: $id, input: { title: "Cléo de 5 à 7" }) { id } }`,
    { id: movie.id },
  );
  await tenant.admin.query(`mutation ($id: ID!) { deleteMovie(id: $id) { id } }`, { id: movie.id });
  const events = (await changes.take(3)).map((event) => event.movieChanged);
  expect(events.map((event) => event.operation)).toEqual(['CREATED', 'UPDATED', 'DELETED']);
  expect(events[1].changedFields).toEqual(['title']);
  expect(events.map((event) => event.movieId)).toEqual([movie.id, movie.id, movie.id]);
  expect(events[2].movie).toBeNull();
});

it('resolves what stands below the event from the other subgraphs', async () => {
  await using changes = await tenant.admin.subscribe(subscription);
  await createMovie('Vagabond');
  const { movieChanged } = await changes.next();
  expect(movieChanged.movie).toEqual({
    title: 'Vagabond',
    director: { name: 'Agnès Varda' },
    createdBy: { email: tenant.adminEmail },
  });
});

it('misses nothing and repeats nothing over dropped sockets while four writers run', async () => {
  const listener = await addUser(product, tenant, 'VIEWER');
  const { changes: head } = await tenant.admin.query(`{ changes(first: 0) { pageInfo { endCursor } } }`);
  const total = 200;
  const written: string[] = [];
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let index = 0; index < total / 4; index += 1)
      written.push((await createMovie(`w${writer}-${index}`)).createMovie.id);
  });
  const received: string[] = [];
  let after: string = head.pageInfo.endCursor;
  while (received.length < total) {
    await using changes = await listener.subscribe(subscription, { after });
    const stretch = Math.min(17, total - received.length);
    for (const { movieChanged } of await changes.take(stretch)) {
      received.push(movieChanged.movieId);
      after = movieChanged.cursor;
    }
    listener.dropSocket();
  }
  await Promise.all(writers);
  expect(new Set(received).size).toBe(total);
  expect(received.toSorted()).toEqual(written.toSorted());

  const { changes } = await tenant.admin.query(
    `query ($after: String) { changes(first: 1000, after: $after) { nodes { recordId } } }`,
    {
      after: head.pageInfo.endCursor,
    },
  );
  expect(received).toEqual(changes.nodes.map((node: { recordId: string }) => node.recordId));
});

it('filters by operation and by field, and says when a record enters or leaves the filter', async () => {
  await using recent = await tenant.admin.subscribe(
    `subscription { movieChanged(filter: { year: { gte: 2000 } }) { operation movieId movie { year } } }`,
  );
  await using deleted = await tenant.admin.subscribe(
    `subscription { movieChanged(operations: [DELETED]) { operation movieId } }`,
  );
  const { createMovie: movie } = await createMovie('The Gleaners and I');
  const setYear = (year: number): Promise<unknown> =>
    tenant.admin.query(
      `mutation ($id: ID!, $year: Int) { updateMovie(id: $id, input: { year: $year }) { id } }`,
      { id: movie.id, year },
    );
  await setYear(1999);
  await setYear(2000);
  await setYear(2001);
  await setYear(1998);
  await tenant.admin.query(`mutation ($id: ID!) { deleteMovie(id: $id) { id } }`, { id: movie.id });
  expect((await recent.take(3)).map((event) => event.movieChanged.operation)).toEqual([
    'ENTERED',
    'UPDATED',
    'LEFT',
  ]);
  expect((await deleted.next()).movieChanged).toEqual({ operation: 'DELETED', movieId: movie.id });
});

it('tells of any entity and of definitions', async () => {
  await using records = await tenant.admin.subscribe(
    `subscription { recordChanged(entities: ["director"]) { operation entity recordId changedFields } }`,
  );
  await using definitions = await tenant.admin.subscribe(`subscription { definitionsChanged { version } }`);
  await createMovie('not asked for');
  const { createDirector } = await tenant.admin.query(
    `mutation { createDirector(input: { name: "Jacques Demy" }) { id } }`,
  );
  expect((await records.next()).recordChanged).toEqual({
    operation: 'CREATED',
    entity: 'director',
    recordId: createDirector.id,
    changedFields: ['name'],
  });
  await tenant.admin.query(
    `mutation { createField(entity: "director", input: { name: "born", type: DATE }) { id } }`,
  );
  expect((await definitions.next()).definitionsChanged.version).toBeGreaterThan(1);
});
