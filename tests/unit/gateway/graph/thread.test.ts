import { expect, it } from 'vitest';
import { createThread, type Thread } from '#gateway/graph/thread.ts';

function start(timeoutMs?: number): Thread<'hang' | 'break' | 'answer', number> {
  return createThread({
    module: new URL('./fixtures/slow-thread.ts', import.meta.url),
    name: 'test',
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
}

it('gives up what takes too long, and runs what waits behind it in a new thread', async () => {
  await using thread = start(2_000);
  const first = await thread.call('answer');
  const [hanging, behind] = await Promise.allSettled([thread.call('hang'), thread.call('answer')]);
  expect(hanging).toMatchObject({ reason: { message: expect.stringContaining('2000 ms') } });
  expect(behind.status).toBe('fulfilled');
  expect(behind).not.toMatchObject({ value: first });
});

it('starts again after it broke', async () => {
  await using thread = start();
  const [broken, behind] = await Promise.allSettled([thread.call('break'), thread.call('answer')]);
  expect([broken.status, behind.status]).toEqual(['rejected', 'fulfilled']);
  expect(await thread.call('answer')).toBeGreaterThan(0);
});

it('rejects what waits when it is closed, and what comes after', async () => {
  const thread = start();
  const hanging = thread.call('hang').catch((error: Error) => error.message);
  await thread[Symbol.asyncDispose]();
  expect(await hanging).toContain('closed');
  await expect(thread.call('answer')).rejects.toThrow('closed');
});
