/** Where content is kept: of FILE fields, and of imports and exports. On disk (disk-files.ts), or S3-compatible (s3/). */
import { createHash } from 'node:crypto';
import type { ByteRange } from '#schema/file-content.ts';
import { DomainError } from '#schema/errors.ts';
import { readId } from '#subgraphs/model/values/choice.ts';

export type Bytes = AsyncIterable<Uint8Array>;

export interface FileStore {
  /**
   * Keeps what `bytes` yields. What was there before stays until all of it has arrived, and for good where `bytes` fails;
   * nobody ever reads a part of it. BAD_USER_INPUT (rule `size`) above `maxBytes`.
   */
  write(tenantId: string, contentId: string, bytes: Bytes, maxBytes: number): Promise<WrittenContent>;
  /** Null where there is none. `range` must lie within it. Ending the iteration, or destroying the stream, closes it. */
  read(tenantId: string, contentId: string, range?: ByteRange | null): Promise<StoredContent | null>;
  /** Fine where there is none. */
  remove(tenantId: string, contentId: string): Promise<void>;
  /** What writers that died have left half done since before `before`. Answers how much that was. */
  removeAbandoned(before: Date): Promise<number>;
}

export interface WrittenContent {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface StoredContent {
  /** Of all of it, whatever the range. */
  readonly bytes: number;
  readonly content: Bytes;
}

/** Ids are the only names: no text of a caller becomes part of a path or key. */
export function contentName(tenantId: string, contentId: string): { tenant: string; content: string } {
  const [tenant, content] = [readId(tenantId), readId(contentId)];
  if (tenant === null || content === null)
    throw new Error('Content is known by the ids of its tenant and its own');
  return { tenant, content };
}

/** Counts and hashes what passes, and ends it above `maxBytes`. `written` is to be read once it is at its end. */
export function measure(bytes: Bytes, maxBytes: number): { content: Bytes; written(): WrittenContent } {
  const hash = createHash('sha256');
  let total = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      total += chunk.length;
      if (total > maxBytes) throw tooLarge(maxBytes);
      hash.update(chunk);
      yield chunk;
    }
  }
  return { content: counted(), written: () => ({ bytes: total, sha256: hash.digest('hex') }) };
}

export function tooLarge(maxBytes: number): DomainError {
  const message = `The file is larger than ${maxBytes} bytes`;
  return new DomainError('BAD_USER_INPUT', message, { fields: [{ field: 'file', rule: 'size', message }] });
}
