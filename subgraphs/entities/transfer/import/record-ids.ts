/**
 * Ids that follow from what is imported (UUID version 8), so that the same row becomes the same record however often it
 * is sent: an import that was killed between writing a batch and noting it down finds what it wrote.
 */
import { createHash } from 'node:crypto';

function digest(transferId: string, name: string | number): Buffer {
  return createHash('sha256').update(`${transferId}\n${name}`).digest().subarray(0, 16);
}

function toUuid(bytes: Buffer): string {
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** For something that has a name of its own: another tenant's record. `transferId` is random, so nobody else has such an id. */
export function derivedId(transferId: string, name: string): string {
  return toUuid(digest(transferId, name));
}

/**
 * For a row of a file. Begins as an id made now would, with the transfer's time in milliseconds, then the row's number: rows
 * written at one moment stay in the file's order, and lie side by side in the index. 40 bits are the digest's.
 */
export function rowId(transfer: { id: string; createdAt: Date }, number: number): string {
  const bytes = digest(transfer.id, number);
  bytes.writeUIntBE(transfer.createdAt.getTime(), 0, 6);
  bytes.writeUInt16BE(Math.floor(number / 2 ** 22) & 0x0fff, 6);
  bytes.writeUIntBE(number % 2 ** 22, 8, 3);
  return toUuid(bytes);
}
