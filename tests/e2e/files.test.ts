/** Files of fields as a frontend uses them: uploaded, attached, shown, replaced; and what others try with them. */
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '#tests/harness/client.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { addUser, registerTenant, type TestTenant } from '#tests/harness/tenant.ts';

let product: Product;
let tenant: TestTenant;
let user: Client;
let viewer: Client;
beforeAll(async () => {
  product = await startProduct({ env: { MAX_FILE_MB: '24' } });
  tenant = await registerTenant(product);
  user = await addUser(product, tenant, 'USER');
  viewer = await addUser(product, tenant, 'VIEWER');
  await tenant.admin.query(`mutation { createEntity(input: { name: "contact", fields: [
    { name: "name", type: TEXT }
    { name: "photo", type: FILE, validation: { maxBytes: 1000000, contentTypes: ["image/*"] } }
    { name: "contract", type: FILE }
  ] }) { id } }`);
});
afterAll(() => product[Symbol.asyncDispose]());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), randomBytes(2_000)]);

function call(client: Client | null, path: string, init: RequestInit = {}): Promise<Response> {
  const credentials = client === null ? {} : (client.credentials as Record<string, string>);
  return fetch(product.url + path, { ...init, headers: { ...credentials, ...(init.headers as object) } });
}

const put = (client: Client | null, path: string, body: Uint8Array | string): Promise<Response> =>
  call(client, path, { method: 'PUT', body: body as BodyInit, headers: { 'content-type': 'image/png' } });

async function begin(
  client: Client,
  input: Record<string, unknown>,
): Promise<{ id: string; uploadUrl: string }> {
  const { createUpload } = await client.query(
    `mutation ($input: CreateUploadInput!) { createUpload(input: $input) { id uploadUrl maxBytes expiresAt } }`,
    { input },
  );
  return createUpload;
}

/** The id of an uploaded file. */
async function upload(
  client: Client,
  bytes: Uint8Array | string,
  input: Record<string, unknown> = { fileName: 'a.bin' },
): Promise<string> {
  const { id, uploadUrl } = await begin(client, input);
  const answer = await put(client, uploadUrl, bytes);
  if (answer.status !== 200) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  return id;
}

const fileMembers = 'id name contentType size sha256 url createdAt signedUrl';
const create = `mutation ($input: CreateContactInput!) { createContact(input: $input) { id version photo { ${fileMembers} } contract { ${fileMembers} } } }`;
const update = `mutation ($id: ID!, $input: UpdateContactInput!) { updateContact(id: $id, input: $input) { id version photo { ${fileMembers} } contract { ${fileMembers} } } }`;

it('takes a file, gives it to a record, and hands out the same bytes', async () => {
  const { id, uploadUrl } = await begin(user, {
    fileName: '..\\..\\C:\\holiday/Ünder wäter \u202egnp.png',
    contentType: 'image/png',
    size: png.length,
  });
  expect(uploadUrl).toBe(`/files/${id}`);
  const put1 = await put(user, uploadUrl, png);
  expect(put1.status).toBe(200);
  const name = 'Ünder wäter gnp.png';
  expect(await put1.json()).toMatchObject({
    id,
    name,
    contentType: 'image/png',
    size: png.length,
    sha256: sha256(png),
  });

  const { createContact } = await user.query(create, { input: { name: 'Ada', photo: id } });
  expect(createContact).toMatchObject({
    contract: null,
    photo: { id, name, contentType: 'image/png', size: png.length, sha256: sha256(png), url: `/files/${id}` },
  });

  // A viewer reads the record, so its file as well.
  const got = await call(viewer, `/files/${id}`);
  expect(got.status).toBe(200);
  expect(Object.fromEntries(got.headers)).toMatchObject({
    'content-type': 'image/png',
    'content-length': String(png.length),
    'content-disposition': "inline; filename*=UTF-8''%C3%9Cnder%20w%C3%A4ter%20gnp.png",
    'x-content-type-options': 'nosniff',
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    etag: `"${sha256(png)}"`,
  });
  expect(got.headers.get('content-security-policy')).toContain('sandbox');
  expect(sha256(new Uint8Array(await got.arrayBuffer()))).toBe(sha256(png));

  const head = await call(user, `/files/${id}`, { method: 'HEAD' });
  expect([head.status, head.headers.get('content-length')]).toEqual([200, String(png.length)]);
  const same = await call(user, `/files/${id}`, { headers: { 'if-none-match': `W/"${sha256(png)}"` } });
  expect([same.status, await same.text()]).toEqual([304, '']);
  const saved = await call(user, `/files/${id}?download`);
  expect(saved.headers.get('content-disposition')).toContain('attachment');
});

it('passes 20 MB through in both directions, in ranges too', async () => {
  const big = randomBytes(20_000_000);
  const id = await upload(user, big, { fileName: 'big.bin' });
  await user.query(create, { input: { name: 'Big', contract: id } });
  const got = await call(user, `/files/${id}`);
  expect(got.headers.get('content-type')).toBe('application/octet-stream');
  expect(got.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''big.bin");
  expect(sha256(new Uint8Array(await got.arrayBuffer()))).toBe(sha256(big));

  const part = async (range: string, headers: Record<string, string> = {}) => {
    const answer = await call(user, `/files/${id}`, { headers: { range, ...headers } });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, range: answer.headers.get('content-range'), bytes };
  };
  expect(await part('bytes=5-9')).toEqual({
    status: 206,
    range: 'bytes 5-9/20000000',
    bytes: big.subarray(5, 10),
  });
  expect(await part('bytes=-7')).toEqual({
    status: 206,
    range: 'bytes 19999993-19999999/20000000',
    bytes: big.subarray(-7),
  });
  const end = await part('bytes=19999990-');
  expect([end.status, end.bytes]).toEqual([206, big.subarray(19_999_990)]);
  expect(await part('bytes=20000000-')).toEqual({
    status: 416,
    range: 'bytes */20000000',
    bytes: Buffer.alloc(0),
  });
  expect((await part('bytes=0-4', { 'if-range': '"another"' })).status).toBe(200);
  expect((await part('bytes=0-4', { 'if-range': `"${sha256(big)}"` })).status).toBe(206);
});

it('keeps nothing of an upload that is cut off, and takes it again', async () => {
  const { id, uploadUrl } = await begin(user, { fileName: 'cut.bin' });
  const before = await countFiles();
  const { hostname, port } = new URL(product.url);
  const sending = httpRequest({
    ...{ hostname, port, path: uploadUrl, method: 'PUT' },
    headers: { ...(user.credentials as Record<string, string>), 'content-type': 'application/octet-stream' },
  });
  const ended = new Promise((resolve) => sending.once('error', resolve));
  await new Promise<void>((resolve, reject) => {
    sending.write(randomBytes(3_000_000), (error) => (error ? reject(error) : resolve()));
  });
  await expect.poll(countFiles, { timeout: 20_000 }).toBe(before + 1);
  sending.destroy(new Error('gone'));
  await ended;
  await expect.poll(countFiles, { timeout: 20_000 }).toBe(before);

  const refused = await user.send(create, { input: { contract: id } });
  expect(refused.errors?.[0]?.extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    fields: [{ field: 'contract', rule: 'file' }],
  });
  expect((await put(user, uploadUrl, 'whole')).status).toBe(200);
  expect((await put(user, uploadUrl, 'again')).status).toBe(409);
  const { createContact } = await user.query(create, { input: { contract: id } });
  expect(createContact.contract).toMatchObject({ size: 5, sha256: sha256(Buffer.from('whole')) });
});

/** Everything that lies under the data folder's files. */
async function countFiles(): Promise<number> {
  const found = await readdir(join(product.dataFolder, 'files'), { recursive: true, withFileTypes: true });
  return found.filter((entry) => entry.isFile()).length;
}

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

it('lets go of a file that is replaced or cleared, and of a deleted record until it is restored', async () => {
  const [first, second] = [await upload(user, png), await upload(user, png)];
  const { createContact } = await user.query(create, { input: { contract: first } });
  const { id } = createContact;
  // The same file again is no change.
  const again = await user.query(update, { id, input: { contract: first } });
  expect(again.updateContact.version).toBe(1);
  const replaced = await user.query(update, { id, input: { contract: second } });
  expect(replaced.updateContact).toMatchObject({ version: 2, contract: { id: second } });
  expect((await call(user, `/files/${first}`)).status).toBe(404);
  expect((await call(user, `/files/${second}`)).status).toBe(200);

  const history = await user.query(
    `query ($id: ID!) { contactHistory(id: $id) { nodes { version changes { field from to } } } }`,
    { id },
  );
  expect(history.contactHistory.nodes[0].changes).toMatchObject([
    { field: 'contract', from: { id: first, name: 'a.bin' }, to: { id: second } },
  ]);
  const restored = await user.query(
    `mutation ($id: ID!) { restoreContactVersion(id: $id, version: 1) { contract { id } } }`,
    { id },
  );
  expect(restored.restoreContactVersion.contract.id).toBe(first);
  expect((await call(user, `/files/${first}`)).status).toBe(200);

  await user.query(`mutation ($id: ID!) { deleteContact(id: $id) { id } }`, { id });
  expect((await call(user, `/files/${first}`)).status).toBe(404);
  await user.query(`mutation ($id: ID!) { restoreContact(id: $id) { id } }`, { id });
  expect((await call(user, `/files/${first}`)).status).toBe(200);
  const cleared = await user.query(update, { id, input: { contract: null } });
  expect(cleared.updateContact.contract).toBeNull();
  expect((await call(user, `/files/${first}`)).status).toBe(404);
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

it('works with nested writes, batches, upserts, the untyped twin, filters and subscriptions', async () => {
  await tenant.admin.query(`mutation { createEntity(input: { name: "card", fields: [
    { name: "code", type: TEXT, isUnique: true }
    { name: "scan", type: FILE, isRequired: true }
    { name: "owner", type: RELATION, targetEntity: "contact" }
  ] }) { id } }`);
  const ids = await Promise.all(
    ['one.png', 'TWÖ.png', 'three.txt', 'four.txt', 'five.txt'].map((fileName) =>
      upload(user, fileName, { fileName, contentType: 'text/plain' }),
    ),
  );
  await using changes = await user.subscribe(
    `subscription { cardChanged(filter: { scan: { name: { startsWith: "three" } } }) { card { code scan { name size } } } }`,
  );
  const nested = await user.query(
    `mutation ($a: ID!) { createContact(input: { name: "N", cards: { create: [{ code: "1", scan: $a }] } }) { cards { nodes { scan { id name } } } } }`,
    { a: ids[0] },
  );
  expect(nested.createContact.cards.nodes).toEqual([{ scan: { id: ids[0], name: 'one.png' } }]);
  const many = await user.query(
    `mutation ($a: ID!, $b: ID!) { createCards(inputs: [{ code: "2", scan: $a }, { code: "3", scan: $b }]) { id scan { id } } }`,
    { a: ids[1], b: ids[2] },
  );
  expect(many.createCards.map((card: { scan: { id: string } }) => card.scan.id)).toEqual([ids[1], ids[2]]);
  expect((await changes.next()).cardChanged.card).toEqual({
    code: '3',
    scan: { name: 'three.txt', size: 9 },
  });

  const upsert = `mutation ($a: ID!) { upsertCard(on: CODE, input: { code: "3", scan: $a }) { id scan { id } version } }`;
  expect((await user.query(upsert, { a: ids[3] })).upsertCard).toMatchObject({
    scan: { id: ids[3] },
    version: 2,
  });
  const required = await user.send(`mutation { createCard(input: { code: "9" }) { id } }`);
  expect(required.errors?.[0]?.message).toContain('scan');
  const id = many.createCards[0].id;
  expect(
    await user.codeOf(`mutation ($id: ID!) { updateCard(id: $id, input: { scan: null }) { id } }`, { id }),
  ).toBe('BAD_USER_INPUT');

  const untyped = await user.query(
    `mutation ($data: JSON!) { createRecord(entity: "card", data: $data) { data } }`,
    { data: { code: '5', scan: ids[4] } },
  );
  expect(untyped.createRecord.data.scan).toMatchObject({
    id: ids[4],
    name: 'five.txt',
    url: `/files/${ids[4]}`,
  });

  const codes = async (filter: string): Promise<string> => {
    const { cards } = await user.query(
      `{ cards(filter: ${filter}, orderBy: [{ code: ASC }]) { nodes { code } } }`,
    );
    return cards.nodes.map((card: { code: string }) => card.code).join('');
  };
  expect(await codes('{ scan: { isNull: false } }')).toBe('1235');
  expect(await codes('{ scan: { name: { eq: "two.PNG", mode: INSENSITIVE } } }')).toBe('2');
  expect(await codes('{ scan: { name: { endsWith: ".txt" } } }')).toBe('35');
  expect(await codes('{ scan: { contentType: { ne: "text/plain" } } }')).toBe('');
  expect(await codes(`{ scan: { size: { gt: 7 }, id: { in: ["${ids[3]}", "${ids[4]}", "x"] } } }`)).toBe(
    '35',
  );
  const { cardsAggregate } = await user.query(
    `{ cardsAggregate(filter: { scan: { size: { lt: 8 } } }) { count } }`,
  );
  expect(cardsAggregate[0].count).toBe(1);
});

it('gives equal subscribers one link of nobody in particular, which ends with any change of rights', async () => {
  const one = await addUser(product, tenant, 'VIEWER');
  const other = await addUser(product, tenant, 'VIEWER');
  const subscription = `subscription { contactChanged { contact { contract { signedUrl(expiresIn: 3600) } } } }`;
  await using first = await one.subscribe(subscription);
  await using second = await other.subscribe(subscription);
  const id = await upload(user, 'shared');
  await user.query(create, { input: { contract: id } });
  const links = await Promise.all(
    [first, second].map(async (stream) => (await stream.next()).contactChanged.contact.contract.signedUrl),
  );
  for (const link of links) {
    const shown = await call(null, link);
    expect([shown.status, await shown.text()]).toEqual([200, 'shared']);
  }
  const { me } = await one.query('{ me { id } }');
  await tenant.admin.query(`mutation ($id: ID!) { deleteUser(id: $id) }`, { id: me.id });
  const statusOf = async (link: string): Promise<number> => (await call(null, link)).status;
  await expect.poll(() => statusOf(links[0]), { timeout: 10_000 }).toBe(401);
});
