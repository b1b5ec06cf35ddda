/**
 * Ids that follow from what is imported (UUID version 8), so that the same row becomes the same record however often it
 * is sent: an import that was killed between writing a batch and noting it down finds what it wrote.
 */
import { createHash } from 'node:crypto';

/** `transferId` is random, so nobody else's record has such an id. `name`: a line, or a foreign id. */
export function derivedId(transferId: string, name: string | number): string {
  const bytes = createHash('sha256').update(`${transferId}\n${name}`).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
