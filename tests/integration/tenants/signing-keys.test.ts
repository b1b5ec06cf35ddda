/** Keys of access tokens: encrypted at rest, rotated, published until their last token has expired. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createControlDatabase } from '#prisma/control-database.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createSigningKeys } from '#subgraphs/tenants/auth/signing-keys.ts';
import { createSigningKeyRows, type SigningKeyRows } from '#subgraphs/tenants/store/signing-key-rows.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

const cleanup = new AsyncDisposableStack();
const secret = 'one secret of the platform';
const logger = createLogger('silent');
const dayMs = 24 * 60 * 60 * 1000;
let rows: SigningKeyRows;
let admin: pg.Client;

beforeAll(async () => {
  const database = cleanup.use(await createTestDatabase());
  rows = createSigningKeyRows(cleanup.use(createControlDatabase(database)));
  admin = cleanup.adopt(new pg.Client({ connectionString: database.url }), (client) => client.end());
  await admin.connect();
});
afterAll(() => cleanup.disposeAsync());

it('makes one key, however many processes start at once', async () => {
  const made = await Promise.all(
    Array.from({ length: 6 }, () => createSigningKeys({ rows, secret, logger }).getCurrent()),
  );
  expect(new Set(made.map((key) => key.kid)).size).toBe(1);
});

it('keeps the private half unreadable', async () => {
  const { rows: kept } = await admin.query('select private_jwe, public_jwk from signing_keys');
  expect(kept).toHaveLength(1);
  expect(kept[0].private_jwe.split('.')).toHaveLength(5);
  expect(kept[0].public_jwk).not.toHaveProperty('d');
});

it('rotates after 30 days, and publishes the old key until its last token has expired', async () => {
  const before = await createSigningKeys({ rows, secret, logger }).getCurrent();
  const later = createSigningKeys({ rows, secret, logger, now: () => Date.now() + 31 * dayMs });
  const after = await later.getCurrent();
  expect(after.kid).not.toBe(before.kid);
  const kids = async (atMs: number) => {
    const { keys } = await createSigningKeys({ rows, secret, logger, now: () => atMs }).getJwks();
    return keys.map((key) => key['kid']);
  };
  expect(await kids(Date.now() + 15 * 60 * 1000)).toEqual([after.kid, before.kid]);
  expect(await kids(Date.now() + 18 * 60 * 1000)).toEqual([after.kid]);
});

it('makes another key where the secret is another, and does not go on with what it cannot open', async () => {
  const before = await createSigningKeys({ rows, secret, logger }).getCurrent();
  const other = await createSigningKeys({ rows, secret: 'another secret', logger }).getCurrent();
  expect(other.kid).not.toBe(before.kid);
  expect((await createSigningKeys({ rows, secret: 'another secret', logger }).getCurrent()).kid).toBe(
    other.kid,
  );
});

it('tries again after the database failed', async () => {
  let failing = true;
  const keys = createSigningKeys({
    rows: { ...rows, findCurrent: () => (failing ? Promise.reject(new Error('away')) : rows.findCurrent()) },
    secret: 'another secret',
    logger,
  });
  await expect(keys.getCurrent()).rejects.toThrow('away');
  failing = false;
  await expect(keys.getCurrent()).resolves.toHaveProperty('kid');
});
