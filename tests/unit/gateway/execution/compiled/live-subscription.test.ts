import type { ExecutionResult } from 'graphql';
import { describe, expect, test } from 'vitest';
import type { LiveSubscription, LoadedGraph } from '#gateway/execution/executor.ts';
import { loadTestGraph, prepareOn, requestOf } from './test-graph.ts';

const events =
  'type Query { x: Int } type Subscription { changed(of: Int): Change } type Change { at: Int item: Item } type Item @key(fields: "id", resolvable: false) { id: ID! }';
const items = 'type Item @key(fields: "id") { id: ID! name: String }';

/** An upstream that a test feeds. `return` answers although a `next` is pending. */
function createSource() {
  const queue: ExecutionResult[] = [];
  let waiting: ((step: IteratorResult<ExecutionResult>) => void) | null = null;
  const source = { asked: 0, isReturned: false };
  const stream: AsyncIterableIterator<ExecutionResult> = {
    next() {
      source.asked++;
      const value = queue.shift();
      if (value) return Promise.resolve({ value, done: false });
      return new Promise((resolve) => {
        waiting = resolve;
      });
    },
    async return() {
      source.isReturned = true;
      return { value: undefined, done: true };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
  const push = (value: ExecutionResult) => {
    if (waiting) waiting({ value, done: false });
    else queue.push(value);
    waiting = null;
  };
  return { source, stream, push };
}

async function subscribed(query = 'subscription { changed { at item { name } } }') {
  const { source, stream, push } = createSource();
  const graph = await loadTestGraph({
    a: { sdl: events, subscribe: async () => stream },
    b: {
      sdl: items,
      execute: ({ variables }) => ({
        data: {
          _entities: ((variables?.representations ?? []) as { id: string }[]).map(({ id }) => ({
            name: `item ${id}`,
          })),
        },
      }),
    },
  });
  const live = (await prepareOn(graph, query).subscribe(requestOf())) as LiveSubscription;
  return { graph, live, source, push };
}

const event = (at: number) => ({ data: { changed: { at, item: { __typename: 'Item', id: String(at) } } } });

describe('a live subscription', () => {
  test('completes each event on the other subgraphs, in order, and asks for the next only when it is asked', async () => {
    const { live, source, push } = await subscribed();
    push(event(1));
    push(event(2));
    expect(await live.next()).toEqual({
      value: { data: { changed: { at: 1, item: { name: 'item 1' } } } },
      done: false,
    });
    expect(source.asked).toBe(1);
    expect((await live.next()).value).toEqual({ data: { changed: { at: 2, item: { name: 'item 2' } } } });
    await live.return();
  });

  test('ends while a next is pending, and its upstream with it', async () => {
    const { live, source } = await subscribed();
    const pending = live.next();
    await live.return();
    expect(await pending).toEqual({ value: undefined, done: true });
    expect(source.isReturned).toBe(true);
    expect(await live.next()).toEqual({ value: undefined, done: true });
  });

  test('ends with its caller’s signal', async () => {
    const { stream, source } = createSource();
    const controller = new AbortController();
    const graph = await loadTestGraph({ a: { sdl: events, subscribe: async () => stream } });
    const request = requestOf({}, { signal: controller.signal });
    const live = (await prepareOn(graph, 'subscription { changed { at } }').subscribe(
      request,
    )) as LiveSubscription;
    const pending = live.next();
    controller.abort();
    expect((await pending).done).toBe(true);
    expect(source.isReturned).toBe(true);
  });

  test('passes on an event’s errors', async () => {
    const { live, push } = await subscribed();
    push({
      data: { changed: null },
      errors: [{ message: 'late', path: ['changed'], extensions: { code: 'CURSOR_EXPIRED' } }] as never,
    });
    const { value } = await live.next();
    expect(JSON.parse(JSON.stringify(value))).toEqual({
      data: { changed: null },
      errors: [{ message: 'late', path: ['changed'], extensions: { code: 'CURSOR_EXPIRED' } }],
    });
    await live.return();
  });

  test('goes on with another operation of the same upstream', async () => {
    const { live, push, graph } = await subscribed(
      'subscription ($n: Boolean! = true) { changed { at item { name @include(if: $n) } } }',
    );
    const same = prepareOn(
      graph,
      'subscription ($n: Boolean! = true) { changed { at item { name @include(if: $n) } } }',
    );
    expect(live.continueWith(same, requestOf({ n: false }))).toBeNull();
    push(event(3));
    expect((await live.next()).value).toEqual({ data: { changed: { at: 3, item: {} } } });
    await live.return();
  });

  test('does not go on with one that asks something else upstream', async () => {
    const { live, graph } = await subscribed();
    expect(refusal(live, graph, 'subscription { changed(of: 2) { at item { name } } }')).toEqual([
      'CONFLICT',
    ]);
    expect(refusal(live, graph, '{ x }')).toEqual(['BAD_USER_INPUT']);
    await live.return();
  });
});

function refusal(live: LiveSubscription, graph: LoadedGraph, query: string): unknown[] | undefined {
  return live.continueWith(prepareOn(graph, query), requestOf())?.map(({ extensions }) => extensions.code);
}

test('a refused subscription answers why', async () => {
  const graph = await loadTestGraph({
    a: {
      sdl: events,
      subscribe: async () => ({ errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }] as never }),
    },
  });
  const answer = await prepareOn(graph, 'subscription { changed { at } }').subscribe(requestOf());
  expect(JSON.parse(JSON.stringify(answer))).toEqual({
    errors: [{ message: 'no', extensions: { code: 'FORBIDDEN' } }],
  });
});
