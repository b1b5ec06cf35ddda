import { describe, expect, it } from 'vitest';
import { createEventQueue } from '#gateway/execution/http/event-queue.ts';

function setUp(limit = 3) {
  let stops = 0;
  const queue = createEventQueue({
    limit,
    overflow: (last) => ({ data: { tooSlow: last?.data } }),
    onStop: () => (stops += 1),
  });
  const push = (value: number): void => queue.push({ data: { value } });
  return { queue, push, stops: () => stops };
}

describe('createEventQueue', () => {
  it('keeps order, whether events or the reader come first', async () => {
    const { queue, push } = setUp();
    const first = queue.next();
    push(1);
    push(2);
    push(3);
    expect((await first).value).toEqual({ data: { value: 1 } });
    expect((await queue.next()).value).toEqual({ data: { value: 2 } });
    queue.end();
    expect((await queue.next()).value).toEqual({ data: { value: 3 } });
    expect((await queue.next()).done).toBe(true);
  });

  it('ends a pending next when it is returned, once', async () => {
    const { queue, push, stops } = setUp();
    const pending = queue.next();
    await queue.return?.();
    await queue.return?.();
    expect((await pending).done).toBe(true);
    push(1);
    expect((await queue.next()).done).toBe(true);
    expect(stops()).toBe(1);
  });

  it('delivers what it holds, then why it ended, to a reader that was too slow', async () => {
    const { queue, push, stops } = setUp(2);
    for (const value of [1, 2, 3, 4, 5]) push(value);
    expect(stops()).toBe(1);
    const seen = [];
    for await (const { data } of queue) seen.push(data);
    expect(seen).toEqual([{ value: 1 }, { value: 2 }, { tooSlow: { value: 2 } }]);
  });
});
