import { describe, expect, it } from 'vitest';
import { createTenantTable } from '#gateway/graph/tenant-table.ts';
import type { TenantVersion, VersionsAnswer } from '#schema/subgraph-protocol.ts';

const version = (change: Partial<TenantVersion> = {}): TenantVersion => ({
  tenantId: 't1',
  slug: 'acme',
  status: 'ACTIVE',
  definitionsVersion: 1,
  authVersion: 1,
  ...change,
});
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A table that polls only when it is asked to, with answers in the test's hand. */
function setUp(answers: (VersionsAnswer | Error)[]) {
  const asked: (string | null)[] = [];
  const table = createTenantTable({
    identity: {
      async getVersions(since) {
        asked.push(since);
        const answer = answers.shift() ?? { tenants: [], next: 'end' };
        if (answer instanceof Error) throw answer;
        return answer;
      },
    },
    logger: silent,
    pollIntervalMs: 1_000_000,
  });
  return { table, asked };
}

describe('createTenantTable', () => {
  it('asks for everything, then for what changed since, and finds by id and slug', async () => {
    await using stack = new AsyncDisposableStack();
    const { table, asked } = setUp([
      { tenants: [version()], next: 'a' },
      { tenants: [version({ slug: 'acme-2', definitionsVersion: 2 })], next: 'b' },
    ]);
    stack.use(table);
    await table.refresh();
    await table.refresh();
    expect(asked.slice(0, 3)).toEqual([null, 'a', 'b']);
    expect(table.findById('t1')).toMatchObject({ slug: 'acme-2', definitionsVersion: 2 });
    expect(table.findBySlug('acme')).toBeUndefined();
    expect(table.findBySlug('acme-2')?.tenantId).toBe('t1');
  });

  it('tells listeners of changes only, and never goes back in time', async () => {
    const { table } = setUp([
      { tenants: [version({ definitionsVersion: 5 })], next: 'a' },
      { tenants: [version({ definitionsVersion: 5 })], next: 'b' },
      { tenants: [version({ definitionsVersion: 4 })], next: 'c' },
      { tenants: [version({ definitionsVersion: 5, status: 'SUSPENDED' })], next: 'd' },
    ]);
    await using stack = new AsyncDisposableStack();
    stack.use(table);
    const heard: string[] = [];
    table.subscribe((now, before) =>
      heard.push(`${before?.status ?? 'new'} → ${now.status} ${now.definitionsVersion}`),
    );
    for (let poll = 0; poll < 4; poll += 1) await table.refresh();
    expect(heard).toEqual(['new → ACTIVE 5', 'ACTIVE → SUSPENDED 5']);
  });

  it('asks from the same place again after a failure, and is ready only after a success', async () => {
    const { table, asked } = setUp([new Error('down'), { tenants: [version()], next: 'a' }]);
    await using stack = new AsyncDisposableStack();
    stack.use(table);
    expect(table.ready).toBe(false);
    await table.refresh();
    expect(asked.slice(0, 2)).toEqual([null, null]);
    expect(table.ready).toBe(true);
  });

  it('makes one poll for all who ask while one is running, begun after they asked', async () => {
    const { table, asked } = setUp([]);
    await using stack = new AsyncDisposableStack();
    stack.use(table);
    await Promise.all([table.refresh(), table.refresh(), table.refresh()]);
    expect(asked).toHaveLength(2);
  });
});

describe('hints', () => {
  it('bring the next poll forward, one for many', async () => {
    const { table, asked } = setUp([]);
    await using stack = new AsyncDisposableStack();
    stack.use(table);
    await table.refresh();
    const before = asked.length;
    for (let hint = 0; hint < 1_000; hint += 1) table.hint();
    await expect.poll(() => asked.length).toBe(before + 1);
  });
});
