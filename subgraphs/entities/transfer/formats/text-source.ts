/** A file's bytes as text: gzip is recognised and unpacked, a byte order mark read and removed. UTF-8 unless it says UTF-16. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unreadable } from './source-row.ts';

export type Bytes = AsyncIterable<Uint8Array>;

const gibibyte = 1024 ** 3;

/** Unpacked: a small file must not keep the server busy for hours. */
export const maxTextBytes = 16 * gibibyte;

/** Throws BAD_USER_INPUT for text that is not in its encoding, for broken gzip and for more than `maxBytes` unpacked. */
export async function* readText(bytes: Bytes, maxBytes = maxTextBytes): AsyncGenerator<string> {
  let decoder: TextDecoder | null = null;
  let total = 0;
  for await (const chunk of unpack(bytes)) {
    total += chunk.length;
    if (total > maxBytes) throw unreadable('size', `The file holds more than ${maxBytes} bytes of text`);
    decoder ??= new TextDecoder(encodingOf(chunk), { fatal: true });
    const text = decode(decoder, chunk);
    if (text !== '') yield text;
  }
  const rest = decoder ? decode(decoder) : '';
  if (rest !== '') yield rest;
}

function decode(decoder: TextDecoder, chunk?: Uint8Array): string {
  try {
    return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
  } catch (cause) {
    throw unreadable('encoding', `The file is not ${decoder.encoding.toUpperCase()} text`, cause);
  }
}

function encodingOf(chunk: Uint8Array): string {
  if (chunk[0] === 0xff && chunk[1] === 0xfe) return 'utf-16le';
  if (chunk[0] === 0xfe && chunk[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

/** The first chunk is long enough for a byte order mark, where the file is. */
async function* unpack(bytes: Bytes): AsyncGenerator<Uint8Array> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  let isAtEnd = false;
  while (head.length < 4 && !isAtEnd) {
    const step = await iterator.next();
    if (step.done) isAtEnd = true;
    else head = head.length === 0 ? step.value : Buffer.concat([head, step.value]);
  }
  const whole = rejoin(head, isAtEnd ? null : iterator);
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole;
    return;
  }
  const gunzip = createGunzip();
  // Ends and fails together with what it reads; the failure reaches whoever reads `gunzip`.
  pipeline(Readable.from(whole), gunzip, () => {});
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array;
  } catch (cause) {
    const code = (cause as { code?: unknown }).code;
    if (typeof code === 'string' && code.startsWith('Z_')) {
      throw unreadable('gzip', 'The compressed file is broken or cut off', cause);
    }
    throw cause;
  }
}

async function* rejoin(
  head: Uint8Array,
  iterator: AsyncIterator<Uint8Array> | null,
): AsyncGenerator<Uint8Array> {
  try {
    if (head.length > 0) yield head;
    if (!iterator) return;
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value;
  } finally {
    await iterator?.return?.();
  }
}
