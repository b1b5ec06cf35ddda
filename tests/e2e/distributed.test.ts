/** The distributed way to run: four processes that share only PostgreSQL (and Redis where there is one), the whole path through them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '#tests/harness/database.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { registerTenant } from '#tests/harness/tenant.ts';

const cleanup = new AsyncDisposableStack();
const secret = 'a-secret-of-this-test-0123456789abcdef';
let product: Product;

interface RunningSubgraph {
  url: string;
  stop(): Promise<void>;
}

let realtime: RunningSubgraph;

/** Starts one subgraph's main.ts on a free port. */
async function startSubgraph(name: string, env: Record<string, string>): Promise<RunningSubgraph> {
  const child = spawn(process.execPath, [`subgraphs/${name}/main.ts`], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_ENV: undefined,
      HOST: '127.0.0.1',
      PORT: '0',
      SUBGRAPH_SECRET: secret,
      LOG_LEVEL: 'info',
      ...env,
    },
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
  const exited = once(child, 'close');
  void exited.then(() => ready.reject(new Error(`${name} ended:\n${output}`)));
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  cleanup.defer(stop);
  return { url: await ready.promise, stop };
}

beforeAll(async () => {
  const database = cleanup.use(await createTestDatabase());
  const env: Record<string, string> = { DATABASE_URL: database.url };
  if (process.env.REDIS_URL) env.REDIS_URL = process.env.REDIS_URL;
  const entities = await startSubgraph('entities', env);
  const tenants = await startSubgraph('tenants', { ...env, ENTITIES_URL: entities.url });
  realtime = await startSubgraph('realtime', env);
  product = await startProduct({
    command: ['npm', 'run', '--silent', 'gateway'],
    env: {
      TENANTS_URL: tenants.url,
      ENTITIES_URL: entities.url,
      REALTIME_URL: realtime.url,
      SUBGRAPH_SECRET: secret,
      LOG_LEVEL: 'info',
    },
  });
});
afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await cleanup.disposeAsync();
});

it('registers, defines, writes, reads and subscribes through all of them', async () => {
  const tenant = await registerTenant(product, { templates: ['crm'] });
  const { entityDefinitions } = await tenant.admin.query('{ entityDefinitions { name } }');
  expect(entityDefinitions.map((entity: { name: string }) => entity.name)).toEqual(
    expect.arrayContaining(['client', 'project', 'activity']),
  );
  await tenant.admin.query(
    `mutation { createEntity(input: { name: "contact", fields: [{ name: "name", type: TEXT }] }) { id } }`,
  );
  await using changes = await tenant.admin.subscribe(
    `subscription { contactChanged { operation contact { name createdBy { email } } } }`,
  );
  await tenant.admin.query(`mutation { createContact(input: { name: "Grace" }) { id } }`);
  expect((await changes.next()).contactChanged).toEqual({
    operation: 'CREATED',
    contact: { name: 'Grace', createdBy: { email: tenant.adminEmail } },
  });
  expect((await tenant.admin.query('{ contacts { totalCount } }')).contacts.totalCount).toBe(1);
});

it('says which part is down, and answers the rest', async () => {
  const tenant = await registerTenant(product);
  await tenant.admin.query('{ changes(first: 0) { pageInfo { endCursor } } }');
  await realtime.stop();
  const answer = await tenant.admin.send('{ tenant { id } changes(first: 0) { pageInfo { endCursor } } }');
  expect(answer.errors?.map((error) => error.extensions.code)).toEqual(['SUBGRAPH_UNAVAILABLE']);
  expect((await tenant.admin.query('{ tenant { id } }')).tenant.id).toBe(tenant.id);
  expect((await fetch(`${product.url}/healthz`)).status).toBe(200);
});
