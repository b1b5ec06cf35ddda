import { describe, expect, it } from 'vitest';
import type { EventPage, StoredEvent } from '#subgraphs/realtime/log/event-store.ts';
import { OlderPages } from '#subgraphs/realtime/log/older-pages.ts';

const stored = (seq: number): StoredEvent => ({ event: { seq }, bytes: 1 }) as StoredEvent;

/** A log of so many events, in pages of ten; pages from `cutAt` on are ended early, by their size. */
function createLog(length: number, cutAt = Number.POSITIVE_INFINITY): { pages: OlderPages; reads: number[] } {
  const reads: number[] = [];
  const pages = new OlderPages(async (after): Promise<EventPage> => {
    reads.push(after);
    const count = Math.min(after >= cutAt ? 3 : 10, Math.max(0, length - after));
    await Promise.resolve();
    return { events: Array.from({ length: count }, (_, index) => stored(after + index + 1)), isCut: true };
  }, 10);
  return { pages, reads };
}

async function follow(pages: OlderPages, from: number, to: number): Promise<number[]> {
  const seqs: number[] = [];
  while ((seqs.at(-1) ?? from) < to) {
    const events = await pages.read(seqs.at(-1) ?? from);
    if (events.length === 0) break;
    seqs.push(...events.map(({ event }) => event.seq));
  }
  return seqs;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('pages of older events', () => {
  it('follow each other without a gap, wherever one begins', async () => {
    for (const cutAt of [0, 20, 1_000]) {
      const { pages } = createLog(100, cutAt);
      const starts = [0, 1, 7, 9, 10, 33, 98, 99];
      const all = await Promise.all(starts.map((start) => follow(pages, start, 100)));
      for (const [index, start] of starts.entries()) expect(all[index]).toEqual(range(start + 1, 100));
    }
  });

  it('are read once for many who ask at nearby places', async () => {
    const { pages, reads } = createLog(100);
    const starts = Array.from({ length: 200 }, (_, index) => index % 5);
    for (const seqs of await Promise.all(starts.map((start) => follow(pages, start, 100)))) {
      expect(seqs.at(-1)).toBe(100);
    }
    expect(reads.length).toBeLessThanOrEqual(12);
  });

  it('are not many: the least recently used go', async () => {
    const { pages, reads } = createLog(10_000);
    await follow(pages, 0, 1_000);
    reads.length = 0;
    await pages.read(0);
    await pages.read(995);
    expect(reads).toEqual([0]);
  });

  it('are read anew where the log has grown, or reading failed', async () => {
    let length = 3;
    let fails = false;
    const pages = new OlderPages(async (after) => {
      if (fails) throw new Error('the database is gone');
      return { events: range(after + 1, length).map(stored), isCut: false };
    }, 10);
    expect(await pages.read(0)).toHaveLength(3);
    length = 5;
    expect((await pages.read(3)).map(({ event }) => event.seq)).toEqual([4, 5]);
    fails = true;
    await expect(pages.read(5)).rejects.toThrow('gone');
    fails = false;
    length = 6;
    expect((await pages.read(5)).map(({ event }) => event.seq)).toEqual([6]);
  });
});
