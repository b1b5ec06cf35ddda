import { expect, it } from 'vitest';
import { startTestGateway } from './fixtures/test-gateway.ts';

it('answers a federated query of a tenant, and each tenant its own graph', async () => {
  await using platform = await startTestGateway();
  const acme = platform.addTenant('acme');
  const globex = platform.addTenant('globex');
  globex.fields.push('rating');
  const authorization = await platform.signIn(acme, 'USER');
  const created = await platform.post(
    'mutation { createMovie(title: "Cléo") { id title createdBy { email } } }',
    {
      authorization,
    },
  );
  expect(created).toMatchObject({
    status: 200,
    errors: undefined,
    data: { createMovie: { id: 'm1', title: 'Cléo', createdBy: { email: 'user-1@example.com' } } },
  });
  const refused = await platform.post('{ movies { rating } }', { authorization });
  expect(refused.errors?.[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
  const other = await platform.post('{ movies { rating } }', {
    authorization: await platform.signIn(globex, 'VIEWER'),
  });
  expect(other.data).toEqual({ movies: [] });
});
