import { GraphQLError } from 'graphql';
import { describe, expect, it } from 'vitest';
import type { LoadedGraph, ParsedOperation, PreparedOperation } from '#gateway/execution/executor.ts';
import { createOperationCache } from '#gateway/execution/operation-cache.ts';

const operation = (query: string, heapBytes = 1): PreparedOperation => ({
  summary: { kind: 'query', operationName: null, rootFields: [query] },
  heapBytes,
  execute: () => Promise.reject(new Error('not run here')),
  subscribe: () => Promise.reject(new Error('not run here')),
});
const text = (query: string, operationName: string | null = null) => ({ query, operationName });

/** A graph on which only operations without `gone` validate. */
function createGraph(prepared: string[]): LoadedGraph {
  return {
    apiSdl: '',
    heapBytes: 1,
    prepare({ query }: ParsedOperation) {
      if (query.includes('gone')) return { errors: [new GraphQLError('no such field')] };
      prepared.push(query);
      return operation(query);
    },
  };
}

describe('createOperationCache', () => {
  it('keeps operations apart by graph, name and text', () => {
    const cache = createOperationCache({ heapBudgetBytes: 100 });
    const one = operation('one');
    cache.set('A', text('{ a }'), one);
    expect(cache.find('A', text('{ a }'))).toBe(one);
    expect(cache.find('B', text('{ a }'))).toBeUndefined();
    expect(cache.find('A', text('{ a }', 'Name'))).toBeUndefined();
    expect(cache.find('A', text('{ b }'))).toBeUndefined();
  });

  it('lets the least recently used go, by the bytes that they hold', () => {
    const cache = createOperationCache({ heapBudgetBytes: 100 });
    cache.set('A', text('1'), operation('1', 50));
    cache.set('A', text('2'), operation('2', 50));
    cache.find('A', text('1'));
    cache.set('A', text('3'), operation('3', 50));
    expect(cache.find('A', text('2'))).toBeUndefined();
    expect(cache.find('A', text('1'))).toBeDefined();
    cache.set('A', text('4'), operation('4', 1_000));
    expect(cache.find('A', text('4'))).toBeDefined();
  });

  it('prepares on a new graph what was asked for most, and leaves out what no longer fits', async () => {
    const cache = createOperationCache({ heapBudgetBytes: 1_000 });
    for (const [query, hits] of [
      ['{ seldom }', 0],
      ['{ often }', 9],
      ['{ gone }', 5],
      ['{ sometimes }', 2],
    ] as const) {
      cache.set('A', text(query), operation(query));
      for (let hit = 0; hit < hits; hit += 1) cache.find('A', text(query));
    }
    const prepared: string[] = [];
    await cache.warmUp('A', 'B', async () => createGraph(prepared), 60_000);
    expect(prepared).toEqual(['{ often }', '{ sometimes }', '{ seldom }']);
    expect(cache.find('B', text('{ often }'))).toBeDefined();
    expect(cache.find('B', text('{ gone }'))).toBeUndefined();
    await cache.warmUp('A', 'B', async () => createGraph(prepared), 60_000);
    expect(prepared).toHaveLength(3);
    await cache.warmUp('nowhere', 'B', async () => createGraph(prepared), 60_000);
    expect(prepared).toHaveLength(3);
  });

  it('ends when its time is over', async () => {
    const cache = createOperationCache({ heapBudgetBytes: 1_000 });
    cache.set('A', text('{ a }'), operation('{ a }'));
    const prepared: string[] = [];
    await cache.warmUp('A', 'B', async () => createGraph(prepared), -1);
    expect(prepared).toEqual([]);
  });
});
