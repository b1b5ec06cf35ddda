import { describe, expect, it } from 'vitest';
import { encodeLogCursor } from '#schema/events.ts';
import { Subscriber } from '#subgraphs/realtime/log/subscriber.ts';

function create(limits = { count: 3, bytes: 100 }): { subscriber: Subscriber<string>; ends: () => number } {
  let ends = 0;
  const subscriber = new Subscriber<string>({
    position: 10,
    limits,
    readMore: () => Promise.reject(new Error('nothing to read')),
    onEnd() {
      ends += 1;
    },
  });
  return { subscriber, ends: () => ends };
}

const value = (text: string) => ({ done: false, value: { value: text } });
const end = { done: true, value: undefined };

describe('a live subscriber', () => {
  it('gives what is offered, in order, whether the consumer waits or comes later', async () => {
    const { subscriber } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    const waiting = [stream.next(), stream.next()];
    subscriber.offer(11, 1, 'a');
    subscriber.offer(12, 1, null);
    subscriber.offer(13, 1, 'b');
    subscriber.offer(14, 1, 'c');
    expect(await Promise.all(waiting)).toEqual([value('a'), value('b')]);
    expect(await stream.next()).toEqual(value('c'));
    expect(subscriber.cursor).toBe(encodeLogCursor(14));
  });

  it('ignores what it was offered before', async () => {
    const { subscriber } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    for (const seq of [9, 10, 11, 11, 10]) subscriber.offer(seq, 1, String(seq));
    subscriber.offer(12, 1, 'next');
    expect(await stream.next()).toEqual(value('11'));
    expect(await stream.next()).toEqual(value('next'));
  });

  it('keeps order where a value has to be waited for, and drops it where it turns out to be none', async () => {
    const { subscriber } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    const [first, second] = [Promise.withResolvers<string | null>(), Promise.withResolvers<string | null>()];
    subscriber.offer(11, 1, first.promise);
    subscriber.offer(12, 1, second.promise);
    subscriber.offer(13, 1, 'c');
    const steps = [stream.next(), stream.next()];
    second.resolve('b');
    first.resolve(null);
    expect(await Promise.all(steps)).toEqual([value('b'), value('c')]);
  });

  it('ends with the failure of a value', async () => {
    const { subscriber, ends } = create();
    subscriber.goLive();
    const failing = Promise.reject(new Error('the store is gone'));
    failing.catch(() => {});
    subscriber.offer(11, 1, failing);
    const stream = subscriber.stream();
    expect(await stream.next()).toMatchObject({ value: { error: { message: 'the store is gone' } } });
    expect(await stream.next()).toEqual(end);
    expect(ends()).toBe(1);
  });

  it.each([
    ['count', { count: 2, bytes: 1_000 }, [1, 1, 1]],
    ['size', { count: 100, bytes: 10 }, [8, 1, 5]],
  ])('is ended when more waits than its %s allows', async (_what, limits, sizes) => {
    const { subscriber, ends } = create(limits);
    subscriber.goLive();
    const stream = subscriber.stream();
    subscriber.offer(11, 1, 'seen');
    await stream.next();
    for (const [index, bytes] of sizes.entries()) subscriber.offer(12 + index, bytes, 'waits');
    expect(ends()).toBe(1);
    expect(await stream.next()).toMatchObject({
      value: { error: { code: 'SUBSCRIBER_TOO_SLOW', details: { cursor: encodeLogCursor(11) } } },
    });
    expect(await stream.next()).toEqual(end);
    expect(ends()).toBe(1);
  });

  it('takes an event of any size while nothing else waits', async () => {
    const { subscriber } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    for (const seq of [11, 12]) {
      subscriber.offer(seq, 1_000_000, 'large');
      expect(await stream.next()).toEqual(value('large'));
    }
  });
});

describe('leaving', () => {
  it('answers every pending next() at once', async () => {
    const { subscriber, ends } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    const pending = [stream.next(), stream.next()];
    expect(await stream.return?.()).toEqual(end);
    expect(await Promise.all(pending)).toEqual([end, end]);
    expect(await stream.next()).toEqual(end);
    expect(ends()).toBe(1);
  });

  it('works while a value is waited for, and while more is read', async () => {
    const { subscriber } = create();
    subscriber.goLive();
    const stream = subscriber.stream();
    const late = Promise.withResolvers<string>();
    subscriber.offer(11, 1, late.promise);
    const pending = stream.next();
    await stream.return?.();
    expect(await pending).toEqual(end);
    late.resolve('too late');
    expect(await stream.next()).toEqual(end);

    const reading = Promise.withResolvers<void>();
    const reader = new Subscriber<string>({
      position: 0,
      limits: { count: 1, bytes: 1 },
      readMore: () => reading.promise,
      onEnd() {},
    });
    const read = reader.stream();
    const step = read.next();
    await read.return?.();
    expect(await step).toEqual(end);
    reading.resolve();
  });

  it('after the end was announced does not announce it again', async () => {
    const { subscriber, ends } = create();
    const stream = subscriber.stream();
    subscriber.end(new Error('over'));
    subscriber.end(new Error('over again'));
    subscriber.offer(11, 1, 'ignored');
    await stream.return?.();
    expect(ends()).toBe(1);
    expect(await stream.next()).toEqual(end);
  });
});

describe('a subscriber that is not live yet', () => {
  it('reads on only while its consumer waits, and holds no limit against it', async () => {
    let reads = 0;
    const subscriber: Subscriber<string> = new Subscriber<string>({
      position: 0,
      limits: { count: 2, bytes: 2 },
      async readMore() {
        reads += 1;
        if (reads === 3) return subscriber.goLive();
        for (let index = 1; index <= 5; index += 1) {
          subscriber.offer(subscriber.seen + 1, 10, `${reads}.${index}`);
        }
      },
      onEnd() {},
    });
    const stream = subscriber.stream();
    expect(reads).toBe(0);
    const seen: string[] = [];
    for (let index = 0; index < 10; index += 1) {
      const step = await stream.next();
      if (step.value && 'value' in step.value) seen.push(step.value.value);
      expect(reads).toBe(index < 5 ? 1 : 2);
    }
    expect(seen).toEqual(['1.1', '1.2', '1.3', '1.4', '1.5', '2.1', '2.2', '2.3', '2.4', '2.5']);
    const last = stream.next();
    await Promise.resolve();
    subscriber.offer(11, 1, 'live');
    expect(await last).toEqual(value('live'));
  });
});
