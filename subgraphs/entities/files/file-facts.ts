/** What is told of a file. */
import type { FileFacts } from '#schema/file-content.ts';
import type { KnownFile } from './file-records.ts';

/** Of a file whose content has arrived. */
export function toFileFacts(
  file: Pick<KnownFile, 'id' | 'name' | 'contentType' | 'size' | 'sha256' | 'createdAt'>,
): FileFacts {
  return {
    id: file.id,
    name: file.name,
    contentType: file.contentType ?? 'application/octet-stream',
    size: file.size ?? 0,
    sha256: file.sha256 ?? '',
    createdAt: file.createdAt.toISOString(),
  };
}
