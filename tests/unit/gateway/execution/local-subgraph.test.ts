import { GraphQLError, type ExecutionResult } from 'graphql';
import { describe, expect, test } from 'vitest';
import { limitLocalSubgraph } from '#gateway/execution/local-subgraph.ts';
import { anonymousClaims } from '#schema/claims.ts';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';

const request: SubgraphRequest = {
  query: '{ a }',
  claims: anonymousClaims,
  definitionsVersion: null,
  requestId: 'r',
  clientAddress: null,
};

/** A subgraph whose calls the test answers. */
function createSubgraph(timeoutMs = 60_000) {
  const calls: { request: SubgraphRequest; answer: PromiseWithResolvers<ExecutionResult> }[] = [];
  const service = limitLocalSubgraph(
    {
      name: 'slow',
      getSdl: () => Promise.reject(new Error('not asked')),
      subscribe: () => Promise.reject(new Error('not asked')),
      execute(asked) {
        const answer = Promise.withResolvers<ExecutionResult>();
        calls.push({ request: asked, answer });
        return answer.promise;
      },
    },
    { timeoutMs },
  );
  return { service, calls };
}

describe('a call in this process', () => {
  test('that does not end in time is given up, and can tell', async () => {
    const { service, calls } = createSubgraph(20);
    const execution = service.execute(request);
    const signal = calls[0]?.request.signal;
    await expect(execution).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
    expect(signal?.aborted).toBe(true);
  });

  test('that writes is not stopped halfway, only its answer is not waited for', async () => {
    const { service, calls } = createSubgraph(20);
    const execution = service.execute({ ...request, query: 'mutation { a }' });
    const signal = calls[0]?.request.signal;
    await expect(execution).rejects.toMatchObject({ code: 'GATEWAY_TIMEOUT' });
    expect(signal?.aborted).toBe(false);
  });

  test('is told when its caller gives up', async () => {
    const { service, calls } = createSubgraph();
    const caller = new AbortController();
    void service.execute({ ...request, signal: caller.signal });
    const signal = calls[0]?.request.signal;
    expect(signal?.aborted).toBe(false);
    caller.abort();
    expect(signal?.aborted).toBe(true);
    void service.execute({ ...request, signal: caller.signal });
    expect(calls[1]?.request.signal?.aborted).toBe(true);
  });

  test('answers and fails as the subgraph does', async () => {
    const { service, calls } = createSubgraph();
    const [good, bad] = [service.execute(request), service.execute(request)];
    calls[0]?.answer.resolve({ data: { a: 1 } });
    calls[1]?.answer.reject(new Error('broken'));
    expect(await good).toEqual({ data: { a: 1 } });
    await expect(bad).rejects.toThrow('broken');
  });
});

describe('reads for the event of a subscription', () => {
  test('are one for equal subscriptions, and each has data of its own', async () => {
    const { service, calls } = createSubgraph();
    const event = { ...request, event: 'log:7' };
    const results = [service.execute(event), service.execute({ ...event, requestId: 'other' })];
    expect(calls.length).toBe(1);
    const errors = [new GraphQLError('No', { path: ['a'], extensions: { code: 'FORBIDDEN' } })];
    calls[0]?.answer.resolve({ data: { a: { b: 1 } }, errors });
    const [one, two] = await Promise.all(results);
    expect(one).toEqual(two);
    expect(one?.data?.['a']).not.toBe(two?.data?.['a']);
    expect(two?.errors?.[0]?.extensions.code).toBe('FORBIDDEN');
  });

  test.each<[string, Partial<SubgraphRequest>]>([
    // It may have been read before this event happened.
    ['another event', { event: 'log:8' }],
    ['another user', { claims: { ...anonymousClaims, actorId: 'bob' } }],
    ['other variables', { variables: { id: 2 } }],
    ['no event', { event: undefined }],
  ])('are not shared with those of %s', (_what, other) => {
    const { service, calls } = createSubgraph();
    const event = { ...request, event: 'log:7' };
    void service.execute(event);
    void service.execute({ ...event, ...other });
    expect(calls.length).toBe(2);
  });
});
