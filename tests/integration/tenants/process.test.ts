/** subgraphs/tenants/main.ts as it is started. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createRemoteSubgraph } from '#subgraphs/server/remote-subgraph.ts';
import { anonymousClaims } from '#schema/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';
import { operator, secret } from './subject.ts';

function start(env: Record<string, string>) {
  const child = spawn(process.execPath, ['subgraphs/tenants/main.ts'], {
    cwd: join(import.meta.dirname, '../../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', ...env },
  });
  let output = '';
  const ready = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      const match = /ready at (http:\/\/[^\s"]+)/.exec(output);
      if (match?.[1]) ready.resolve(match[1]);
    });
  }
  const exited = once(child, 'close').then(([code]) => {
    ready.reject(new Error(`the process ended:\n${output}`));
    return { code: code as number | null, output };
  });
  ready.promise.catch(() => undefined);
  return { child, ready: ready.promise, exited };
}

it('serves, and goes down cleanly when told', async () => {
  await using database = await createTestDatabase();
  const running = start({
    DATABASE_URL: database.url,
    SUBGRAPH_SECRET: secret,
    ENTITIES_URL: 'http://127.0.0.1:9',
    OPERATOR_EMAIL: operator.email,
    OPERATOR_PASSWORD: operator.password,
  });
  try {
    const url = await running.ready;
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    const remote = createRemoteSubgraph({ url, secret });
    const query = 'mutation ($input: LoginInput!) { login(input: $input) { user { role } } }';
    const request = {
      claims: anonymousClaims,
      definitionsVersion: null,
      requestId: 'r',
      clientAddress: null,
    };
    expect(await remote.execute({ ...request, query, variables: { input: operator } })).toEqual({
      data: { login: { user: { role: 'OPERATOR' } } },
    });
    // Templates need the entities subgraph, which does not answer: no half a tenant.
    const register = `mutation { registerTenant(input: { name: "x", slug: "xx", adminEmail: "a@b.c", adminPassword: "12345678", templates: ["crm"] }) { apiKey } }`;
    expect(await remote.execute({ ...request, query: register })).toMatchObject({
      data: null,
      errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }],
    });
    const again = register.replace(', templates: ["crm"]', '');
    expect(await remote.execute({ ...request, query: again })).toHaveProperty('data.registerTenant.apiKey');
  } finally {
    running.child.kill('SIGTERM');
  }
  const { code, output } = await running.exited;
  expect(code).toBe(0);
  expect(output).not.toContain(operator.password);
});

it('does not start on a broken configuration, and says why', async () => {
  const { code, output } = await start({ SUBGRAPH_SECRET: 'short', DATABASE_URL: 'nope' }).exited;
  expect(code).toBe(1);
  expect(output).toMatch(/DATABASE_URL[^]*SUBGRAPH_SECRET[^]*ENTITIES_URL/);
  expect(output).not.toMatch(/ at .*\.ts/);
});
