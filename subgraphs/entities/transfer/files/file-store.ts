/** Where the content of transfers is kept. On disk (disk-files.ts); another store needs no more than this. */
import type { Bytes } from '../formats/text-source.ts';

export interface FileStore {
  /**
   * Keeps what `bytes` yields and answers how many they were. What was there before stays until all of it has arrived, and
   * for good where `bytes` fails. BAD_USER_INPUT above `maxBytes`.
   */
  write(tenantId: string, fileId: string, bytes: Bytes, maxBytes: number): Promise<number>;
  /** Null where there is none. Ending the iteration closes the file. */
  read(tenantId: string, fileId: string): Promise<StoredFile | null>;
  /** Fine where there is none. */
  remove(tenantId: string, fileId: string): Promise<void>;
}

export interface StoredFile {
  readonly bytes: number;
  readonly content: Bytes;
}
