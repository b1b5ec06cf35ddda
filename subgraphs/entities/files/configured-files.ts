/** The store of files that the configuration names. */
import { createDiskFiles } from './disk-files.ts';
import type { FilesConfig } from './files-config.ts';
import type { FileStore } from './file-store.ts';
import { createS3Files } from './s3/s3-files.ts';

/** `folder`: where files are kept without an S3-compatible store. Dispose it after whoever uses it. */
export function createConfiguredFiles({ s3 }: FilesConfig, folder: string): FileStore & AsyncDisposable {
  if (s3 !== null) return createS3Files(s3);
  return { ...createDiskFiles(folder), [Symbol.asyncDispose]: () => Promise.resolve() };
}
