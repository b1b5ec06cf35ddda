import { describe, expect, test } from 'vitest';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { GraphQLError, type ExecutionResult } from 'graphql';
import { loadTestGraph, prepareOn, requestOf } from './test-graph.ts';

const log = `type Query { x: Int }
  type Subscription { changed(of: Int, after: String): Change ticks: Int }
  type Change { at: Int same(as: String): Int item: Item }
  type Item @key(fields: "id", resolvable: false) { id: ID! }`;
const items = 'type Item @key(fields: "id") { id: ID! name(in: String): String }';

async function graphOf(subscribe: SubgraphService['subscribe'] = () => Promise.reject(new Error('none'))) {
  return loadTestGraph({ log: { sdl: log, subscribe }, items: { sdl: items } });
}

describe('what is told of a subscription', () => {
  test.each([
    ['subscription { changed { at } }', ['log'], null],
    ['subscription ($a: String) { changed(after: $a) { at item { name } } }', ['log', 'items'], 'a'],
    ['subscription { changed(after: "x") { at } }', ['log'], null],
    // Where it says something else as well, those who share must agree on it.
    ['subscription ($a: String) { changed(after: $a) { same(as: $a) } }', ['log'], null],
    ['subscription ($a: String) { changed(after: $a) { item { name(in: $a) } } }', ['log', 'items'], null],
    [
      'subscription ($a: String) { changed(after: $a) { ...F } } fragment F on Change { at item { id } }',
      ['log'],
      'a',
    ],
  ])('%s', async (query, subgraphs, resumeVariable) => {
    const { stream } = prepareOn(await graphOf(), query);
    expect([stream?.source, [...(stream?.subgraphs ?? [])].toSorted(), stream?.resumeVariable]).toEqual([
      'log',
      subgraphs.toSorted(),
      resumeVariable,
    ]);
  });

  test('a query has nothing of it', async () => {
    expect(prepareOn(await graphOf(), '{ x }').stream).toBeNull();
  });
});

describe('opening after a place', () => {
  const end = { errors: [] };
  const asked = async (query: string, variables: Record<string, unknown> = {}): Promise<SubgraphRequest> => {
    const seen: SubgraphRequest[] = [];
    const graph = await graphOf(async (request) => {
      seen.push(request);
      return end;
    });
    await prepareOn(graph, query).subscribe(requestOf(variables, { after: 'c7' }));
    return seen[0] as SubgraphRequest;
  };
  const flat = (text: string): string => text.replaceAll(/\s+/g, '');

  test('sets the variable that says it', async () => {
    const { variables } = await asked(
      'subscription ($a: String, $of: Int) { changed(after: $a, of: $of) { at } }',
      {
        a: 'c1',
        of: 3,
      },
    );
    expect(variables).toEqual({ a: 'c7', of: 3 });
  });

  test('adds the argument, or puts it in the place of a value', async () => {
    for (const query of ['subscription { changed { at } }', 'subscription { changed(after: "c1") { at } }']) {
      const request = await asked(query);
      expect([flat(request.query), request.variables]).toEqual([
        'subscription($after:String){changed(after:$after){at}}',
        { after: 'c7' },
      ]);
    }
  });

  test('leaves a variable alone that says something else as well', async () => {
    const query = 'subscription ($after: String) { changed(after: $after) { same(as: $after) } }';
    const request = await asked(query, { after: 'c1' });
    expect(flat(request.query)).toContain('changed(after:$_after){same(as:$after)}');
    expect(request.variables).toEqual({ after: 'c1', _after: 'c7' });
  });

  test('begins now where the field takes no place', async () => {
    const seen: string[] = [];
    const stream: AsyncIterableIterator<ExecutionResult> = {
      [Symbol.asyncIterator]: () => stream,
      next: async () => ({ value: {}, done: false }),
    };
    const graph = await graphOf(async ({ query }) => {
      seen.push(query);
      const refused = new GraphQLError('Unknown argument', {
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      });
      return query.includes('after') ? { errors: [refused] } : stream;
    });
    const live = await prepareOn(graph, 'subscription { ticks }').subscribe(requestOf({}, { after: 'c7' }));
    expect([seen.length, Symbol.asyncIterator in live]).toEqual([2, true]);
  });
});
