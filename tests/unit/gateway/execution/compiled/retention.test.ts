import { queryObjects } from 'node:v8';
import { Schema } from '@apollo/federation-internals';
import { GraphQLSchema } from 'graphql';
import { expect, test } from 'vitest';
import type { PreparedOperation } from '#gateway/execution/executor.ts';
import { loadTestGraph, prepareOn, requestOf } from './test-graph.ts';

/** Collects garbage first. */
const schemas = () => Number(queryObjects(GraphQLSchema)) + Number(queryObjects(Schema));

/** The graph is out of reach when this returns. */
async function prepareSome(): Promise<PreparedOperation[]> {
  const graph = await loadTestGraph({
    a: {
      sdl: 'type Query { items(filter: Filter): [Item] } input Filter { and: [Filter!] name: String } type Item @key(fields: "id") { id: ID! }',
      execute: () => ({ data: { items: [{ __typename: 'Item', id: '1' }] } }),
    },
    b: {
      sdl: 'type Item @key(fields: "id") { id: ID! name: String }',
      execute: () => ({ data: { _entities: [{ name: 'one' }] } }),
    },
  });
  return [
    prepareOn(graph, 'query ($f: Filter) { items(filter: $f) { name } }'),
    prepareOn(graph, '{ __schema { types { name } } }'),
    prepareOn(graph, 'query ($name: String!) { __type(name: $name) { name } }'),
  ];
}

test('a compiled operation keeps no schema, and runs without one', async () => {
  const before = schemas();
  const operations = await prepareSome();
  expect(schemas()).toBe(before);
  expect(await operations[0]?.execute(requestOf({ f: { and: [{ name: 'x' }] } }))).toEqual({
    data: { items: [{ name: 'one' }] },
  });
  expect(operations[0]?.heapBytes).toBeLessThan(20_000);
  expect(schemas()).toBe(before);
});
