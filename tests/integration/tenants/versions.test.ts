/** What gateways poll: every change of a tenant is seen, also one whose transaction was still open at the poll before. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createSubject, type Registered, type Subject } from './subject.ts';

let subject: Subject;
let tenant: Registered;
let other: Registered;

beforeAll(async () => {
  subject = await createSubject();
  tenant = await subject.register();
  other = await subject.register();
});
afterAll(() => subject?.[Symbol.asyncDispose]());

async function changedSince(since: string | null): Promise<{ ids: string[]; next: string }> {
  const { tenants, next } = await subject.identity.getVersions(since);
  return { ids: tenants.map((version) => version.tenantId), next };
}

it('are all tenants at first, then what changed', async () => {
  const first = await subject.identity.getVersions(null);
  expect(first.tenants.find((version) => version.tenantId === tenant.id)).toEqual({
    tenantId: tenant.id,
    slug: tenant.slug,
    status: 'ACTIVE',
    definitionsVersion: 1,
    authVersion: 2,
  });
  const quiet = await changedSince((await changedSince(first.next)).next);
  expect(quiet.ids).toEqual([]);
  await subject.store.tenants.setStatus(other.id, 'INACTIVE');
  const { tenants } = await subject.identity.getVersions(quiet.next);
  expect(tenants).toMatchObject([{ tenantId: other.id, status: 'INACTIVE' }]);
});

it('miss no change that was not committed yet, whatever committed meanwhile', async () => {
  const slow = new pg.Client({ connectionString: subject.url });
  await slow.connect();
  try {
    const { next } = await changedSince(null);
    await slow.query('begin');
    await slow.query(
      'update tenant_heads set auth_version = auth_version + 1, changed_xid = pg_current_xact_id() where tenant_id = $1',
      [tenant.id],
    );
    await subject.store.tenants.setStatus(other.id, 'ACTIVE');
    const during = await changedSince(next);
    expect(during.ids).toEqual([other.id]);
    await slow.query('commit');
    const after = await changedSince(during.next);
    expect(after.ids).toContain(tenant.id);
  } finally {
    await slow.end();
  }
});

it.each(['', '-1', 'nope', "0'; drop table tenants; --", '99999999999999999999'])(
  'start again after %j',
  async (since) => {
    expect((await changedSince(since)).ids.length).toBeGreaterThanOrEqual(2);
  },
);
