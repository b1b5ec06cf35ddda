/** Files of fields on their way with a whole tenant, and in imports and exports of one entity. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { isStoredFile } from '#subgraphs/model/values/file.ts';
import {
  bytesOf,
  createTransferBench,
  download,
  ended,
  put,
  type TenantClaims,
  type TransferBench,
} from './transfer-bench.ts';

let bench: TransferBench;
beforeAll(async () => {
  bench = await createTransferBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const photo = {
  name: 'person',
  pluralName: 'people',
  fields: [
    { name: 'name', type: 'TEXT', isUnique: true },
    {
      name: 'photo',
      type: 'FILE',
      validation: { maxBytes: 5_000_000, contentTypes: ['image/*', 'text/plain'] },
    },
    { name: 'boss', type: 'RELATION', targetEntity: 'person', inverseName: null },
  ],
} as const;

/** The id of a file that is there, and no record holds. */
async function upload(claims: TenantClaims, name: string, content: Uint8Array): Promise<string> {
  const [id, contentId] = [randomUUID(), randomUUID()];
  await bench.fileRecords.insert(claims, { id, name, contentType: 'text/plain', size: null });
  await bench.fileRecords.begin(claims, id, contentId);
  const { bytes, sha256: hash } = await bench.files.write(
    claims.tenantId,
    contentId,
    bytesOf(content),
    10 ** 9,
  );
  const facts = { contentId, contentType: 'text/plain', size: bytes, sha256: hash };
  await bench.fileRecords.complete(claims, id, facts);
  return id;
}

async function create(claims: TenantClaims, inputs: Record<string, unknown>[]): Promise<StoredRecord[]> {
  const model = await bench.definitions.load(claims);
  return bench.records.create(
    { claims, model, requestId: 'test' },
    model.entityByName.get('person')!,
    inputs,
  );
}

/** By name: what each person's photo is, and its content. */
async function photosOf(claims: TenantClaims): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { id, data } of await bench.all(claims, 'person')) {
    const held = data['photo'];
    const file = isStoredFile(held) ? await bench.fileRecords.find(claims, held.id) : null;
    if (!isStoredFile(held) || !file?.contentId) {
      found[data['name'] as string] = null;
      continue;
    }
    expect(file).toMatchObject({ state: 'ATTACHED', holder: { recordId: id, fieldKey: 'photo' } });
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await bench.files.read(claims.tenantId, file.contentId))!.content)
      chunks.push(chunk);
    expect(sha256(Buffer.concat(chunks))).toBe(held.sha256);
    found[data['name'] as string] = [held.name, held.contentType, held.size, held.sha256];
  }
  return found;
}

async function makeTenant(contents: Record<string, Uint8Array>): Promise<TenantClaims> {
  const claims = await bench.addTenant(photo);
  for (const [name, content] of Object.entries(contents))
    await create(claims, [{ name, photo: await upload(claims, `${name}.txt`, content) }]);
  await create(claims, [{ name: 'nobody' }]);
  return claims;
}

const contents = { small: Buffer.from('small'), empty: Buffer.alloc(0), large: randomBytes(3_000_000) };

it('take their content along, in pieces, and come once however often the import begins anew', async () => {
  const from = await makeTenant(contents);
  const service = bench.service();
  const exported = await ended(service, from, await service.startTenant(from, 'EXPORT'));
  expect(exported).toMatchObject({ status: 'DONE' });
  const file = await download(service, from, exported);
  const lines = gunzipSync(file).toString().trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1_000_000);
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ kind: 'END', records: 4, files: 3 });

  const to = await bench.addTenant();
  const transfer = await service.startTenant(to, 'IMPORT');
  await put(service, to, transfer, bytesOf(file));
  expect(await ended(service, to, transfer)).toMatchObject({ status: 'DONE', errorCount: 0 });
  const brought = await photosOf(to);
  expect(brought).toEqual(await photosOf(from));
  expect(brought).toMatchObject({
    nobody: null,
    empty: ['empty.txt', 'text/plain', 0, sha256(Buffer.alloc(0))],
  });

  // As if its process had died at the end: what is there is passed by.
  await bench.sql(
    "update transfers set status = 'PENDING', row_count = 0, attempts = 1, runner_id = null, requested_at = now() where id = $1",
    [transfer.id],
  );
  service.runner.wake(to.tenantId, transfer.id);
  await service.runner.idle();
  expect(await ended(service, to, transfer)).toMatchObject({ status: 'DONE', errorCount: 0 });
  expect(await photosOf(to)).toEqual(brought);
  expect(await bench.sql('select from files where tenant_id = $1', [to.tenantId])).toHaveLength(3);
});

it('are reported where they are too large or lost on the way, and their records come without them', async () => {
  const from = await makeTenant(contents);
  const service = bench.service({ maxFileBytes: 1_000_000 });
  const exported = await ended(service, from, await service.startTenant(from, 'EXPORT'));
  const lines = gunzipSync(await download(service, from, exported))
    .toString()
    .split('\n');
  const place = lines.findIndex((line) => line.includes('"small.txt"'));
  const tampered = lines.with(place + 1, JSON.stringify({ kind: 'BYTES', base64: 'eA==' })).join('\n');

  const to = await bench.addTenant();
  const transfer = await service.startTenant(to, 'IMPORT');
  await put(service, to, transfer, bytesOf(gzipSync(tampered)));
  const done = await ended(service, to, transfer);
  expect(done.status).toBe('DONE');
  const errors = await service.errors(to, done, 10);
  expect(errors.map(({ field, rule }) => [field, rule])).toEqual([
    ['file', 'size'],
    ['file', 'size'],
    ['photo', 'file'],
    ['photo', 'file'],
  ]);
  expect(await photosOf(to)).toMatchObject({
    small: null,
    large: null,
    nobody: null,
    empty: ['empty.txt', 'text/plain', 0, expect.any(String)],
  });
});

it('are written as ids into CSV, whole into JSON, and read back as they are', async () => {
  const claims = await makeTenant({ one: Buffer.from('1'), two: Buffer.from('2') });
  const service = bench.service();
  for (const format of ['CSV', 'JSON', 'NDJSON'] as const) {
    const before = await bench.all(claims, 'person');
    const exported = await ended(
      service,
      claims,
      await service.startExport(claims, { entity: 'person', format, fields: ['name', 'photo'] }),
    );
    const file = await download(service, claims, exported);
    const held = before.find(({ data }) => data['name'] === 'one')?.data['photo'];
    const id = isStoredFile(held) ? held.id : '';
    if (format === 'CSV') expect(file.toString()).toContain(`one,${id}\r\n`);
    else expect(file.toString()).toContain(`"photo":{"id":"${id}","name":"one.txt"`);

    const transfer = await service.startImport(claims, {
      entity: 'person',
      format,
      mode: 'UPSERT',
      upsertOn: 'name',
    });
    await put(service, claims, transfer, bytesOf(file));
    expect(await ended(service, claims, transfer)).toMatchObject({ status: 'DONE', errorCount: 0 });
    expect(await bench.all(claims, 'person')).toEqual(before);
  }
});

it('come in as ids of uploads, of whoever imports', async () => {
  const claims = await bench.addTenant(photo);
  const colleague = await bench.addUser(claims.tenantId, 'USER');
  const own = await upload(claims, 'own.txt', Buffer.from('x'));
  const foreign = await upload(colleague, 'foreign.txt', Buffer.from('x'));
  const service = bench.service();
  const transfer = await service.startImport(claims, { entity: 'person', format: 'CSV' });
  await put(service, claims, transfer, bytesOf(`name,photo\na,${own}\nb,${foreign}\nc,holiday.jpg\nd,\n`));
  const done = await ended(service, claims, transfer);
  expect(done).toMatchObject({ status: 'DONE', counts: { created: 2, failed: 2 } });
  expect(
    (await service.errors(claims, done, 10)).map(({ line, field, rule }) => [line, field, rule]),
  ).toEqual([
    [3, 'photo', 'file'],
    [4, 'photo', 'file'],
  ]);
  expect(await photosOf(claims)).toMatchObject({
    a: ['own.txt', 'text/plain', 1, expect.any(String)],
    d: null,
  });
});
