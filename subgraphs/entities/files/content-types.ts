/** What a file is: what it says of itself, and what its first bytes say. */
import { DomainError, type FieldError } from '#schema/errors.ts';

/** How many of the first bytes are looked at. */
export const sniffedBytes = 16;

const unknownType = 'application/octet-stream';

/** "image/png; charset=x" → "image/png"; null for what is no media type. */
export function readContentType(text: string): string | null {
  const type = (text.split(';')[0] ?? '').trim().toLowerCase();
  return type.length <= 127 && /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/.test(type)
    ? type
    : null;
}

const ascii = (text: string, at: number) => (head: Buffer) =>
  head.subarray(at, at + text.length).toString('latin1') === text;
const bytes =
  (...values: number[]) =>
  (head: Buffer) =>
    values.every((value, index) => head[index] === value);
const both =
  (...tests: ((head: Buffer) => boolean)[]) =>
  (head: Buffer) =>
    tests.every((test) => test(head));

/** Types that are known by how they begin. Only pages that show images rely on it: the rest is served as it says it is. */
const signatures: Readonly<Record<string, (head: Buffer) => boolean>> = {
  'image/png': bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
  'image/jpeg': bytes(0xff, 0xd8, 0xff),
  'image/gif': (head) => ascii('GIF87a', 0)(head) || ascii('GIF89a', 0)(head),
  'image/webp': both(ascii('RIFF', 0), ascii('WEBP', 8)),
  'image/avif': both(ascii('ftyp', 4), (head) => /^avi[fs]/.test(head.subarray(8, 12).toString('latin1'))),
  'application/pdf': ascii('%PDF-', 0),
};

/**
 * The type of a file that says it is `said` (null: nothing) and begins with `head`. BAD_USER_INPUT (rule `contentType`)
 * where its beginning shows that it is not.
 */
export function decideContentType(said: string | null, head: Buffer): string {
  if (said === null) {
    return Object.keys(signatures).find((type) => signatures[type]?.(head)) ?? unknownType;
  }
  if (signatures[said]?.(head) ?? true) return said;
  const message = `The file says it is ${said}, and does not begin as one`;
  const fields: FieldError[] = [{ field: 'file', rule: 'contentType', message }];
  throw new DomainError('BAD_USER_INPUT', message, { fields });
}
