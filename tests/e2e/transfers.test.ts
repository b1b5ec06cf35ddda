/** Import and export as a frontend does them: a file proposed, defined, imported, followed, exported; a tenant moved. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '#tests/harness/client.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
beforeAll(async () => {
  product = await startProduct();
  tenant = await registerTenant(product);
});
afterAll(() => product[Symbol.asyncDispose]());

const file = (name: string): Promise<Buffer> =>
  readFile(join(import.meta.dirname, '../../node_modules/vega-datasets/data', name));

function content(client: Client, path: string, init: RequestInit = {}): Promise<Response> {
  return fetch(product.url + path, {
    ...init,
    headers: {
      ...(client.credentials as Record<string, string>),
      ...(init.headers as Record<string, string>),
    },
  });
}

async function upload(client: Client, path: string, body: Uint8Array | string): Promise<Response> {
  return content(client, path, {
    method: 'PUT',
    body: body as BodyInit,
    headers: { 'content-type': 'application/octet-stream' },
  });
}

const members =
  'id status rowCount createdCount updatedCount failedCount errorCount contentPath ignoredColumns failure { code message } progress';

/** Each state that a subscriber saw, to the end. */
async function follow(client: Client, id: string): Promise<Record<string, unknown>[]> {
  await using states = await client.subscribe(
    `subscription ($id: ID!) { transferProgress(id: $id) { ${members} createdBy { email } } }`,
    { id },
  );
  const seen: Record<string, unknown>[] = [];
  for (;;) {
    const { transferProgress } = await states.next();
    seen.push(transferProgress);
    if (['DONE', 'FAILED', 'STOPPED'].includes(transferProgress.status)) return seen;
  }
}

const startImport = `mutation ($input: StartImportInput!) { startImport(input: $input) { ${members} } }`;
const resume = `mutation ($id: ID!, $input: ResumeTransferInput) { resumeTransfer(id: $id, input: $input) { ${members} } }`;

it('proposes an entity from movies.json, imports it, tells how far it is, and exports it', async () => {
  const { admin } = tenant;
  const { startImport: transfer } = await admin.query(startImport, { input: { fileName: 'movies.json.gz' } });
  expect(transfer).toMatchObject({ status: 'PENDING', contentPath: `/transfers/${transfer.id}/content` });
  const sent = await upload(admin, transfer.contentPath, gzipSync(await file('movies.json')));
  expect([sent.status, await sent.json()]).toMatchObject([200, { id: transfer.id, status: 'PENDING' }]);

  const { proposeEntity: proposal } = await admin.query(
    `mutation ($id: ID!) { proposeEntity(transferId: $id) {
      name pluralName rows isSample columns { column field dateFormat nullTexts }
      fields { name label type isRequired isUnique options { value label } }
    } }`,
    { id: transfer.id },
  );
  expect(proposal).toMatchObject({ name: 'movie', pluralName: 'movies', rows: 3201, isSample: false });
  const { name, pluralName, fields, columns } = proposal;
  await admin.query(`mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }`, {
    input: { name, pluralName, fields },
  });

  await admin.query(resume, { id: transfer.id, input: { entity: 'movie', columns } });
  const states = await follow(admin, transfer.id);
  expect(states.at(-1)).toMatchObject({
    status: 'DONE',
    progress: 1,
    rowCount: 3201,
    createdCount: 3201,
    failedCount: 0,
    createdBy: { email: tenant.adminEmail },
  });
  const { movies } = await admin.query(
    `{ movies(first: 1, filter: { mpaaRating: { eq: PG_13 }, title: { eq: "Avatar" } }) { nodes { title releaseDate worldwideGross } } }`,
  );
  expect(movies.nodes).toEqual([{ title: 'Avatar', releaseDate: '2009-12-18', worldwideGross: 2767891499 }]);

  const { startExport } = await admin.query(
    `mutation { startExport(input: { entity: "movie", format: NDJSON, fields: ["title", "mpaaRating"], labels: true, filter: { title: { eq: "Avatar" } } }) { id contentPath } }`,
  );
  await follow(admin, startExport.id);
  const got = await content(admin, startExport.contentPath);
  expect(got.headers.get('content-disposition')).toContain('attachment');
  expect(await got.text()).toBe('{"title":"Avatar","mpaaRating":"PG-13"}\n');
});

it('reports rows that are refused, through the graph', async () => {
  const user = await addUser(product, tenant, 'USER');
  await tenant.admin.query(
    `mutation { createEntity(input: { name: "member", fields: [{ name: "email", type: EMAIL, isUnique: true, isRequired: true }] }) { id } }`,
  );
  const { startImport: transfer } = await user.query(startImport, {
    input: { entity: 'member', format: 'CSV' },
  });
  const following = follow(user, transfer.id);
  await upload(user, transfer.contentPath, 'email,Phone\na@example.com,1\nnonsense,2\na@example.com,3\n');
  expect((await following).at(-1)).toMatchObject({
    status: 'DONE',
    createdCount: 1,
    failedCount: 2,
    ignoredColumns: ['Phone'],
  });
  const { transfer: read } = await user.query(
    `query ($id: ID!) { transfer(id: $id) { errors(first: 10) { row line column field rule } } }`,
    { id: transfer.id },
  );
  expect(read.errors).toEqual([
    { row: 2, line: 3, column: 'email', field: 'email', rule: 'email' },
    { row: 3, line: 4, column: 'email', field: 'email', rule: 'unique' },
  ]);
  const { transfers } = await user.query(
    '{ transfers(first: 5) { totalCount nodes { id } pageInfo { hasNextPage } } }',
  );
  expect(transfers).toEqual({
    totalCount: 1,
    nodes: [{ id: transfer.id }],
    pageInfo: { hasNextPage: false },
  });
});

it('moves a tenant into another, users and relations with it', async () => {
  const from = await registerTenant(product, { templates: ['crm'] });
  await addUser(product, from, 'USER');
  await from.admin.query(`mutation { createClient(input: { name: "Acme" }) { id } }`);
  const { exportTenant } = await from.admin.query('mutation { exportTenant { id contentPath } }');
  expect((await follow(from.admin, exportTenant.id)).at(-1)).toMatchObject({ status: 'DONE' });
  const bytes = Buffer.from(await (await content(from.admin, exportTenant.contentPath)).arrayBuffer());

  const to = await registerTenant(product);
  const { importTenant } = await to.admin.query('mutation { importTenant { id contentPath } }');
  await upload(to.admin, importTenant.contentPath, bytes);
  expect((await follow(to.admin, importTenant.id)).at(-1)).toMatchObject({
    status: 'DONE',
    failedCount: 0,
    errorCount: 0,
  });
  const { clients } = await to.admin.query('{ clients { nodes { name createdBy { email } } } }');
  expect(clients.nodes).toContainEqual({ name: 'Acme', createdBy: { email: from.adminEmail } });
  const { users } = await to.admin.query('{ users { nodes { email } } }');
  expect(users.nodes).toHaveLength(3);
});

describe('attacks', () => {
  let path: string;
  let id: string;
  let stranger: TestTenant;
  beforeAll(async () => {
    stranger = await registerTenant(product);
    ({
      startImport: { id, contentPath: path },
    } = await tenant.admin.query(startImport, { input: { format: 'CSV' } }));
    await upload(tenant.admin, path, 'email\nsecret@example.com\n');
  });

  it.each(['GET', 'PUT'])('%s of content needs credentials that may', async (method) => {
    const send = async (
      client: Client,
      at = path,
      headers: Record<string, string> = {},
    ): Promise<[number, string]> => {
      const response = await content(client, at, {
        method,
        headers,
        ...(method === 'PUT' ? { body: 'stolen' } : {}),
      });
      const text = await response.text();
      expect(text).not.toContain('secret');
      return [response.status, JSON.parse(text).errors[0].extensions.code];
    };
    const viewer = await addUser(product, tenant, 'VIEWER');
    const colleague = await addUser(product, tenant, 'DEVELOPER');
    expect(await send(product.client())).toEqual([401, 'UNAUTHENTICATED']);
    expect(await send(product.client({ authorization: 'Bearer nonsense' }))).toEqual([
      401,
      'UNAUTHENTICATED',
    ]);
    expect(await send(viewer)).toEqual([403, 'FORBIDDEN']);
    expect(await send(colleague)).toEqual([404, 'NOT_FOUND']);
    expect(await send(stranger.admin)).toEqual([404, 'NOT_FOUND']);
    expect(await send(stranger.admin, path, { 'x-tenant-id': tenant.id })).toEqual([403, 'FORBIDDEN']);
    for (const other of ['00000000-0000-4000-8000-000000000000', '..%2f..%2fsecret', '%00', "x'--"]) {
      expect(await send(stranger.admin, `/transfers/${other}/content`)).toEqual([404, 'NOT_FOUND']);
    }
  });

  it('another tenant’s id is unknown in every operation that takes one', async () => {
    const variables = { id };
    expect(await stranger.admin.query('query ($id: ID!) { transfer(id: $id) { id } }', variables)).toEqual({
      transfer: null,
    });
    for (const operation of [
      'resumeTransfer(id: $id) { id }',
      'stopTransfer(id: $id) { id }',
      'proposeEntity(transferId: $id) { name }',
    ]) {
      expect(await stranger.admin.codeOf(`mutation ($id: ID!) { ${operation} }`, variables)).toBe(
        'NOT_FOUND',
      );
    }
    const refusal = await follow(stranger.admin, id).catch((error: unknown) => error);
    expect(JSON.stringify(refusal)).toContain('NOT_FOUND');
  });

  it('a viewer imports and exports nothing, a developer no tenant', async () => {
    const viewer = await addUser(product, tenant, 'VIEWER');
    const developer = await addUser(product, tenant, 'DEVELOPER');
    expect(await viewer.codeOf(startImport, { input: { format: 'CSV' } })).toBe('FORBIDDEN');
    expect(
      await viewer.codeOf('mutation { startExport(input: { entity: "movie", format: CSV }) { id } }'),
    ).toBe('FORBIDDEN');
    expect(await viewer.codeOf('{ transfers { nodes { id } } }')).toBe('FORBIDDEN');
    for (const operation of ['exportTenant', 'importTenant'])
      expect(await developer.codeOf(`mutation { ${operation} { id } }`)).toBe('FORBIDDEN');
  });
});
