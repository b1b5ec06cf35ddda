/** Files of fields as a frontend uses them: uploaded, attached, shown, replaced. */
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Client } from '#tests/harness/client.ts';
import {
  createContact as create,
  createFileCalls,
  defineContact,
  type FileCalls,
  png,
  sha256,
  updateContact as update,
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
