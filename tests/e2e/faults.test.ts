/** The product while its PostgreSQL and its Redis fail under load: an answer or a code to everybody, and recovery by itself. */
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Answer, Client } from '#tests/harness/client.ts';
import { createTestDatabase } from '#tests/harness/database.ts';
import { startProduct, type Product } from '#tests/harness/product.ts';
import { startRedis, type RedisServer } from '#tests/harness/redis-server.ts';
import { registerTenant } from '#tests/harness/tenant.ts';

const cleanup = new AsyncDisposableStack();
const callers = 6;
const read = '{ notes(first: 5) { nodes { id text createdBy { email } } } }';
const write = 'mutation ($text: String!) { createNote(input: { text: $text }) { id } }';
let product: Product;
let admin: Client;
let database: pg.Client;
let redis: RedisServer | null = null;

beforeAll(async () => {
  const test = cleanup.use(await createTestDatabase());
  redis = await startRedis();
  product = cleanup.use(
    await startProduct({
      env: {
        DATABASE_URL: test.url,
        SUBGRAPH_SECRET: 'a-secret-of-this-test-0123456789',
        REDIS_URL: redis?.url,
      },
    }),
  );
  admin = (await registerTenant(product)).admin;
  await admin.query(
    'mutation { createEntity(input: { name: "note", fields: [{ name: "text", type: TEXT }] }) { id } }',
  );
  database = new pg.Client(test.url);
  await database.connect();
  cleanup.defer(() => database.end());
});
afterAll(async () => {
  await cleanup.disposeAsync();
  await redis?.[Symbol.asyncDispose]();
});

/** Readers and writers ask without a pause until `work` is done and each has had an answer since. */
async function whileAsked(
  work: () => Promise<void>,
): Promise<{ answers: Answer<unknown>[]; written: string[] }> {
  const answers: Answer<unknown>[] = [];
  const written: string[] = [];
  let isOver = false;
  const caller = async (number: number): Promise<void> => {
    for (let round = 0, last = false; !last; round++) {
      last = isOver;
      const text = `${number} ${round} ${crypto.randomUUID()}`;
      const answer = await (number % 2 === 0 ? admin.send(read) : admin.send(write, { text }));
      answers.push(answer);
      if (number % 2 === 1 && !answer.errors) written.push(text);
    }
  };
  const asked = Promise.all(Array.from({ length: callers }, (_, number) => caller(number)));
  await work();
  isOver = true;
  await asked;
  return { answers, written };
}

function expectCodes(answers: readonly Answer<unknown>[]): void {
  for (const { status, errors = [] } of answers) {
    expect([200, 503]).toContain(status);
    for (const { message, extensions } of errors) {
      expect(['INTERNAL_SERVER_ERROR', 'SUBGRAPH_UNAVAILABLE', 'GATEWAY_TIMEOUT']).toContain(extensions.code);
      expect(message).not.toMatch(/terminat|connection|ECONN|postgres|127\.0\.0\.1|57P0/i);
    }
  }
}

async function textsStored(): Promise<Set<string>> {
  const { rows } = await database.query<{ text: string }>(
    "select r.data ->> f.key as text from records r join field_definitions f on f.entity_id = r.entity_id and f.name = 'text'",
  );
  return new Set(rows.map(({ text }) => text));
}

it('answers everybody while PostgreSQL ends all connections, loses nothing that it said was written, and goes on', async () => {
  const { answers, written } = await whileAsked(async () => {
    for (let round = 0; round < 5; round++) {
      const { rowCount } = await database.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
      );
      expect(rowCount).toBeGreaterThan(0);
      // Somebody is answered again before the next blow.
      await expect.poll(async () => (await admin.send(read)).errors, { timeout: 20_000 }).toBeUndefined();
    }
  });
  expectCodes(answers);
  const stored = await textsStored();
  expect(written.filter((text) => !stored.has(text))).toEqual([]);
  expect(written.length).toBeGreaterThan(0);
  const after = await whileAsked(async () => {});
  expect(after.answers.filter(({ errors }) => errors)).toEqual([]);
});

it('answers everybody while Redis is gone, and when it is back', async ({ skip }) => {
  if (redis === null) skip('there is no redis-server on the PATH');
  const port = Number(new URL(redis?.url ?? 'redis://x:1').port);
  const { answers } = await whileAsked(async () => {
    await redis?.[Symbol.asyncDispose]();
    await admin.query(
      'mutation { createField(entity: "note", input: { name: "mood", type: TEXT }) { name } }',
    );
    expect(await admin.query('{ notes(first: 1) { nodes { mood } } }')).toBeDefined();
    redis = await startRedis(port);
    await admin.query(
      'mutation { createField(entity: "note", input: { name: "size", type: TEXT }) { name } }',
    );
    expect(await admin.query('{ notes(first: 1) { nodes { size } } }')).toBeDefined();
  });
  expect(answers.filter(({ errors }) => errors)).toEqual([]);
});
