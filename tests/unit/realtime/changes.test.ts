import { describe, expect, it } from 'vitest';
import type { ChangeOperation } from '#schema/events.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import { createBatchedMatch } from '#subgraphs/realtime/changes/batched-match.ts';
import { createTouchTest } from '#subgraphs/realtime/changes/filter-keys.ts';
import { edgeOf, mayBeWanted, toldAs } from '#subgraphs/realtime/changes/operations.ts';
import { createNextFlight } from '#subgraphs/realtime/log/next-flight.ts';
import { RecentEntries } from '#subgraphs/realtime/log/recent-entries.ts';
import type { LogEntry } from '#subgraphs/realtime/log/feed.ts';

describe("a filter's edge", () => {
  it.each([
    [true, true, 'UPDATED'],
    [false, true, 'ENTERED'],
    [true, false, 'LEFT'],
    [false, false, null],
  ] as const)('before %s, after %s: %s', (before, after, operation) => {
    expect(edgeOf(before, after, true)).toBe(operation);
    expect(edgeOf(before, after, false)).toBe(operation);
  });

  it('counts as inside before where nothing tells and the update touched what the filter looks at', () => {
    expect(edgeOf('NEEDS_STORE', true, true)).toBe('UPDATED');
    expect(edgeOf('NEEDS_STORE', true, false)).toBe('UPDATED');
    expect(edgeOf('NEEDS_STORE', false, true)).toBe('LEFT');
    expect(edgeOf('NEEDS_STORE', false, false)).toBeNull();
  });

  it('is told to who asked for it; entering as UPDATED to who asked for that alone', () => {
    const wanted = (...operations: ChangeOperation[]) => new Set(operations);
    expect(toldAs('ENTERED', null)).toBe('ENTERED');
    expect(toldAs('ENTERED', wanted('ENTERED', 'UPDATED'))).toBe('ENTERED');
    expect(toldAs('ENTERED', wanted('UPDATED'))).toBe('UPDATED');
    expect(toldAs('ENTERED', wanted('CREATED'))).toBeNull();
    expect(toldAs('LEFT', wanted('UPDATED'))).toBeNull();
    expect(toldAs('LEFT', wanted('LEFT'))).toBe('LEFT');
    expect(toldAs(null, null)).toBeNull();
  });

  it('is a reason to look at updates', () => {
    expect(mayBeWanted('UPDATED', new Set(['LEFT']))).toBe(true);
    expect(mayBeWanted('UPDATED', new Set(['CREATED']))).toBe(false);
    expect(mayBeWanted('CREATED', new Set(['ENTERED']))).toBe(false);
    expect(mayBeWanted('CREATED', null)).toBe(true);
  });
});

describe('what a filter looks at', () => {
  const comparison = (subject: unknown): FilterNode =>
    ({
      kind: 'comparison',
      comparison: 'TEXT',
      subject,
      operator: 'eq',
      value: 'x',
      isInsensitive: false,
    }) as FilterNode;

  it('is the keys of its fields, at any depth, but not those of related records', () => {
    const touched = createTouchTest({
      kind: 'all',
      nodes: [
        { kind: 'not', node: { kind: 'any', nodes: [comparison({ key: 'name' })] } },
        {
          kind: 'to-one',
          field: { key: 'company' },
          target: {},
          node: comparison({ key: 'size' }),
        } as unknown as FilterNode,
        {
          kind: 'to-many',
          field: { key: 'owner' },
          entity: {},
          node: comparison({ key: 'price' }),
        } as unknown as FilterNode,
        comparison('createdAt'),
      ],
    });
    expect(touched(['name'])).toBe(true);
    expect(touched(['other', 'company'])).toBe(true);
    expect(touched(['size', 'owner', 'price', 'createdAt'])).toBe(false);
    expect(touched([])).toBe(false);
  });

  it('is touched by every update where it looks at the version or the time of the last change', () => {
    expect(createTouchTest(comparison('version'))([])).toBe(true);
    expect(createTouchTest(comparison('updatedAt'))(['any'])).toBe(true);
  });
});

it('asks once about all ids of a turn', async () => {
  const asked: string[][] = [];
  const matches = createBatchedMatch<string>(async (ids) => {
    asked.push([...ids]);
    return new Set(ids.filter((id) => id !== 'b'));
  });
  expect(await Promise.all([matches('a'), matches('b'), matches('a')])).toEqual([true, false, true]);
  expect(await matches('c')).toBe(true);
  expect(asked).toEqual([['a', 'b'], ['c']]);
});

it('fails all who asked in a turn, and none of the next', async () => {
  let calls = 0;
  const matches = createBatchedMatch(async (ids) => {
    calls += 1;
    if (calls === 1) throw new Error('no answer');
    return new Set(ids);
  });
  const outcomes = await Promise.allSettled([matches('a'), matches('b')]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await matches('a')).toBe(true);
});

it('shares a read among those who ask, but gives nobody an answer older than the question', async () => {
  const reads: PromiseWithResolvers<number>[] = [];
  const read = createNextFlight(() => {
    const next = Promise.withResolvers<number>();
    reads.push(next);
    return next.promise;
  });
  const first = [read(), read()];
  await Promise.resolve();
  const later = [read(), read()];
  expect(reads).toHaveLength(1);
  reads[0]?.resolve(1);
  expect(await Promise.all(first)).toEqual([1, 1]);
  await Promise.resolve();
  expect(reads).toHaveLength(2);
  reads[1]?.reject(new Error('failed'));
  expect((await Promise.allSettled(later)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  const again = read();
  await new Promise(setImmediate);
  reads[2]?.resolve(3);
  expect(await again).toBe(3);
});

describe('the recent end of a log', () => {
  const entry = (seq: number, bytes = 1): LogEntry => ({ event: { seq }, bytes }) as LogEntry;
  const seqs = (entries: LogEntry[]) => entries.map(({ event }) => event.seq);

  it('keeps the newest, by count', () => {
    const recent = new RecentEntries(5, { count: 3, bytes: 100 });
    expect(recent.since(5)).toEqual([]);
    for (let seq = 6; seq <= 500; seq += 1) recent.add(entry(seq));
    expect(recent.start).toBe(497);
    expect(seqs(recent.since(497))).toEqual([498, 499, 500]);
    expect(seqs(recent.since(499))).toEqual([500]);
    expect(recent.since(500)).toEqual([]);
    expect(recent.since(600)).toEqual([]);
  });

  it('keeps the newest, by size; one that is too large is not kept', () => {
    const recent = new RecentEntries(0, { count: 100, bytes: 10 });
    recent.add(entry(1, 4));
    recent.add(entry(2, 4));
    recent.add(entry(3, 4));
    expect(seqs(recent.since(recent.start))).toEqual([2, 3]);
    recent.add(entry(4, 50));
    expect(recent.start).toBe(4);
    recent.add(entry(5, 1));
    expect(seqs(recent.since(4))).toEqual([5]);
  });

  it('begins anew', () => {
    const recent = new RecentEntries(0, { count: 100, bytes: 10 });
    recent.add(entry(1));
    recent.restart(40);
    recent.add(entry(41));
    expect([recent.start, seqs(recent.since(40))]).toEqual([40, [41]]);
  });
});
