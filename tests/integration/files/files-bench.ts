/** The entities subgraph with files on disk, and an entity that holds some. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import type { FileService } from '#subgraphs/entities/files/service.ts';
import { createFileRecords } from '#subgraphs/entities/store/file-records.ts';
import { createEntitiesFixture, type EntitiesFixture, type EntitiesTenant } from '../entities/fixture.ts';

/** A file may have 1,000 bytes, a tenant's together 3,000. */
const limits = { maxFileBytes: 1_000, maxTenantBytes: 3_000 };

export interface FilesBench extends AsyncDisposable {
  readonly fixture: EntitiesFixture;
  readonly files: FileService;
  readonly folder: string;
  /** The id of a file that is there, and no record holds. */
  upload(of: EntitiesTenant, content?: string, fileName?: string): Promise<string>;
  /** Of every file of the tenant, by id. */
  states(of: EntitiesTenant): Promise<Record<string, string>>;
  /** Names of what lies on disk. */
  contentsOf(of: EntitiesTenant): Promise<string[]>;
  /** As if a day had passed. */
  passADay(): Promise<unknown>;
}

export async function createFilesBench(): Promise<FilesBench> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-files-'));
  const store = createDiskFiles(folder);
  const fixture = await createEntitiesFixture((database) => ({
    files: { store, limits, secret: 'a secret of this test', fileRecords: createFileRecords(database) },
  }));
  const { files } = fixture.service;
  if (!files) throw new Error('the service keeps no files');
  return {
    ...{ fixture, files, folder },
    async upload({ claims }, content = 'content', fileName = 'a.txt') {
      const { id } = await files.createUpload(claims, { fileName, contentType: 'text/plain' });
      await files.content.put({ claims, fileId: id, requestId: 'test', body: bytesOf(content) });
      return id;
    },
    async states({ id }) {
      const { rows } = await fixture.superuser.query('select id, state from files where tenant_id = $1', [
        id,
      ]);
      return Object.fromEntries(rows.map((row: { id: string; state: string }) => [row.id, row.state]));
    },
    contentsOf: ({ id }) => readdir(join(folder, id)).catch(() => []),
    passADay: () => fixture.superuser.query("update files set changed_at = changed_at - interval '25 hours'"),
    async [Symbol.asyncDispose]() {
      await fixture[Symbol.asyncDispose]();
      await rm(folder, { recursive: true });
    },
  };
}

export function defineContact(of: EntitiesTenant): Promise<unknown> {
  return of.createEntity({
    name: 'contact',
    fields: [
      { name: 'name', type: 'TEXT', isUnique: true },
      { name: 'photo', type: 'FILE', validation: { maxBytes: 100, contentTypes: ['text/*'] } },
      { name: 'scan', type: 'FILE' },
    ],
  });
}

export const createContact =
  'mutation ($input: CreateContactInput!) { createContact(input: $input) { id photo { id name } } }';

export async function* bytesOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
