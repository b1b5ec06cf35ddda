/** Files as a whole tenant's export takes them along, and its import brings them. */
import type { Claims } from '#schema/claims.ts';
import type { FileFacts } from '#schema/file-content.ts';
import { toFileFacts } from './file-facts.ts';
import type { FileRecords } from './file-records.ts';
import type { Bytes, FileStore } from './file-store.ts';
import { receiveContent } from './receive-content.ts';

export interface TenantFiles {
  /** Those of `ids` that records hold and that are there, one after the other; each is to be read before the next. */
  read(claims: Claims, ids: readonly string[]): AsyncIterable<{ facts: FileFacts; content: Bytes }>;
  /**
   * Keeps a file under an id that the caller made, as the caller's own upload. Nothing is read of `content` where it is
   * there already. BAD_USER_INPUT for one that is too large or is not what it says, QUOTA_EXCEEDED.
   */
  bring(
    claims: Claims,
    file: Pick<FileFacts, 'id' | 'name' | 'contentType' | 'size'>,
    content: Bytes,
  ): Promise<void>;
}

export interface TenantFilesOptions {
  readonly fileRecords: FileRecords;
  readonly store: FileStore;
  /** How large a file of the tenant may be, of which `counted` bytes are counted already. Throws QUOTA_EXCEEDED. */
  getMaxBytes(claims: Claims, counted: number): Promise<number>;
}

export function createTenantFiles({ fileRecords, store, getMaxBytes }: TenantFilesOptions): TenantFiles {
  return {
    async *read(claims, ids) {
      for (const file of await fileRecords.findAttached(claims, ids)) {
        const content =
          file.contentId === null ? null : await store.read(claims.tenantId ?? '', file.contentId);
        if (content) yield { facts: toFileFacts(file), content: content.content };
      }
    },

    async bring(claims, { id, name, contentType, size }, content) {
      const file = await fileRecords.insert(claims, { id, name, contentType, size });
      if (file.state !== 'PENDING') return;
      const maxBytes = await getMaxBytes(claims, size);
      const upload = { claims, fileId: id, requestId: '', body: content };
      await receiveContent({ fileRecords, store, maxBytes }, upload, file);
    },
  };
}
