/** Files that no record holds: what becomes loose when, and when it goes. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { EntitiesTenant } from '../entities/fixture.ts';
import { createContact, createFilesBench, defineContact, type FilesBench } from './files-bench.ts';

let bench: FilesBench;
let fixture: FilesBench['fixture'];
let files: FilesBench['files'];
let folder: FilesBench['folder'];
let upload: FilesBench['upload'];
let states: FilesBench['states'];
let contentsOf: FilesBench['contentsOf'];
let passADay: FilesBench['passADay'];
let tenant: EntitiesTenant;
beforeAll(async () => {
  bench = await createFilesBench();
  ({ fixture, files, folder, upload, states, contentsOf, passADay } = bench);
});
afterAll(() => bench[Symbol.asyncDispose]());
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

describe('a file that no record holds', () => {
  it('goes after a day: never attached, replaced, or left half way', async () => {
    await defineContact(tenant);
    const [kept, replaced, unused, next] = [
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
    ];
    const pending = (await files.createUpload(tenant.claims, { fileName: 'a' })).id;
    const body = (async function* () {
      yield Buffer.from('half');
      throw new Error('hung up');
    })();
    const { claims } = tenant;
    await expect(files.content.put({ claims, fileId: pending, requestId: 't', body })).rejects.toThrow(
      'hung up',
    );
    await tenant.query(createContact, { input: { photo: kept } });
    const { createContact: made } = await tenant.query(createContact, { input: { photo: replaced } });
    await tenant.query(
      'mutation ($id: ID!, $f: ID!) { updateContact(id: $id, input: { photo: $f }) { id } }',
      { id: made.id, f: next },
    );
    await files.removeLoose();
    expect(Object.keys(await states(tenant))).toHaveLength(5);

    await passADay();
    const young = await upload(tenant);
    // Two processes at once.
    await Promise.all([files.removeLoose(), fixture.createService().files!.removeLoose()]);
    expect(await states(tenant)).toEqual({ [kept]: 'ATTACHED', [next]: 'ATTACHED', [young]: 'READY' });
    expect(await contentsOf(tenant)).toHaveLength(3);
    expect((await tenant.refusal(createContact, { input: { photo: unused } })).fields).toMatchObject([
      { rule: 'file' },
    ]);
  });

  it('goes with its purged record, its deleted field, its deleted entity; not with a deleted record', async () => {
    await defineContact(tenant);
    const ids = [
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
    ] as const;
    const [purged, inField, deleted, inEntity] = ids;
    const made = await Promise.all([
      tenant.query(createContact, { input: { scan: purged } }),
      tenant.query(createContact, { input: { photo: inField } }),
      tenant.query(createContact, { input: { scan: deleted } }),
      tenant.query(createContact, { input: { scan: inEntity } }),
    ]);
    const [first, , third] = made.map(({ createContact }) => createContact.id as string);
    await tenant.query('mutation ($ids: [ID!]!) { deleteContacts(ids: $ids) { id } }', {
      ids: [first, third],
    });
    await tenant.query('mutation ($id: ID!) { purgeContacts(ids: [$id]) }', { id: first });
    expect(await states(tenant)).toMatchObject({
      [purged]: 'DETACHED',
      [inField]: 'ATTACHED',
      [deleted]: 'ATTACHED',
    });
    await tenant.query('mutation { deleteField(entity: "contact", name: "photo") }');
    await expect
      .poll(() => states(tenant))
      .toMatchObject({ [inField]: 'DETACHED', [deleted]: 'ATTACHED', [inEntity]: 'ATTACHED' });
    await tenant.query('mutation { deleteEntity(name: "contact") }');
    await expect.poll(() => states(tenant)).toEqual(Object.fromEntries(ids.map((id) => [id, 'DETACHED'])));
    await passADay();
    await files.removeLoose();
    expect([await states(tenant), await contentsOf(tenant)]).toEqual([{}, []]);
  });

  it('goes with its tenant', async () => {
    await defineContact(tenant);
    await tenant.query(createContact, { input: { photo: await upload(tenant) } });
    expect(await contentsOf(tenant)).toHaveLength(1);
    await fixture.superuser.query('delete from tenants where id = $1', [tenant.id]);
    await passADay();
    await files.removeLoose();
    expect([await states(tenant), await contentsOf(tenant)]).toEqual([{}, []]);
  });

  it('is not brought back while it is being removed, and is removed when the store answers again', async () => {
    await defineContact(tenant);
    const id = await upload(tenant);
    await passADay();
    const path = join(folder, tenant.id);
    // A folder that is no folder: nothing can be removed from it.
    await rename(path, `${path}.away`);
    await writeFile(path, '');
    await files.removeLoose();
    expect(await states(tenant)).toEqual({ [id]: 'REMOVING' });
    expect((await tenant.refusal(createContact, { input: { photo: id } })).fields).toMatchObject([
      { rule: 'file' },
    ]);
    await rm(path);
    await rename(`${path}.away`, path);
    await passADay();
    await files.removeLoose();
    expect([await states(tenant), await contentsOf(tenant)]).toEqual([{}, []]);
  });
});
