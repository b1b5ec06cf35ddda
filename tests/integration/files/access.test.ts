/** Who may do what with a file, how much of it, and what the database is asked. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntitiesTenant } from '../entities/fixture.ts';
import { bytesOf, createContact, createFilesBench, defineContact, type FilesBench } from './files-bench.ts';

let bench: FilesBench;
let fixture: FilesBench['fixture'];
let files: FilesBench['files'];
let upload: FilesBench['upload'];
let tenant: EntitiesTenant;
beforeAll(async () => {
  bench = await createFilesBench();
  ({ fixture, files, upload } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

describe('the database', () => {
  it('is asked twice about any number of files, and not at all where none is written, or for what is shown', async () => {
    await defineContact(tenant);
    const asked = async (work: () => Promise<unknown>): Promise<number> => {
      const { statements } = await fixture.countStatements(work);
      return statements.filter((text) => /(?:from|update|into) files\b/.test(text)).length;
    };
    const add = (inputs: Record<string, unknown>[]) => () =>
      tenant.query('mutation ($i: [CreateContactInput!]!) { createContacts(inputs: $i) { id } }', {
        i: inputs,
      });
    const [one, ...many] = await Promise.all([1, 2, 3, 4, 5].map(() => upload(tenant)));
    expect(await asked(add([{ name: 'a' }, { name: 'b' }]))).toBe(0);
    expect(await asked(add([{ name: 'c', photo: one }]))).toBe(2);
    expect(await asked(add(many.map((photo, i) => ({ name: `d${i}`, photo }))))).toBe(2);
    const list = '{ contacts { nodes { photo { id name size url signedUrl } } } }';
    expect(await asked(() => tenant.query(list))).toBe(0);
  });
});

describe('what one may', () => {
  it('is held to the tenant’s room, and to uploads that are waiting', async () => {
    await defineContact(tenant);
    const { claims } = tenant;
    await upload(tenant, 'x'.repeat(1_000));
    await upload(tenant, 'x'.repeat(1_000));
    expect(await files.createUpload(claims, { fileName: 'a', size: 900 })).toMatchObject({ maxBytes: 900 });
    // Announced is as good as taken.
    await expect(files.createUpload(claims, { fileName: 'a', size: 200 })).rejects.toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    const { id, maxBytes } = await files.createUpload(claims, { fileName: 'a' });
    expect(maxBytes).toBe(100);
    const body = bytesOf('x'.repeat(101));
    await expect(files.content.put({ claims, fileId: id, requestId: 't', body })).rejects.toMatchObject({
      fields: [{ rule: 'size' }],
    });
    const other = await fixture.addTenant();
    await upload(other, 'x'.repeat(1_000));
  });

  it('is the uploader’s alone until a record holds the file', async () => {
    await defineContact(tenant);
    const id = await upload(tenant);
    const read = (of: EntitiesTenant) =>
      files.content.find({ claims: of.claims, fileId: id, requestId: 't' });
    const colleague = tenant.as({ actorId: randomUUID() });
    await expect(read(colleague)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await read(tenant)).toMatchObject({ id, name: 'a.txt' });
    await tenant.query(createContact, { input: { photo: id } });
    expect(await read(colleague.as({ role: 'VIEWER' }))).toMatchObject({ id });
    // A key with the id of a user is not that user.
    const free = await upload(tenant);
    const key = tenant.as({ actorKind: 'SERVICE' });
    expect((await key.refusal(createContact, { input: { photo: free } })).fields).toMatchObject([
      { field: 'photo', rule: 'file' },
    ]);
  });

  it('is what permissions leave: of rows, and of the field', async () => {
    await defineContact(tenant);
    const [photo, scan, other] = [await upload(tenant), await upload(tenant), await upload(tenant)];
    await tenant.query(createContact, { input: { name: 'mine', photo, scan } });
    await tenant.query(createContact, { input: { name: 'other', scan: other } });
    await tenant.query(
      `mutation { setPermissions(entity: "contact", permissions: [
        { role: VIEWER, readableFields: ["name", "scan"], rowFilter: { name: { eq: "mine" } } }
      ]) { id } }`,
    );
    const viewer = tenant.as({ role: 'VIEWER', actorId: randomUUID() });
    const read = (fileId: string) => files.content.find({ claims: viewer.claims, fileId, requestId: 't' });
    expect(await read(scan)).toMatchObject({ id: scan });
    // The field is hidden.
    await expect(read(photo)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // The row is.
    await expect(read(other)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(
      files.content.read({ claims: viewer.claims, fileId: other, requestId: 't', range: null }),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // Nor can it be asked for by its name.
    for (const filter of ['{ photo: { name: { startsWith: "a" } } }', '{ photo: { isNull: false } }'])
      expect((await viewer.refusal(`{ contacts(filter: ${filter}) { totalCount } }`)).code).toBe('FORBIDDEN');
  });
});

it('is attached once, whoever comes at the same moment', async () => {
  await defineContact(tenant);
  const id = await upload(tenant);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => tenant.send(createContact, { input: { photo: id } })),
  );
  expect(answers.filter((answer) => !answer.errors)).toHaveLength(1);
  for (const { errors } of answers)
    for (const error of errors ?? []) expect(error.extensions).toMatchObject({ code: 'CONFLICT' });
});
