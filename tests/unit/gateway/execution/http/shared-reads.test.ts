import type { ExecutionResult } from 'graphql';
import { expect, it } from 'vitest';
import { shareReads } from '#gateway/execution/http/shared-reads.ts';
import { anonymousClaims } from '#schema/claims.ts';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';

const request: SubgraphRequest = {
  query: 'query ($id: ID) { a(id: $id) { b } }',
  variables: { id: '1' },
  claims: { ...anonymousClaims, tenantId: 't1', actorKind: 'USER', actorId: 'u1', role: 'USER' },
  definitionsVersion: 1,
  requestId: 'r1',
  clientAddress: null,
  headers: { authorization: 'Bearer a', 'x-request-id': 'r1' },
};

function createSource() {
  const calls: { request: SubgraphRequest; answer: PromiseWithResolvers<ExecutionResult> }[] = [];
  const execute = shareReads((asked) => {
    const answer = Promise.withResolvers<ExecutionResult>();
    calls.push({ request: asked, answer });
    return answer.promise;
  }, structuredClone);
  return { calls, execute };
}

it('makes one call of equal reads, and gives each an answer of its own', async () => {
  const { calls, execute } = createSource();
  const other = { ...request, requestId: 'r2', headers: { authorization: 'Bearer a', 'x-request-id': 'r2' } };
  const answers = [execute(request), execute(other)];
  expect(calls).toHaveLength(1);
  calls[0]?.answer.resolve({ data: { a: { b: 1 } } });
  const [one, two] = await Promise.all(answers);
  expect(one).toEqual(two);
  expect(one?.data).not.toBe(two?.data);
  void execute(request);
  expect(calls).toHaveLength(2);
});

it.each([
  ['another tenant', { claims: { ...request.claims, tenantId: 't2' } }],
  ['another user', { claims: { ...request.claims, actorId: 'u2' } }],
  ['another role', { claims: { ...request.claims, role: 'ADMIN' as const } }],
  ['newer rights', { claims: { ...request.claims, authVersion: 9 } }],
  ['another token', { headers: { authorization: 'Bearer b' } }],
  ['other variables', { variables: { id: '2' } }],
  ['newer definitions', { definitionsVersion: 2 }],
  ['another address', { clientAddress: '10.0.0.1' }],
])('never shares with %s', (_what, change) => {
  const { calls, execute } = createSource();
  void execute(request);
  void execute({ ...request, ...change });
  expect(calls).toHaveLength(2);
});

it('never shares a mutation', () => {
  const { calls, execute } = createSource();
  const mutation = { ...request, query: 'mutation { a }' };
  void execute(mutation);
  void execute(mutation);
  expect(calls).toHaveLength(2);
});

it('does not share what was under way when a mutation was answered', async () => {
  const { calls, execute } = createSource();
  void execute(request);
  const mutation = execute({ ...request, query: 'mutation { a }' });
  void execute(request);
  expect(calls).toHaveLength(2);
  calls[1]?.answer.resolve({ data: { a: 1 } });
  await mutation;
  void execute(request);
  expect(calls).toHaveLength(3);
});

it('goes on while somebody waits, and is given up when nobody does', async () => {
  const { calls, execute } = createSource();
  const first = new AbortController();
  const second = new AbortController();
  const one = execute({ ...request, signal: first.signal });
  const two = execute({ ...request, signal: second.signal });
  first.abort(new Error('gone'));
  await expect(one).rejects.toThrow('gone');
  expect(calls[0]?.request.signal?.aborted).toBe(false);
  second.abort(new Error('gone too'));
  await expect(two).rejects.toThrow('gone too');
  expect(calls[0]?.request.signal?.aborted).toBe(true);
  void execute(request);
  expect(calls).toHaveLength(2);
});
