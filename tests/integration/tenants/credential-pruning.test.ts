/** Ended sessions, replaced tokens and retired keys go in the background; what may still be used stays. */
import pg from 'pg';
import { expect, it } from 'vitest';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createCredentialPruning } from '#subgraphs/tenants/auth/credential-pruning.ts';
import { createSubject, operator, password } from './subject.ts';

it('removes what ended long ago, of tenants and operators, in batches, and nothing else', async () => {
  await using subject = await createSubject();
  await using opened = new AsyncDisposableStack();
  const admin = opened.adopt(new pg.Client({ connectionString: subject.url }), (client) => client.end());
  await admin.connect();
  const tenant = await subject.register();
  const signIn = { email: tenant.adminEmail, password, tenant: tenant.slug };
  for (let n = 0; n < 5; n++) await subject.signIn(signIn);
  await subject.signIn(operator);
  await admin.query(
    `update sessions set expires_at = now() - interval '31 days' where id in (select id from sessions order by id limit 3)`,
  );
  await admin.query(
    `update sessions set revoked_at = now() - interval '31 days' where operator_id is not null`,
  );
  await admin.query(
    `update sessions set revoked_at = now() where id = (select id from sessions where user_id is not null order by id desc limit 1)`,
  );
  await admin.query(
    `insert into refresh_tokens (hash, session_id, replaced_at) select sha256(n::text::bytea), (select id from sessions where user_id is not null order by id desc limit 1), now() - n * interval '20 days' from generate_series(1, 2) n`,
  );
  await admin.query(
    `insert into signing_keys (kid, public_jwk, private_jwe, retired_at) values ('old', '{}', '', now() - interval '31 days'), ('recent', '{}', '', now())`,
  );
  const count = async (from: string): Promise<number> =>
    Number((await admin.query<{ count: string }>(`select count(*) from ${from}`)).rows[0]?.count);
  const [sessions, keys] = [await count('sessions'), await count('signing_keys')];

  await using pruning = createCredentialPruning({
    rows: subject.store.endedCredentials,
    logger: createLogger('silent'),
    batchSize: 2,
  });
  expect(await pruning.run()).toBe(3 + 1 + 1 + 1);
  expect(await count('sessions')).toBe(sessions - 4);
  expect(await count('signing_keys')).toBe(keys - 1);
  expect(await count(`refresh_tokens where replaced_at is not null`)).toBe(1);
  expect(await pruning.run()).toBe(0);
  await subject.signIn(signIn);
});
