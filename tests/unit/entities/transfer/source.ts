/** Files for tests of readers, given in pieces. */
import type { Bytes } from '#subgraphs/entities/transfer/formats/text-source.ts';
import { type FileShape, readRows } from '#subgraphs/entities/transfer/formats/read-rows.ts';
import type { RowItem } from '#subgraphs/entities/transfer/formats/source-row.ts';

/** The bytes of a text (or bytes as they are) in pieces of `size`. */
export async function* piecesOf(content: string | Uint8Array, size = 7): Bytes & AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export function rowsOf(
  content: string | Uint8Array,
  shape: Partial<FileShape> & Pick<FileShape, 'format'>,
  size?: number,
): Promise<RowItem[]> {
  return collect(readRows(piecesOf(content, size), { delimiter: null, ...shape }));
}

export async function valuesOf(
  content: string | Uint8Array,
  shape: Partial<FileShape> & Pick<FileShape, 'format'>,
  size?: number,
): Promise<unknown[]> {
  return (await rowsOf(content, shape, size)).map((row) => ('values' in row ? row.values : row.problem.rule));
}
