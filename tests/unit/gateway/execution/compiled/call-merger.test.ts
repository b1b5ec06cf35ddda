import { buildSubgraphSchema } from '@apollo/subgraph';
import { parse, validate } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { expect, test, vi } from 'vitest';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import { runOn } from './test-graph.ts';

const lists = `type Query { left: [Item!] right: [Item!] }
  type Item @key(fields: "id") { id: ID! }`;
const details = 'type Item @key(fields: "id") { id: ID! name(size: Int): String cost: Float }';
const query = 'query Both($size: Int) { left { name(size: $size) } right { cost } }';
const listsAnswer = {
  data: {
    left: [{ __typename: 'Item', id: '1' }],
    right: [
      { __typename: 'Item', id: '2' },
      { __typename: 'Item', id: '3' },
    ],
  },
};

const run = (answer: (request: SubgraphRequest) => ExecutionResult, isRemote = true) => {
  const execute = vi.fn(answer);
  const subgraphs = {
    lists: { sdl: lists, execute: () => structuredClone(listsAnswer) },
    details: { sdl: details, isRemote, execute },
  };
  return { execute, answered: runOn(subgraphs, query, { size: 4 }) };
};

test('two entity calls of a turn are one call over the network, and two in process', async () => {
  const { execute, answered } = run(({ variables }) => {
    expect(variables).toMatchObject({
      size: 4,
      representations_0: [{ id: '1' }],
      representations_1: [{ id: '2' }, { id: '3' }],
    });
    return { data: { entities_0: [{ name: 'one' }], entities_1: [{ cost: 2 }, { cost: 3 }] } };
  });
  expect(await answered).toEqual({ data: { left: [{ name: 'one' }], right: [{ cost: 2 }, { cost: 3 }] } });
  expect(execute).toHaveBeenCalledTimes(1);
  const schema = buildSubgraphSchema([{ typeDefs: parse(details) }]);
  expect(validate(schema, parse(execute.mock.calls[0]?.[0].query ?? ''))).toEqual([]);

  const inProcess = run(() => ({ data: null }), false);
  await inProcess.answered;
  expect(inProcess.execute).toHaveBeenCalledTimes(2);
});

test('errors go to the call at whose member they are, and one without a path is told once', async () => {
  const errors = [
    { message: 'dear', path: ['entities_1', 1, 'cost'], extensions: { code: 'CONFLICT' } },
    { message: 'slow today' },
  ] as never;
  const { answered } = run(() => ({
    data: { entities_0: [{ name: 'one' }], entities_1: [{ cost: 2 }, { cost: null }] },
    errors,
  }));
  const { data, errors: told } = await answered;
  expect(data).toEqual({ left: [{ name: 'one' }], right: [{ cost: 2 }, { cost: null }] });
  expect(told).toEqual([
    { message: 'slow today', extensions: { code: 'DOWNSTREAM_SERVICE_ERROR' } },
    { message: 'dear', path: ['right', 1, 'cost'], extensions: { code: 'CONFLICT' } },
  ]);
});

test('a call whose data is lost because of another’s is told why', async () => {
  const errors = [{ message: 'broken', path: ['entities_1'], extensions: { code: 'FORBIDDEN' } }] as never;
  const { answered } = run(() => ({ data: null, errors }));
  const { data, errors: told } = await answered;
  expect(data).toEqual({ left: [{ name: null }], right: [{ cost: null }, { cost: null }] });
  expect(told).toEqual([
    { message: 'broken', extensions: { code: 'FORBIDDEN' } },
    { message: 'broken', path: ['right'], extensions: { code: 'FORBIDDEN' } },
  ]);
});

test('a failed call fails every part of it', async () => {
  const { answered } = run(() => {
    throw new Error('refused');
  });
  expect((await answered).errors?.map(({ extensions }) => extensions)).toEqual([
    { code: 'SUBGRAPH_UNAVAILABLE' },
    { code: 'SUBGRAPH_UNAVAILABLE' },
  ]);
});
