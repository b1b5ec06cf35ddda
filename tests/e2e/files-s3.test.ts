/** The product with an S3-compatible store in place of its disk: fields' files, imports and exports. */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { type S3Server, startS3Server } from '#tests/harness/s3/s3-server.ts';
import { registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let s3: S3Server;
let product: Product;
let tenant: TestTenant;
beforeAll(async () => {
  s3 = await startS3Server();
  product = await startProduct({
    env: {
      FILES_S3_ENDPOINT: s3.options.endpoint,
      FILES_S3_BUCKET: s3.options.bucket,
      FILES_S3_REGION: s3.options.region,
      FILES_S3_ACCESS_KEY_ID: s3.options.accessKeyId,
      FILES_S3_SECRET_ACCESS_KEY: s3.options.secretAccessKey,
    },
  });
  tenant = await registerTenant(product);
});
afterAll(async () => {
  await product?.[Symbol.asyncDispose]();
  await s3[Symbol.asyncDispose]();
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const call = (path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(product.url + path, {
    ...init,
    headers: { authorization: tenant.admin.credentials.authorization ?? '', ...(init.headers as object) },
  });

it('keeps what fields hold in the bucket, whole, in ranges, and in parts where it is large', async () => {
  const { admin } = tenant;
  await admin.query(
    'mutation { createEntity(input: { name: "contact", fields: [{ name: "photo", type: FILE }] }) { id } }',
  );
  for (const length of [5, 30_000_000]) {
    const bytes = randomBytes(length);
    const { createUpload } = await admin.query(
      'mutation { createUpload(input: { fileName: "a.bin" }) { id uploadUrl } }',
    );
    const sent = await call(createUpload.uploadUrl, { method: 'PUT', body: bytes });
    expect(await sent.json()).toMatchObject({ size: length, sha256: sha256(bytes) });
    const { createContact } = await admin.query(
      'mutation ($id: ID!) { createContact(input: { photo: $id }) { photo { url signedUrl } } }',
      { id: createUpload.id },
    );
    const whole = await call(createContact.photo.url);
    expect(sha256(new Uint8Array(await whole.arrayBuffer()))).toBe(sha256(bytes));
    const part = await fetch(product.url + createContact.photo.signedUrl, { headers: { range: 'bytes=-3' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes ${length - 3}-${length - 1}/${length}`,
    ]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(-3));
    expect([...s3.objects.values()].some((object) => object.equals(bytes))).toBe(true);
  }
  expect(s3.openUploads()).toEqual([]);
  expect(existsSync(join(product.dataFolder, 'files'))).toBe(false);
});

it('keeps imports and exports there as well', async () => {
  const { admin } = tenant;
  await admin.query(
    'mutation { createEntity(input: { name: "city", pluralName: "cities", fields: [{ name: "name", type: TEXT }] }) { id } }',
  );
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
  const names = Array.from({ length: 1_500 }, (_, index) => `Zürich ${index}`);
  await call(startImport.contentPath, { method: 'PUT', body: `name\n${names.join('\n')}\n` });
  expect(await toTheEnd(startImport.id)).toEqual({ status: 'DONE', rowCount: 1_500 });
  const { startExport } = await admin.query(
    'mutation { startExport(input: { entity: "city", format: CSV, fields: ["name"] }) { id contentPath } }',
  );
  expect(await toTheEnd(startExport.id)).toEqual({ status: 'DONE', rowCount: 1_500 });
  const text = await (await call(startExport.contentPath)).text();
  expect(text.trimEnd().split('\r\n')).toEqual(['name', ...names]);
});

it('says that the store does not answer, keeps nothing half, and works again with it', async () => {
  const { admin } = tenant;
  const { createUpload } = await admin.query(
    'mutation { createUpload(input: { fileName: "a.bin" }) { id uploadUrl } }',
  );
  const before = s3.objects.size;
  s3.fail(1_000, 0);
  const refused = await call(createUpload.uploadUrl, { method: 'PUT', body: 'x' });
  expect([refused.status, await refused.json()]).toMatchObject([
    503,
    { errors: [{ extensions: { code: 'SUBGRAPH_UNAVAILABLE' } }] },
  ]);
  s3.fail(0, 0);
  expect(s3.objects.size).toBe(before);
  expect((await call(createUpload.uploadUrl, { method: 'PUT', body: 'x' })).status).toBe(200);
  expect(product.output()).not.toContain(s3.options.secretAccessKey);
});
