/** What clients see of a graph outlives the loaded graph. */
import {
  buildClientSchema,
  buildSchema,
  getIntrospectionQuery,
  lexicographicSortSchema,
  printSchema,
} from 'graphql';
import { expect, it } from 'vitest';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { GatewayOptions } from '#gateway/server.ts';
import { startTestGateway } from './fixtures/test-gateway.ts';

it('SDL and introspection of a graph that was dropped are answered without loading it', async () => {
  let loads = 0;
  const createEngine: GatewayOptions['createEngine'] = (options) => {
    const engine = createCompiledEngine(options);
    return {
      ...engine,
      async load(sdl) {
        loads += 1;
        // As large as the whole budget, so that each graph drops the one before.
        return { ...(await engine.load(sdl)), heapBytes: Number.MAX_SAFE_INTEGER };
      },
    };
  };
  await using platform = await startTestGateway({ createEngine });
  const [acme, globex] = [platform.addTenant('acme'), platform.addTenant('globex')];
  acme.fields.push('rating');
  const one = await platform.signIn(acme, 'ADMIN');
  const other = await platform.signIn(globex, 'ADMIN');
  const ask = (query: string, authorization: string, variables = {}) =>
    platform.post(query, { authorization, variables });
  expect((await ask('{ movies { rating } }', one)).errors).toBeUndefined();
  expect((await ask('{ movies { title } }', other)).errors).toBeUndefined();

  const before = loads;
  const sdl = await (
    await fetch(`${platform.url}/schema.graphql`, { headers: { authorization: one } })
  ).text();
  const { data } = await ask(
    getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true }),
    one,
  );
  const introspected = printSchema(lexicographicSortSchema(buildClientSchema(data)));
  expect(introspected).toBe(printSchema(lexicographicSortSchema(buildSchema(sdl))));
  expect(introspected).toContain('rating: String');
  expect((await ask(getIntrospectionQuery({ descriptions: false }), one)).errors).toBeUndefined();
  const named =
    'query ($name: String!, $more: Boolean = false) { __type(name: $name) { name fields @include(if: $more) { name } } __typename }';
  for (const [variables, expected] of [
    [{ name: 'Movie' }, { name: 'Movie' }],
    [{ name: 'NoSuch' }, null],
    [
      { name: 'Movie', more: true },
      { name: 'Movie', fields: ['id', 'title', 'rating', 'createdBy'].map((name) => ({ name })) },
    ],
  ] as const) {
    expect((await ask(named, one, variables)).data).toEqual({ __type: expected, __typename: 'Query' });
  }
  const wrong = await ask('{ __type(nome: "Movie") { name } }', one);
  expect(wrong.errors?.map(({ extensions }) => extensions['code'])).toContain('GRAPHQL_VALIDATION_FAILED');
  expect((await ask(named, one, { name: 7 })).errors?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
  expect(loads).toBe(before);

  // What asks for more than the schema is planned on the graph.
  expect((await ask('{ __typename movies { id } }', one)).errors).toBeUndefined();
  expect(loads).toBe(before + 1);
});

it('introspection that is off stays off', async () => {
  await using platform = await startTestGateway({ environment: { INTROSPECTION: 'false' } });
  const authorization = await platform.signIn(platform.addTenant('acme'), 'ADMIN');
  expect((await platform.post('{ movies { id } }', { authorization })).errors).toBeUndefined();
  for (const query of ['{ __schema { queryType { name } } }', '{ __type(name: "Movie") { name } }']) {
    const { errors } = await platform.post(query, { authorization });
    expect(errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  }
  expect((await platform.post('{ __typename }', { authorization })).data).toEqual({ __typename: 'Query' });
});
