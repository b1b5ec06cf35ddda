/** A subscription's stream ends when told, whatever its source is doing. */
import type { ExecutionResult } from 'graphql';
import { describe, expect, it } from 'vitest';
import { createResultStream } from '#subgraphs/server/result-stream.ts';

const same = (result: ExecutionResult) => result;
const event = (n: number): ExecutionResult => ({ data: { n } });

async function* generate(count: number, closed: () => void): AsyncGenerator<ExecutionResult> {
  try {
    for (let n = 1; n <= count; n += 1) yield event(n);
  } finally {
    closed();
  }
}

/** Never has anything to say. */
async function* silence(): AsyncGenerator<ExecutionResult> {
  await new Promise(() => undefined);
  yield event(0);
}

describe('a result stream', () => {
  it('maps every event, in order, and ends with its source', async () => {
    let closed = 0;
    const stream = createResultStream(
      generate(3, () => (closed += 1)),
      (result) => ({ data: { was: result.data } }),
    );
    const seen = [];
    for await (const result of stream) seen.push(result.data);
    expect(seen).toEqual([{ was: { n: 1 } }, { was: { n: 2 } }, { was: { n: 3 } }]);
    expect(closed).toBe(1);
  });

  it('closes its source when the consumer leaves', async () => {
    let closed = 0;
    for await (const result of createResultStream(
      generate(9, () => (closed += 1)),
      same,
    )) {
      expect(result).toEqual(event(1));
      break;
    }
    expect(closed).toBe(1);
  });

  it('ends while a next() is pending on a source that cannot', async () => {
    const stream = createResultStream(silence(), same);
    const pending = [stream.next(), stream.next()];
    expect(await stream.return?.()).toEqual({ value: undefined, done: true });
    expect(await Promise.all(pending)).toEqual([
      { value: undefined, done: true },
      { value: undefined, done: true },
    ]);
    expect(await stream.next()).toEqual({ value: undefined, done: true });
  });

  it('ends when its signal aborts, before or in the middle', async () => {
    const controller = new AbortController();
    const stream = createResultStream(silence(), same, controller.signal);
    const pending = stream.next();
    controller.abort();
    expect(await pending).toEqual({ value: undefined, done: true });
    const late = createResultStream(
      generate(3, () => undefined),
      same,
      AbortSignal.abort(),
    );
    expect(await late.next()).toEqual({ value: undefined, done: true });
  });

  it('passes on its source’s failure', async () => {
    async function* failing(): AsyncGenerator<ExecutionResult> {
      yield event(1);
      throw new Error('torn');
    }
    const stream = createResultStream(failing(), same);
    await stream.next();
    await expect(stream.next()).rejects.toThrow('torn');
  });

  it('is not disturbed by a source that fails to close', async () => {
    const stream = createResultStream(
      {
        [Symbol.asyncIterator]: () => ({
          next: () => Promise.resolve({ value: event(1), done: false as const }),
          return: () => Promise.reject(new Error('stuck')),
        }),
      },
      same,
    );
    expect((await stream.next()).value).toEqual(event(1));
    expect((await stream.return?.())?.done).toBe(true);
  });
});
