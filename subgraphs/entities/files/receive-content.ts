/** The content of an upload arrives: looked at, kept, and noted down, or nothing of it. */
import { DomainError } from '#schema/errors.ts';
import type { FileUpload } from '#schema/file-content.ts';
import { decideContentType, sniffedBytes } from './content-types.ts';
import type { FileRecords, KnownFile } from './file-records.ts';
import type { Bytes, FileStore } from './file-store.ts';

export interface ReceivingOptions {
  readonly fileRecords: Pick<FileRecords, 'begin' | 'complete'>;
  readonly store: Pick<FileStore, 'write' | 'remove'>;
  readonly maxBytes: number;
}

/** CONFLICT where it has its content, or another upload of it began meanwhile. BAD_USER_INPUT as in the contract. */
export async function receiveContent(
  { fileRecords, store, maxBytes }: ReceivingOptions,
  { claims, body }: FileUpload,
  file: KnownFile,
): Promise<KnownFile> {
  const tenantId = claims.tenantId ?? '';
  if (file.state !== 'PENDING') throw complete();
  // Kept under an id that is noted down first: what an upload leaves behind that is cut off here is found and removed.
  const contentId = crypto.randomUUID();
  if (!(await fileRecords.begin(claims, file.id, contentId))) throw complete();
  try {
    let contentType: string | null = null;
    const beginning = withBeginning(body, (head) => {
      contentType = decideContentType(file.contentType, head);
    });
    const said = file.size ?? maxBytes;
    const { bytes, sha256 } = await store.write(tenantId, contentId, beginning, Math.min(said, maxBytes));
    if (file.size !== null && bytes !== file.size) throw wrongSize(file.size, bytes);
    const facts = { contentId, contentType: contentType ?? '', size: bytes, sha256 };
    const completed = await fileRecords.complete(claims, file.id, facts);
    if (!completed) throw complete();
    return completed;
  } catch (error) {
    await store.remove(tenantId, contentId);
    throw error;
  }
}

/** The same bytes; `look` is given the first of them, as many as there are up to `sniffedBytes`, before any is passed on. */
async function* withBeginning(bytes: Bytes, look: (head: Buffer) => void): AsyncGenerator<Uint8Array> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of bytes) {
    if (head === null) {
      yield chunk;
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < sniffedBytes) continue;
    look(head.subarray(0, sniffedBytes));
    yield head;
    head = null;
  }
  if (head === null) return;
  look(head);
  if (head.length > 0) yield head;
}

function complete(): DomainError {
  return new DomainError('CONFLICT', 'The file has its content, or is being uploaded: begin another upload');
}

function wrongSize(said: number, is: number): DomainError {
  const message = `The file was said to have ${said} bytes, and has ${is}`;
  return new DomainError('BAD_USER_INPUT', message, { fields: [{ field: 'file', rule: 'size', message }] });
}
