/** FILE fields over the entities subgraph: what may be defined, what is asked of the database, and what is removed when. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import type { FileService } from '#subgraphs/entities/files/service.ts';
import { createFileRecords } from '#subgraphs/entities/store/file-records.ts';
import { compilePredicate } from '#subgraphs/model/filter/predicate.ts';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from '../entities/fixture.ts';

const limits = { maxFileBytes: 1_000, maxTenantBytes: 3_000 };
let fixture: EntitiesFixture;
let files: FileService;
let folder: string;
let tenant: EntitiesTenant;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tenantry-files-'));
  const store = createDiskFiles(folder);
  fixture = await createEntitiesFixture((database) => ({
    files: { store, limits, secret: 'a secret of this test', fileRecords: createFileRecords(database) },
  }));
  files = fixture.service.files!;
});
afterAll(async () => {
  await fixture[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  tenant = await fixture.addTenant();
});

const define = (of: EntitiesTenant): Promise<unknown> =>
  of.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true },
      { name: 'photo', type: 'FILE', validation: { maxBytes: 100, contentTypes: ['text/*'] } },
      { name: 'scan', type: 'FILE' },
    ],
  });

async function* bytesOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

async function upload(of: EntitiesTenant, content = 'content', fileName = 'a.txt'): Promise<string> {
  const { claims } = of;
  const { id } = await files.createUpload(claims, { fileName, contentType: 'text/plain' });
  await files.content.put({ claims, fileId: id, requestId: 'test', body: bytesOf(content) });
  return id;
}

const create =
  'mutation ($input: CreateContactInput!) { createContact(input: $input) { id photo { id name } } }';
const states = async (): Promise<Record<string, string>> => {
  const { rows } = await fixture.superuser.query('select id, state from files where tenant_id = $1', [
    tenant.id,
  ]);
  return Object.fromEntries(rows.map((row: { id: string; state: string }) => [row.id, row.state]));
};
const contentsOf = async (of: EntitiesTenant): Promise<string[]> =>
  readdir(join(folder, of.id)).catch(() => []);
/** As if a day had passed. */
const passADay = (): Promise<unknown> =>
  fixture.superuser.query("update files set changed_at = changed_at - interval '25 hours'");

describe('a definition', () => {
  it.each([
    ['isUnique', { isUnique: true }, 'isUnique is not possible'],
    ['isSearchable', { isSearchable: true }, 'isSearchable is not possible'],
    ['isSortable', { isSortable: true }, 'isSortable is not possible'],
    ['defaultValue', { defaultValue: randomUUID() }, 'defaultValue is not possible'],
    ['options', { options: [{ value: 'A' }] }, 'options are only for'],
    ['validation.maxLength', { validation: { maxLength: 3 } }, 'has no meaning for FILE'],
    ['validation.maxBytes', { validation: { maxBytes: 0 } }, 'must be a whole number from 1'],
    ['validation.maxBytes', { validation: { maxBytes: 1.5 } }, 'must be a whole number from 1'],
    ['validation.contentTypes', { validation: { contentTypes: [] } }, 'must hold 1 to 100'],
    [
      'validation.contentTypes.1',
      { validation: { contentTypes: ['image/png', 'PNG'] } },
      'must be a media type',
    ],
    ['validation.contentTypes.0', { validation: { contentTypes: ['*/*'] } }, 'must be a media type'],
  ])('is refused with %s', async (member, input, message) => {
    await tenant.createEntity({ name: 'contact' });
    const refused = await tenant.refusal(
      'mutation ($input: FieldInput!) { createField(entity: "contact", input: $input) { id } }',
      { input: { name: 'photo', type: 'FILE', ...input } },
    );
    expect(refused).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: expect.stringContaining(member) }],
    });
    expect(refused.message).toContain(message);
  });

  it('is refused where the limits of files are given to another type', async () => {
    await tenant.createEntity({ name: 'contact' });
    const input = { name: 'a', type: 'TEXT', validation: { maxBytes: 3, contentTypes: ['image/png'] } };
    const refused = await tenant.refusal(
      'mutation ($input: FieldInput!) { createField(entity: "contact", input: $input) { id } }',
      { input },
    );
    expect(refused.fields.map((field) => field.message)).toEqual([
      expect.stringContaining('has no meaning for TEXT'),
      expect.stringContaining('has no meaning for TEXT'),
    ]);
  });

  it('of a FILE cannot become another type, nor another a FILE', async () => {
    await define(tenant);
    const retype =
      'mutation ($f: String!, $t: FieldType!) { retypeField(entity: "contact", name: $f, to: { type: $t }) { id } }';
    for (const [f, t] of [
      ['photo', 'TEXT'],
      ['name', 'FILE'],
    ]) {
      expect(await tenant.refusal(retype, { f, t })).toMatchObject({
        code: 'BAD_USER_INPUT',
        fields: [{ field: expect.stringMatching(/type$/) }],
      });
    }
  });

  it('goes out and comes in as a document', async () => {
    await define(tenant);
    const { exportDefinitions } = await tenant.query('{ exportDefinitions }');
    expect(exportDefinitions.entities[0].fields[1]).toMatchObject({
      type: 'FILE',
      validation: { maxBytes: 100, contentTypes: ['text/*'] },
    });
    const plan = 'query ($d: JSON!) { planDefinitions(definitions: $d) { steps { kind } } }';
    expect((await tenant.query(plan, { d: exportDefinitions })).planDefinitions.steps).toEqual([]);
    const other = await fixture.addTenant();
    await other.query('mutation ($d: JSON!) { applyDefinitions(definitions: $d) { steps { kind } } }', {
      d: exportDefinitions,
    });
    expect((await other.query('{ exportDefinitions }')).exportDefinitions).toEqual(exportDefinitions);
  });
});

describe('the database', () => {
  it('is asked twice about any number of files, and not at all where none is written, or for what is shown', async () => {
    await define(tenant);
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
    await define(tenant);
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
    await define(tenant);
    const id = await upload(tenant);
    const read = (of: EntitiesTenant) =>
      files.content.find({ claims: of.claims, fileId: id, requestId: 't' });
    const colleague = tenant.as({ actorId: randomUUID() });
    await expect(read(colleague)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await read(tenant)).toMatchObject({ id, name: 'a.txt' });
    await tenant.query(create, { input: { photo: id } });
    expect(await read(colleague.as({ role: 'VIEWER' }))).toMatchObject({ id });
    // A key with the id of a user is not that user.
    const free = await upload(tenant);
    const key = tenant.as({ actorKind: 'SERVICE' });
    expect((await key.refusal(create, { input: { photo: free } })).fields).toMatchObject([
      { field: 'photo', rule: 'file' },
    ]);
  });

  it('is what permissions leave: of rows, and of the field', async () => {
    await define(tenant);
    const [photo, scan, other] = [await upload(tenant), await upload(tenant), await upload(tenant)];
    await tenant.query(create, { input: { name: 'mine', photo, scan } });
    await tenant.query(create, { input: { name: 'other', scan: other } });
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

describe('a file that no record holds', () => {
  it('goes after a day: never attached, replaced, or left half way', async () => {
    await define(tenant);
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
    await tenant.query(create, { input: { photo: kept } });
    const { createContact } = await tenant.query(create, { input: { photo: replaced } });
    await tenant.query(
      'mutation ($id: ID!, $f: ID!) { updateContact(id: $id, input: { photo: $f }) { id } }',
      { id: createContact.id, f: next },
    );
    await files.removeLoose();
    expect(Object.keys(await states())).toHaveLength(5);

    await passADay();
    const young = await upload(tenant);
    // Two processes at once.
    await Promise.all([files.removeLoose(), fixture.createService().files!.removeLoose()]);
    expect(await states()).toEqual({ [kept]: 'ATTACHED', [next]: 'ATTACHED', [young]: 'READY' });
    expect(await contentsOf(tenant)).toHaveLength(3);
    expect((await tenant.refusal(create, { input: { photo: unused } })).fields).toMatchObject([
      { rule: 'file' },
    ]);
  });

  it('goes with its purged record, its deleted field, its deleted entity; not with a deleted record', async () => {
    await define(tenant);
    const ids = [
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
      await upload(tenant),
    ] as const;
    const [purged, inField, deleted, inEntity] = ids;
    const made = await Promise.all([
      tenant.query(create, { input: { scan: purged } }),
      tenant.query(create, { input: { photo: inField } }),
      tenant.query(create, { input: { scan: deleted } }),
      tenant.query(create, { input: { scan: inEntity } }),
    ]);
    const [first, , third] = made.map(({ createContact }) => createContact.id as string);
    await tenant.query('mutation ($ids: [ID!]!) { deleteContacts(ids: $ids) { id } }', {
      ids: [first, third],
    });
    await tenant.query('mutation ($id: ID!) { purgeContacts(ids: [$id]) }', { id: first });
    expect(await states()).toMatchObject({
      [purged]: 'DETACHED',
      [inField]: 'ATTACHED',
      [deleted]: 'ATTACHED',
    });
    await tenant.query('mutation { deleteField(entity: "contact", name: "photo") }');
    await expect
      .poll(states)
      .toMatchObject({ [inField]: 'DETACHED', [deleted]: 'ATTACHED', [inEntity]: 'ATTACHED' });
    await tenant.query('mutation { deleteEntity(name: "contact") }');
    await expect.poll(states).toEqual(Object.fromEntries(ids.map((id) => [id, 'DETACHED'])));
    await passADay();
    await files.removeLoose();
    expect([await states(), await contentsOf(tenant)]).toEqual([{}, []]);
  });

  it('goes with its tenant', async () => {
    await define(tenant);
    await tenant.query(create, { input: { photo: await upload(tenant) } });
    expect(await contentsOf(tenant)).toHaveLength(1);
    await fixture.superuser.query('delete from tenants where id = $1', [tenant.id]);
    await passADay();
    await files.removeLoose();
    expect([await states(), await contentsOf(tenant)]).toEqual([{}, []]);
  });

  it('is not brought back while it is being removed, and is removed when the store answers again', async () => {
    await define(tenant);
    const id = await upload(tenant);
    await passADay();
    const path = join(folder, tenant.id);
    // A folder that is no folder: nothing can be removed from it.
    await rename(path, `${path}.away`);
    await writeFile(path, '');
    await files.removeLoose();
    expect(await states()).toEqual({ [id]: 'REMOVING' });
    expect((await tenant.refusal(create, { input: { photo: id } })).fields).toMatchObject([{ rule: 'file' }]);
    await rm(path);
    await rename(`${path}.away`, path);
    await passADay();
    await files.removeLoose();
    expect([await states(), await contentsOf(tenant)]).toEqual([{}, []]);
  });
});

it('is attached once, whoever comes at the same moment', async () => {
  await define(tenant);
  const id = await upload(tenant);
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => tenant.send(create, { input: { photo: id } })),
  );
  expect(answers.filter((answer) => !answer.errors)).toHaveLength(1);
  for (const { errors } of answers)
    for (const error of errors ?? []) expect(error.extensions).toMatchObject({ code: 'CONFLICT' });
});

it('is found by its members, in the database as in memory', async () => {
  await define(tenant);
  const names = ['Résumé.TXT', 'resume.txt', 'b_%.png', 'ünï', 'x'.repeat(220), `${'x'.repeat(220)}Y`];
  for (const [i, name] of names.entries()) {
    const scan = await upload(tenant, 'z'.repeat(i), name);
    await tenant.query(create, { input: { name: String(i), scan } });
  }
  await tenant.query(create, { input: { name: 'none' } });
  const model = await fixture.service.definitions.models.get(tenant.claims, null);
  const entity = model.entityByName.get('contact')!;
  const context = { claims: tenant.claims, model, requestId: 'test' };
  const all = (await fixture.records.list(context, { entity, first: 100 })).edges.map((edge) => edge.record);
  const ids = all.map(({ data }) => (data['scan'] as { id?: string } | undefined)?.id ?? '');
  const texts = [...names, 'RESUME.txt', 'x', '', '%'];
  const comparisons: Record<string, unknown>[] = [
    { isNull: true },
    { isNull: false },
    ...ids
      .slice(0, 3)
      .flatMap((id) => [{ id: { eq: id } }, { id: { ne: id } }, { id: { in: [id, 'no id'] } }]),
    ...texts.flatMap((text) =>
      ['DEFAULT', 'INSENSITIVE'].flatMap((mode) =>
        ['eq', 'ne', 'contains', 'startsWith', 'endsWith', 'lt', 'gte'].map((operator) => ({
          name: { [operator]: text, mode },
        })),
      ),
    ),
    { name: { in: [names[0], names[4]], mode: 'INSENSITIVE' } },
    { contentType: { startsWith: 'text/' } },
    { contentType: { notIn: ['text/plain'] } },
    { size: { gt: 1, lte: 3 } },
    { size: { in: [0, 5] } },
    { size: { isNull: true } },
    { name: { isNull: false }, size: { lt: 4 } },
  ];
  for (const comparison of comparisons) {
    for (const filter of [{ scan: comparison }, { not: { scan: comparison } }]) {
      const matches = compilePredicate(model, entity, filter);
      const page = await fixture.records.list(context, { entity, filter, first: 100 });
      expect(
        page.edges.map((edge) => edge.record.id),
        JSON.stringify(filter),
      ).toEqual(all.filter((record) => matches(record) === true).map((record) => record.id));
    }
  }
});

it.each([
  ['{ scan: { createdAt: { isNull: true } } }', 'createdAt'],
  ['{ scan: { eq: "x" } }', 'eq'],
  ['{ scan: { size: { contains: "x" } } }', 'contains'],
])('cannot be compared by anything else: %s', async (filter, member) => {
  await define(tenant);
  const refused = await tenant.refusal(`{ contacts(filter: ${filter}) { totalCount } }`);
  expect(refused.message).toContain(member);
});
