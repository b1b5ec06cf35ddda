/** A file's rows in batches, after those that are settled already. */
import type { RowItem } from '../formats/source-row.ts';

/** As many as the store takes at once. */
export const batchSize = 1_000;

export interface RowBatch {
  readonly items: readonly RowItem[];
  /** The last row's. */
  readonly number: number;
}

export async function* readBatches(
  rows: AsyncIterable<RowItem>,
  options: { afterRow: number; size?: number },
): AsyncGenerator<RowBatch> {
  const size = options.size ?? batchSize;
  let items: RowItem[] = [];
  for await (const item of rows) {
    if (item.number <= options.afterRow) continue;
    items.push(item);
    if (items.length < size) continue;
    yield { items, number: item.number };
    items = [];
  }
  const last = items.at(-1);
  if (last) yield { items, number: last.number };
}

/** Counts what passes, for progress. */
export function countBytes(bytes: AsyncIterable<Uint8Array>): {
  content: AsyncIterable<Uint8Array>;
  readonly read: number;
} {
  let read = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      read += chunk.length;
      yield chunk;
    }
  }
  return {
    content: counted(),
    get read() {
      return read;
    },
  };
}
