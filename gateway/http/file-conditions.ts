/** Which part of a file a request asks for (RFC 9110): all of it, a range, or nothing, because the client has it. */
import type { IncomingHttpHeaders } from 'node:http';
import type { ByteRange } from '#schema/file-content.ts';

export type WantedPart =
  | { readonly kind: 'ALL' }
  | { readonly kind: 'RANGE'; readonly range: ByteRange }
  /** 304: the client's copy is the same. */
  | { readonly kind: 'SAME' }
  /** 416: no byte of the range is in the file. */
  | { readonly kind: 'OUTSIDE' };

/** `etag` with its quotes. Several ranges at once, and units that are not bytes, are answered with the whole file, as the specification allows. */
export function readWantedPart(headers: IncomingHttpHeaders, etag: string, size: number): WantedPart {
  if (headers['if-none-match'] !== undefined && isAmong(headers['if-none-match'], etag))
    return { kind: 'SAME' };
  const { range } = headers;
  const condition = headers['if-range'];
  if (range === undefined || (condition !== undefined && condition !== etag)) return { kind: 'ALL' };
  const [, from = '', to = ''] = /^bytes=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/.exec(range) ?? [];
  if (from === '' && to === '') return { kind: 'ALL' };
  // "-500": the last so many bytes.
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== '' && to !== '' && Number(to) < Number(from)) return { kind: 'ALL' };
  if (first >= size || (from === '' && Number(to) === 0)) return { kind: 'OUTSIDE' };
  return { kind: 'RANGE', range: { first, last } };
}

/** A weak mark means the same here: content never changes under one. */
function isAmong(header: string, etag: string): boolean {
  return header.split(',').some((item) => ['*', etag].includes(item.trim().replace(/^W\//, '')));
}
