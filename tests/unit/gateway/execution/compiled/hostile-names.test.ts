import { describe, expect, test } from 'vitest';
import { loadTestGraph, prepareOn, requestOf, runOn, tryPrepare } from './test-graph.ts';

const products =
  'type Query { items: [Item!] item: Item } type Item @key(fields: "id") { id: ID! name: String }';
const stock = 'type Item @key(fields: "id") { id: ID! stock: Int }';
const item = (id: string) => ({ __typename: 'Item', id, name: `name ${id}` });

describe('hostile names', () => {
  test('of response fields: __proto__ is refused, inherited names are ordinary ones', async () => {
    const graph = await loadTestGraph({ a: { sdl: products, execute: () => ({ data: {} }) } });
    const refused = tryPrepare(graph, '{ __proto__: item { id } }');
    expect(refused).toMatchObject({ errors: [{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }] });
    const answer = await prepareOn(
      graph,
      '{ constructor: item { toString: name } valueOf: item { id } }',
    ).execute(requestOf());
    expect(JSON.parse(JSON.stringify(answer))).toEqual({ data: { constructor: null, valueOf: null } });
  });

  test('in a subgraph’s answer reach no prototype', async () => {
    const evil = JSON.parse(
      '{"__typename":"Item","id":"1","__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    );
    const answer = await runOn(
      {
        a: { sdl: products, execute: () => ({ data: { items: [structuredClone(evil), item('2')] } }) },
        b: {
          sdl: stock,
          execute: () => ({ data: { _entities: [structuredClone(evil), structuredClone(evil)] } }),
        },
      },
      '{ items { id stock } }',
    );
    expect(answer.data).toEqual({
      items: [
        { id: '1', stock: null },
        { id: '1', stock: null },
      ],
    });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
