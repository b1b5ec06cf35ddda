/** The distributed way to run: four processes that share only PostgreSQL (and Redis where there is one), the whole path through them. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
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
/** Of the entities subgraph. */
let dataFolder: string;

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
  dataFolder = await mkdtemp(join(tmpdir(), 'tenantry-distributed-'));
  cleanup.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const entities = await startSubgraph('entities', { ...env, TENANTRY_DATA: dataFolder });
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
      ...(env.REDIS_URL === undefined ? {} : { REDIS_URL: env.REDIS_URL }),
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

it('takes a file through the gateway, imports it elsewhere, tells how far it is, and gives the export back', async () => {
  const tenant = await registerTenant(product);
  const { admin } = tenant;
  await admin.query(
    'mutation { createEntity(input: { name: "city", pluralName: "cities", fields: [{ name: "name", type: TEXT }] }) { id } }',
  );
  const content = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(product.url + path, { ...init, headers: { authorization: admin.credentials.authorization ?? '' } });
  const toTheEnd = async (id: string): Promise<unknown> => {
    await using states = await admin.subscribe(
      'subscription ($id: ID!) { transferProgress(id: $id) { status rowCount } }',
      { id },
    );
    for (;;) {
      const { transferProgress } = await states.next();
      if (!['PENDING', 'RUNNING'].includes(transferProgress.status)) return transferProgress;
    }
  };
  const { startImport } = await admin.query(
    'mutation { startImport(input: { entity: "city", format: CSV }) { id contentPath } }',
  );
  const names = Array.from({ length: 2_500 }, (_, index) => `Zürich ${index}`);
  const sent = await content(startImport.contentPath, { method: 'PUT', body: `name\n${names.join('\n')}\n` });
  expect(await sent.json()).toMatchObject({ id: startImport.id });
  expect(await toTheEnd(startImport.id)).toEqual({ status: 'DONE', rowCount: 2_500 });

  const { startExport } = await admin.query(
    'mutation { startExport(input: { entity: "city", format: CSV, fields: ["name"] }) { id contentPath } }',
  );
  expect(await toTheEnd(startExport.id)).toEqual({ status: 'DONE', rowCount: 2_500 });
  const text = await (await content(startExport.contentPath)).text();
  expect(text.trimEnd().split('\r\n')).toEqual(['name', ...names]);
  const stranger = await registerTenant(product);
  const stolen = await fetch(product.url + startExport.contentPath, {
    headers: { authorization: stranger.admin.credentials.authorization ?? '' },
  });
  expect(stolen.status).toBe(404);
});

it("streams a field's file through the gateway, by credentials, by a link, in ranges, and to nobody else", async () => {
  const tenant = await registerTenant(product);
  const { admin } = tenant;
  await admin.query(
    'mutation { createEntity(input: { name: "contact", fields: [{ name: "photo", type: FILE }] }) { id } }',
  );
  const bytes = randomBytes(9_000_000);
  const { authorization = '' } = admin.credentials;
  const call = (path: string, init: RequestInit = {}): Promise<Response> => fetch(product.url + path, init);
  const { createUpload } = await admin.query(
    'mutation { createUpload(input: { fileName: "a.bin" }) { id uploadUrl } }',
  );
  const { uploadUrl, id } = createUpload;
  const sent = await call(uploadUrl, { method: 'PUT', body: bytes, headers: { authorization } });
  expect(await sent.json()).toMatchObject({ id, size: bytes.length });
  const again = await call(uploadUrl, { method: 'PUT', body: 'x', headers: { authorization } });
  expect([again.status, await again.json()]).toMatchObject([
    409,
    { errors: [{ extensions: { code: 'CONFLICT' } }] },
  ]);
  const { createContact } = await admin.query(
    'mutation ($id: ID!) { createContact(input: { photo: $id }) { photo { url signedUrl } } }',
    { id },
  );
  const whole = await call(createContact.photo.url, { headers: { authorization } });
  expect(Buffer.from(await whole.arrayBuffer()).equals(bytes)).toBe(true);
  const part = await call(createContact.photo.signedUrl, { headers: { range: 'bytes=100-199' } });
  expect(part.status).toBe(206);
  expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(100, 200))).toBe(true);
  const stranger = await registerTenant(product);
  const stolen = await call(createContact.photo.url, {
    headers: { authorization: stranger.admin.credentials.authorization ?? '' },
  });
  expect(stolen.status).toBe(404);
});

it('keeps nothing of an upload whose client hangs up before the gateway has passed on all of it', async () => {
  const tenant = await registerTenant(product);
  const { createUpload } = await tenant.admin.query(
    'mutation { createUpload(input: { fileName: "a.bin" }) { uploadUrl } }',
  );
  const ofTenant = async (): Promise<number> =>
    (await readdir(join(dataFolder, 'files', tenant.id)).catch(() => [])).length;
  const { hostname, port } = new URL(product.url);
  const sending = httpRequest({
    ...{ hostname, port, path: createUpload.uploadUrl, method: 'PUT' },
    headers: { authorization: tenant.admin.credentials.authorization ?? '' },
  });
  const ended = new Promise((resolve) => sending.once('error', resolve));
  sending.write(randomBytes(3_000_000));
  await expect.poll(ofTenant).toBe(1);
  sending.destroy(new Error('gone'));
  await ended;
  await expect.poll(ofTenant).toBe(0);
});

it('shares streams among subscribers who come, resume and drop, over the sockets between the processes', async () => {
  const tenant = await registerTenant(product);
  await tenant.admin.query(`mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`, {
    input: { name: 'movie', fields: [{ name: 'title', type: 'TEXT' }] },
  });
  const query = `subscription ($after: String) { movieChanged(after: $after) { cursor movie { title createdBy { email } } } }`;
  const { changes: head } = await tenant.admin.query(`{ changes(first: 0) { pageInfo { endCursor } } }`);
  const titles = Array.from({ length: 60 }, (_, index) => `movie ${index}`);
  const written = (async () => {
    for (const title of titles) {
      await tenant.admin.query(`mutation ($input: CreateMovieInput!) { createMovie(input: $input) { id } }`, {
        input: { title },
      });
    }
  })();
  const received = await Promise.all(
    [7, 11, 13].map(async (stretch) => {
      const client = product.client(tenant.admin.credentials);
      const got: string[] = [];
      let after: string = head.pageInfo.endCursor;
      while (got.length < titles.length) {
        const changes = await client.subscribe(query, { after });
        const events = await changes.take(Math.min(stretch, titles.length - got.length));
        for (const { movieChanged } of events) {
          expect(movieChanged.movie.createdBy.email).toBe(tenant.adminEmail);
          got.push(movieChanged.movie.title);
          after = movieChanged.cursor;
        }
        client.dropSocket();
      }
      return got;
    }),
  );
  await written;
  for (const got of received) expect(got).toEqual(titles);
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
