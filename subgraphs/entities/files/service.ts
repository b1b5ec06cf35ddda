/** Files of FILE fields, as resolvers and the content's routes use them. */
import type { Claims } from '#schema/claims.ts';
import { DomainError, type FieldError, invalidInput } from '#schema/errors.ts';
import type { FileContent, FileRequest } from '#schema/file-content.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { toFileFacts } from './file-facts.ts';
import { createFileAccess, type FileAccessOptions } from './file-access.ts';
import { cleanFileName } from './file-name.ts';
import { readContentType } from './content-types.ts';
import { createFileLinks, type FileLinks } from './file-links.ts';
import { type FileRecords, isUploader, type KnownFile } from './file-records.ts';
import type { FileStore } from './file-store.ts';
import { createLooseFileRemoval, looseHours } from './loose-files.ts';
import { receiveContent } from './receive-content.ts';
import { createTenantFiles, type TenantFiles } from './tenant-files.ts';

export interface FileLimits {
  /** Of one file. */
  readonly maxFileBytes: number;
  /** Of all files of a tenant. */
  readonly maxTenantBytes: number;
}

export interface FileServiceOptions extends FileAccessOptions {
  readonly fileRecords: FileRecords;
  readonly store: FileStore;
  /** SUBGRAPH_SECRET. */
  readonly secret: string;
  readonly limits: FileLimits;
  readonly logger: Logger;
}

export interface CreateUploadInput {
  readonly fileName: string;
  readonly contentType?: string | null;
  readonly size?: number | null;
}

export interface Upload {
  readonly id: string;
  readonly maxBytes: number;
  readonly expiresAt: Date;
}

export interface FileService extends AsyncDisposable {
  readonly content: FileContent;
  readonly links: FileLinks;
  readonly tenantFiles: TenantFiles;
  /** FORBIDDEN for who may not write records; BAD_USER_INPUT; QUOTA_EXCEEDED. */
  createUpload(claims: Claims, input: CreateUploadInput): Promise<Upload>;
  /** Removes what no record has held for a day; answers how much. Runs by itself too. */
  removeLoose(): Promise<number>;
}

/** Files of a tenant that no record holds. */
const maxLoose = 10_000;

/** Dispose it before the database. */
export function createFileService(options: FileServiceOptions): FileService {
  const { fileRecords, store, limits, logger } = options;
  const mayRead = createFileAccess(options);
  const removal = createLooseFileRemoval({ records: fileRecords, files: store, logger });
  removal.start();

  async function getRoom(claims: Claims): Promise<number> {
    const { bytes, loose } = await fileRecords.measure(claims);
    if (loose >= maxLoose) {
      const message = `${maxLoose} uploads are in no record yet: they go after ${looseHours} hours`;
      throw new DomainError('QUOTA_EXCEEDED', message);
    }
    return limits.maxTenantBytes - bytes;
  }

  async function getMaxBytes(claims: Claims, counted: number): Promise<number> {
    const { bytes } = await fileRecords.measure(claims);
    const room = limits.maxTenantBytes - bytes + counted;
    if (room <= 0) throw full(limits);
    return Math.min(limits.maxFileBytes, room);
  }

  async function find({ claims, fileId }: FileRequest): Promise<KnownFile | null> {
    const id = readId(fileId);
    return id === null ? null : fileRecords.find(claims, id);
  }

  async function getReadable(request: FileRequest): Promise<KnownFile> {
    assertTenantRole(request.claims, 'VIEWER');
    const file = await find(request);
    if (!file || !(await mayRead(request.claims, file, request.requestId))) throw unknownFile();
    return file;
  }

  return {
    links: createFileLinks(options.secret),
    removeLoose: () => removal.run(),
    tenantFiles: createTenantFiles({ fileRecords, store, getMaxBytes }),

    async createUpload(claims, input) {
      assertTenantRole(claims, 'USER');
      const file = readUpload(input, limits.maxFileBytes);
      const room = await getRoom(claims);
      if (room <= (file.size ?? 0)) throw full(limits);
      const { id, createdAt } = await fileRecords.insert(claims, { id: crypto.randomUUID(), ...file });
      return {
        id,
        maxBytes: file.size ?? Math.min(limits.maxFileBytes, room),
        expiresAt: new Date(createdAt.getTime() + looseHours * 3_600_000),
      };
    },

    content: {
      async put(upload) {
        const { claims } = upload;
        assertTenantRole(claims, 'USER');
        const file = await find(upload);
        if (!file || !isUploader(claims, file) || file.state === 'REMOVING') throw unknownFile();
        const maxBytes = await getMaxBytes(claims, file.size ?? 0);
        return toFileFacts(await receiveContent({ fileRecords, store, maxBytes }, upload, file));
      },

      async find(request) {
        return toFileFacts(await getReadable(request));
      },

      async read(request) {
        const file = await getReadable(request);
        const { claims, range } = request;
        const content =
          file.contentId === null ? null : await store.read(claims.tenantId ?? '', file.contentId, range);
        if (!content) throw unknownFile();
        return content.content;
      },
    },

    [Symbol.asyncDispose]: () => removal[Symbol.asyncDispose](),
  };
}

function readUpload(
  { fileName, contentType, size }: CreateUploadInput,
  maxBytes: number,
): { name: string; contentType: string | null; size: number | null } {
  const errors: FieldError[] = [];
  const complain = (field: string, rule: string, sentence: string): void => {
    errors.push({ field: `input.${field}`, rule, message: `input.${field} ${sentence}` });
  };
  const name = cleanFileName(fileName);
  if (name === null) complain('fileName', 'name', 'must be a name such as photo.jpg');
  const type = typeof contentType === 'string' ? readContentType(contentType) : null;
  if (typeof contentType === 'string' && type === null)
    complain('contentType', 'contentType', 'must be a media type such as image/png');
  if (typeof size === 'number') {
    if (!Number.isSafeInteger(size) || size < 0) complain('size', 'type', 'must be a whole number from 0');
    else if (size > maxBytes) complain('size', 'size', `must be at most ${maxBytes}, is ${size}`);
  }
  if (errors.length > 0) throw invalidInput(errors);
  return { name: name as string, contentType: type, size: size ?? null };
}

function full({ maxTenantBytes }: FileLimits): DomainError {
  return new DomainError('QUOTA_EXCEEDED', `The tenant's files may be ${maxTenantBytes} bytes in all`);
}

function unknownFile(): DomainError {
  return new DomainError('NOT_FOUND', 'There is no such file');
}
