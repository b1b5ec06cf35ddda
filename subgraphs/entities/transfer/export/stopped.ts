/** How the writer of a file learns that nobody wants it any more. */

/** Thrown inside a file's source: what was written of the file is dropped. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Text in UTF-8, as it comes. */
export async function* toBytes(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const text of texts) if (text !== '') yield Buffer.from(text);
}
