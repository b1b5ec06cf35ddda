/** What others try with files of fields, and what becomes of it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '#tests/harness/client.ts';
import {
  createContact as create,
  createFileCalls,
  defineContact,
  type FileCalls,
  png,
  sha256,
} from '#tests/harness/files.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let user: Client;
let viewer: Client;
let call: FileCalls['call'];
let put: FileCalls['put'];
let begin: FileCalls['begin'];
let upload: FileCalls['upload'];
beforeAll(async () => {
  product = await startProduct({ env: { MAX_FILE_MB: '24' } });
  ({ call, put, begin, upload } = createFileCalls(product));
  tenant = await registerTenant(product);
  user = await addUser(product, tenant, 'USER');
  viewer = await addUser(product, tenant, 'VIEWER');
  await tenant.admin.query(defineContact);
});
afterAll(() => product[Symbol.asyncDispose]());

describe('refuses', () => {
  it('what is too large, by what it says, by what it is, and by the field', async () => {
    const max = 24 * 2 ** 20;
    const said = await user.send(
      `mutation { createUpload(input: { fileName: "a", size: ${max + 1} }) { id } }`,
    );
    expect(said.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'input.size' }],
    });
    const { uploadUrl } = await begin(user, { fileName: 'a' });
    expect((await put(user, uploadUrl, Buffer.alloc(max + 1))).status).toBe(413);
    const short = await begin(user, { fileName: 'a', size: 10 });
    expect((await put(user, short.uploadUrl, 'elevenbytes')).status).toBe(413);
    expect((await put(user, short.uploadUrl, 'nine-byte')).status).toBe(413);
    expect((await put(user, short.uploadUrl, 'ten--bytes')).status).toBe(200);

    const photo = await upload(user, Buffer.concat([png, Buffer.alloc(1_000_000)]), { fileName: 'a.png' });
    const refused = await user.send(create, { input: { photo } });
    expect(refused.errors?.[0]?.extensions.fields).toMatchObject([{ field: 'photo', rule: 'maxBytes' }]);
  });

  it('what is not of an allowed type, or not what it says it is', async () => {
    const { uploadUrl } = await begin(user, { fileName: 'a.png', contentType: 'image/png' });
    expect((await put(user, uploadUrl, '<script>alert(1)</script>')).status).toBe(400);
    const photo = await upload(user, '<svg', { fileName: 'a.html', contentType: 'text/html' });
    const refused = await user.send(create, { input: { photo } });
    expect(refused.errors?.[0]?.extensions.fields).toMatchObject([{ field: 'photo', rule: 'contentTypes' }]);
    expect(
      await user.codeOf(`mutation { createUpload(input: { fileName: "a", contentType: "x" }) { id } }`),
    ).toBe('BAD_USER_INPUT');
    for (const fileName of ['', '..', 'a/', '\\']) {
      const answer = await user.send(
        `mutation ($n: String!) { createUpload(input: { fileName: $n }) { id } }`,
        { n: fileName },
      );
      expect(answer.errors?.[0]?.extensions.fields, fileName).toMatchObject([{ field: 'input.fileName' }]);
    }
  });

  it('a viewer who uploads, and callers without credentials', async () => {
    expect(await viewer.codeOf(`mutation { createUpload(input: { fileName: "a" }) { id } }`)).toBe(
      'FORBIDDEN',
    );
    const { uploadUrl } = await begin(user, { fileName: 'a' });
    expect((await put(viewer, uploadUrl, 'x')).status).toBe(403);
    expect((await put(null, uploadUrl, 'x')).status).toBe(401);
    expect((await call(null, uploadUrl)).status).toBe(401);
    expect((await put(tenant.admin, uploadUrl, 'x')).status).toBe(404);
    expect((await put(user, '/files/nothing', 'x')).status).toBe(404);
  });

  it("another tenant's files, in every direction", async () => {
    const id = await upload(user, png, { fileName: 'secret.png' });
    await user.query(create, { input: { photo: id } });
    const free = await upload(user, png, { fileName: 'free.png' });
    const other = await registerTenant(product);
    await other.admin.query(
      `mutation { createEntity(input: { name: "contact", fields: [{ name: "photo", type: FILE }] }) { id } }`,
    );
    const unknown = crypto.randomUUID();
    for (const path of [id, free, unknown]) {
      expect((await call(other.admin, `/files/${path}`)).status).toBe(404);
      expect((await put(other.admin, `/files/${path}`, 'x')).status).toBe(404);
      const refused = await other.admin.send(
        `mutation ($p: ID!) { createContact(input: { photo: $p }) { id } }`,
        { p: path },
      );
      const message = `photo: there is no uploaded file with the id ${path}`;
      expect(refused.errors?.[0]?.extensions.fields).toEqual([{ field: 'photo', rule: 'file', message }]);
    }
    expect(
      (
        await fetch(`${product.url}/files/${id}`, {
          headers: {
            authorization: other.admin.credentials.authorization as string,
            'x-tenant-id': tenant.id,
          },
        })
      ).status,
    ).toBe(403);
  });

  it('a file that somebody else uploaded, or that a record holds already', async () => {
    const id = await upload(user, png, { fileName: 'a.png' });
    const notOwn = await tenant.admin.send(create, { input: { photo: id } });
    expect(notOwn.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ rule: 'file' }],
    });
    expect((await call(tenant.admin, `/files/${id}`)).status).toBe(404);
    await user.query(create, { input: { photo: id } });
    const twice = await user.send(create, { input: { contract: id } });
    expect(twice.errors?.[0]?.extensions).toMatchObject({
      code: 'CONFLICT',
      fields: [{ field: 'contract' }],
    });
    const both = await upload(user, png, { fileName: 'b.png' });
    expect(await user.codeOf(create, { input: { contract: both, photo: both } })).toBe('CONFLICT');
  });
});

describe('links that carry their own proof', () => {
  it('serve the file without credentials, as whoever asked for them', async () => {
    const id = await upload(user, png, { fileName: 'a.png' });
    const { createContact } = await user.query(create, { input: { photo: id } });
    const { signedUrl } = createContact.photo;
    const shown = await call(null, signedUrl);
    expect([shown.status, shown.headers.get('cross-origin-resource-policy')]).toEqual([200, 'cross-origin']);
    expect(sha256(new Uint8Array(await shown.arrayBuffer()))).toBe(sha256(png));

    const other = await upload(user, png, { fileName: 'b.png' });
    await user.query(create, { input: { photo: other } });
    const token = signedUrl.split('=')[1];
    const [head, payload, signature] = token.split('.');
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace(id, other)).toString(
      'base64url',
    );
    for (const path of [
      `/files/${other}?link=${token}`,
      `/files/${other}?link=${head}.${forged}.${signature}`,
      `/files/${id}?link=${head}.${payload}.${signature.slice(0, -4)}AAAA`,
      `/files/${id}?link=${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`,
      `/files/${id}?link=`,
      `/files/${id}?link=${(user.credentials.authorization as string).slice(7)}`,
    ]) {
      expect((await call(null, path)).status, path).toBe(401);
    }
    // It opens one file, and nothing else.
    const asToken = await fetch(`${product.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ query: '{ me { id } }' }),
    });
    expect(asToken.status).toBe(401);
    expect((await put(null, signedUrl, 'x')).status).toBe(401);

    await user.query(`mutation ($id: ID!) { deleteContact(id: $id) { id } }`, { id: createContact.id });
    expect((await call(null, signedUrl)).status).toBe(404);
  });

  it('end with the rights of whoever asked for them', async () => {
    const id = await upload(user, png, { fileName: 'a.png' });
    const { createContact } = await user.query(create, { input: { photo: id } });
    const leaving = await addUser(product, tenant, 'VIEWER');
    const ask = `query ($id: ID!, $s: Int!) { contact(id: $id) { photo { signedUrl(expiresIn: $s) } } me { id } }`;
    const { contact, me } = await leaving.query(ask, { id: createContact.id, s: 3_600 });
    expect((await call(null, contact.photo.signedUrl)).status).toBe(200);
    await tenant.admin.query(`mutation ($id: ID!) { deleteUser(id: $id) }`, { id: me.id });
    await expect
      .poll(async () => (await call(null, contact.photo.signedUrl)).status, { timeout: 10_000 })
      .toBe(401);
    for (const s of [0, 29, 3_601]) {
      expect(await user.codeOf(ask, { id: createContact.id, s })).toBe('BAD_USER_INPUT');
    }
    // The key of the registration has rights of its own, and no session.
    const service = product.client({ authorization: `ApiKey ${tenant.apiKey}` });
    const asKey = await service.query(`query ($id: ID!) { contact(id: $id) { photo { signedUrl } } }`, {
      id: createContact.id,
    });
    expect((await call(null, asKey.contact.photo.signedUrl)).status).toBe(200);
  });
});

it.each([
  ['page.html', 'text/html', '<script>top.stolen = document.cookie</script>'],
  ['drawing.svg', 'image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
  ['doc.xhtml', 'application/xhtml+xml', '<html xmlns="http://www.w3.org/1999/xhtml"/>'],
  ['odd"; filename=evil.html', 'application/octet-stream', 'x'],
])('never lets %s run in our origin', async (fileName, contentType, content) => {
  const id = await upload(user, content, { fileName, contentType });
  await user.query(create, { input: { contract: id } });
  const got = await call(user, `/files/${id}`);
  expect(got.status).toBe(200);
  expect(got.headers.get('content-disposition')).toMatch(/^attachment; filename\*=UTF-8''[\w.%-]+$/);
  expect(got.headers.get('x-content-type-options')).toBe('nosniff');
  expect(got.headers.get('content-security-policy')).toMatch(/^default-src 'none';.*sandbox$/);
  expect(await got.text()).toBe(content);
});

it('gives equal subscribers one link of nobody in particular, which ends with any change of rights', async () => {
  const one = await addUser(product, tenant, 'VIEWER');
  const other = await addUser(product, tenant, 'VIEWER');
  const subscription = `subscription { contactChanged { contact { contract { signedUrl(expiresIn: 3600) } } } }`;
  await using first = await one.subscribe(subscription);
  await using second = await other.subscribe(subscription);
  const statusOf = async (link: string): Promise<number> => (await call(null, link)).status;
  const nextLinks = async (streams: readonly (typeof first)[]): Promise<string[]> => {
    await user.query(create, { input: { contract: await upload(user, 'shared') } });
    return Promise.all(
      streams.map(async (stream) => (await stream.next()).contactChanged.contact.contract.signedUrl),
    );
  };
  let links: string[] = [];
  // The gateway may be about to learn what the two new users did to the tenant's rights.
  const newLinks = async (streams: readonly (typeof first)[]): Promise<number[]> => {
    links = await nextLinks(streams);
    return Promise.all(links.map(statusOf));
  };
  await expect.poll(() => newLinks([first, second]), { timeout: 10_000 }).toEqual([200, 200]);
  expect(await (await call(null, links[0] ?? '')).text()).toBe('shared');

  const [old = ''] = links;
  const { me } = await one.query('{ me { id } }');
  await tenant.admin.query(`mutation ($id: ID!) { deleteUser(id: $id) }`, { id: me.id });
  await expect.poll(() => statusOf(old), { timeout: 10_000 }).toBe(401);
  // Who stays gets links under the rights of now.
  await expect.poll(() => newLinks([second]), { timeout: 10_000 }).toEqual([200]);
});
