import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import { loadTestGraph, prepareOn, requestOf, runOn } from './test-graph.ts';

const products =
  'type Query { items: [Item!] item: Item } type Item @key(fields: "id") { id: ID! name: String }';
const stock = 'type Item @key(fields: "id") { id: ID! stock: Int price: Float! }';
const item = (id: string) => ({ __typename: 'Item', id, name: `name ${id}` });

describe('an entity fetch', () => {
  test('asks for equal entities once and gives each its answer', async () => {
    const execute = vi.fn((request: SubgraphRequest) => {
      const representations = request.variables?.representations as { id: string }[];
      return { data: { _entities: representations.map(({ id }) => ({ stock: Number(id) })) } };
    });
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [item('1'), item('2'), item('1')] } }) },
        b: { sdl: stock, execute },
      },
      '{ items { id stock } }',
    );
    expect(answer).toEqual({
      data: {
        items: [
          { id: '1', stock: 1 },
          { id: '2', stock: 2 },
          { id: '1', stock: 1 },
        ],
      },
    });
    expect(execute.mock.calls[0]?.[0].variables?.representations).toHaveLength(2);
  });

  test('puts an error to every object that its entity stands for, past those that were not asked for', async () => {
    const answer = await runOn(
      {
        a: {
          sdl: products,
          // Without a type name nothing can be asked.
          execute: () => ({ data: { items: [{ id: '0' }, item('1'), item('2'), item('1')] } }),
        },
        b: {
          sdl: stock,
          execute: () => ({
            data: { _entities: [{ stock: null }, { stock: 2 }] },
            errors: [
              {
                message: 'sold',
                path: ['_entities', 0, 'stock'],
                extensions: { code: 'CONFLICT', stacktrace: ['x'] },
              },
            ] as never,
          }),
        },
      },
      '{ items { stock } }',
    );
    expect(answer.data).toEqual({ items: [{ stock: null }, { stock: null }, { stock: 2 }, { stock: null }] });
    expect(answer.errors).toEqual([
      { message: 'sold', path: ['items', 1, 'stock'], extensions: { code: 'CONFLICT' } },
      { message: 'sold', path: ['items', 3, 'stock'], extensions: { code: 'CONFLICT' } },
    ]);
  });

  test('that fails leaves the rest of the answer, and its cause is not shown', async () => {
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [item('1')] } }) },
        b: { sdl: stock, execute: () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:5432')) },
      },
      '{ items { name stock } }',
    );
    expect(answer.data).toEqual({ items: [{ name: 'name 1', stock: null }] });
    expect(answer.errors).toHaveLength(1);
    expect(answer.errors?.[0]?.extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE' });
    expect(JSON.stringify(answer)).not.toContain('10.0.0.7');
  });

  test('passes on the code of an error that is meant for callers', async () => {
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [item('1')] } }) },
        b: { sdl: stock, execute: () => Promise.reject(new DomainError('GATEWAY_TIMEOUT', 'too slow')) },
      },
      '{ items { stock } }',
    );
    expect(answer.errors).toEqual([{ message: 'too slow', extensions: { code: 'GATEWAY_TIMEOUT' } }]);
  });
});

test('an answer that nothing foresaw is an error, not a rejection', async () => {
  const answer = await runOn(
    {
      a: {
        sdl: 'type Query { item: Item } type Item @key(fields: "id") { id: ID! weight: Big } scalar Big',
        // No JSON: a representation of it cannot be told from another.
        execute: () => ({ data: { item: { __typename: 'Item', id: '1', weight: 1n } } }),
      },
      b: {
        sdl: 'type Item @key(fields: "id") { id: ID! weight: Big @external cost: Int @requires(fields: "weight") } scalar Big',
      },
    },
    '{ item { cost } }',
  );
  expect(answer).toEqual({
    data: null,
    errors: [{ message: 'Internal error', extensions: { code: 'INTERNAL_SERVER_ERROR' } }],
  });
});

describe('nulls in the wrong place', () => {
  test('beside the one that took a subgraph’s whole answer along are accounted for by its error', async () => {
    const run = (errors: unknown) =>
      runOn(
        {
          a: {
            sdl: 'type Query { ready: Int } type Mutation { first: Int! second: Int! }',
            execute: () => ({ data: null, errors: errors as never }),
          },
        },
        'mutation { one: first two: second }',
      );
    const conflict = { message: 'taken', path: ['two'], extensions: { code: 'CONFLICT' } };
    expect(await run([conflict])).toEqual({ data: null, errors: [conflict] });
    expect((await run([])).errors).toMatchObject([{ path: ['one'] }]);
  });

  test('go up to where the schema allows them, with an error at their path', async () => {
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [item('1')], item: item('2') } }) },
        b: { sdl: stock, execute: () => ({ data: { _entities: [{ price: null }] } }) },
      },
      '{ items { price } item { cost: price } }',
    );
    expect(answer.data).toEqual({ items: null, item: null });
    expect(answer.errors?.map(({ message, path }) => ({ message, path }))).toEqual([
      { message: 'Cannot return null for non-nullable field Item.price.', path: ['items', 0, 'price'] },
      { message: 'Cannot return null for non-nullable field Item.price.', path: ['item', 'cost'] },
    ]);
  });

  test('are not reported twice where a subgraph told why', async () => {
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [item('1')] } }) },
        b: {
          sdl: stock,
          execute: () => ({
            data: { _entities: [null] },
            errors: [{ message: 'no', path: ['_entities', 0, 'price'] }] as never,
          }),
        },
      },
      '{ items { price } }',
    );
    expect(answer.errors).toEqual([
      { message: 'no', path: ['items', 0, 'price'], extensions: { code: 'DOWNSTREAM_SERVICE_ERROR' } },
    ]);
  });

  test('follow the object’s own field where its interface is laxer', async () => {
    const answer = await runOn(
      {
        a: {
          sdl: 'type Query { node: Node } interface Node { tag: String } type Leaf implements Node { tag: String! }',
          execute: () => ({ data: { node: { __typename: 'Leaf', tag: null } } }),
        },
      },
      '{ node { tag } }',
    );
    expect(answer).toMatchObject({ data: { node: null }, errors: [{ path: ['node', 'tag'] }] });
  });
});

describe('leaves', () => {
  const sdl =
    'type Query { id: ID count: Int color: Color hidden: [Color!] json: Json } enum Color { RED BLUE @inaccessible } scalar Json';
  const ask = (data: Record<string, unknown>) =>
    runOn({ a: { sdl, execute: () => ({ data }) } }, '{ id count color hidden json }');

  test('are what the schema says', async () => {
    const json = { deep: [1, { two: null }] };
    expect(await ask({ id: 7, count: 3, color: 'RED', hidden: ['RED'], json })).toEqual({
      data: { id: '7', count: 3, color: 'RED', hidden: ['RED'], json },
    });
  });

  test('that are not become null with an error; what clients may not see is such a value', async () => {
    const answer = await ask({ id: {}, count: 2 ** 31, color: 'BLUE', hidden: ['RED', 'BLUE'], json: null });
    expect(answer.data).toEqual({ id: null, count: null, color: null, hidden: null, json: null });
    expect(answer.errors?.map(({ path }) => path)).toEqual([['id'], ['count'], ['color'], ['hidden', 1]]);
    expect(JSON.stringify(answer)).not.toContain('BLUE');
  });
});

describe('abstract types', () => {
  const sdl = `type Query { things: [Thing] } union Thing = A | B | Hidden
    interface Named { name: String } type A implements Named { name: String a: Int } type B implements Named { name: String b: Int }
    type Hidden @inaccessible { c: Int }`;
  const things = [
    { __typename: 'A', name: 'x', a: 1, again: 1 },
    { __typename: 'B', name: 'y', b: 2 },
    { __typename: 'Hidden' },
    'rubbish',
  ];

  test('answer by their type; fragments are merged, hidden types are null', async () => {
    const answer = await runOn(
      { a: { sdl, execute: () => ({ data: { things } }) } },
      `query ($no: Boolean!) { things { __typename ... on Named { name } ...F ... on B { b name @include(if: $no) } } }
       fragment F on A { a again: a @skip(if: $no) }`,
      { no: false },
    );
    expect(answer.data).toEqual({
      things: [
        { __typename: 'A', name: 'x', a: 1, again: 1 },
        { __typename: 'B', name: 'y', b: 2 },
        null,
        null,
      ],
    });
    expect(answer.errors?.map(({ path }) => path)).toEqual([
      ['things', 2],
      ['things', 3],
    ]);
  });
});

describe('a caller who gives up', () => {
  test('is not waited for: late answers are dropped and nothing more is asked', async () => {
    const controller = new AbortController();
    const held = Promise.withResolvers<{ data: Record<string, unknown> }>();
    const second = vi.fn();
    const graph = await loadTestGraph({
      a: { sdl: products, execute: () => held.promise },
      b: { sdl: stock, execute: second },
    });
    const pending = prepareOn(graph, '{ items { stock } }').execute(
      requestOf({}, { signal: controller.signal }),
    );
    controller.abort(new DomainError('GATEWAY_TIMEOUT', 'The operation took too long'));
    expect(JSON.parse(JSON.stringify(await pending))).toEqual({
      data: { items: null },
      errors: [{ message: 'The operation took too long', extensions: { code: 'GATEWAY_TIMEOUT' } }],
    });
    held.resolve({ data: { items: [item('1')] } });
    await held.promise;
    expect(second).not.toHaveBeenCalled();
  });
});

describe('introspection', () => {
  const sdl = 'type Query { a: Int } type Secret @inaccessible { b: Int }';

  test('is answered without a subgraph, beside fields that need one', async () => {
    const answer = await runOn(
      { a: { sdl, execute: () => ({ data: { a: 1 } }) } },
      '{ a __typename Q: __type(name: "Query") { name } __type(name: "Secret") { name } }',
    );
    expect(answer).toEqual({ data: { a: 1, __typename: 'Query', Q: { name: 'Query' }, __type: null } });
  });

  test('of a whole schema is kept packed, and counted', async () => {
    const fields = Array.from({ length: 200 }, (_, index) => `field${index}(first: Int, after: String): Int`);
    const graph = await loadTestGraph({ a: { sdl: `type Query { ${fields.join(' ')} }` } });
    const query = getIntrospectionQuery();
    const operation = prepareOn(graph, query);
    const answer = await operation.execute(requestOf());
    expect(printSchema(buildClientSchema(answer.data as never))).toBe(graph.apiSdl);
    expect(operation.heapBytes).toBeLessThan(JSON.stringify(answer).length / 2);
  });

  test('reads variables', async () => {
    const query =
      'query ($name: String!, $kind: Boolean!) { __type(name: $name) { name kind @include(if: $kind) } }';
    const graph = await loadTestGraph({ a: { sdl } });
    const operation = prepareOn(graph, query);
    const ask = async (variables: Record<string, unknown>) =>
      JSON.parse(JSON.stringify(await operation.execute(requestOf(variables)))) as unknown;
    expect(await ask({ name: 'Query', kind: true })).toEqual({
      data: { __type: { name: 'Query', kind: 'OBJECT' } },
    });
    expect(await ask({ name: 'Secret', kind: false })).toEqual({ data: { __type: null } });
  });
});
