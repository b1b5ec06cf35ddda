import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createRecordDatabase,
  type RecordDatabase,
  type TenantTransaction,
} from '#prisma/record-database.ts';
import { readDefinitionRows } from '#prisma/definition-rows.ts';
import { anonymousClaims } from '#schema/claims.ts';
import { createTestDatabase, type TestDatabase } from '#tests/harness/database.ts';
import { testClaims } from '#tests/harness/claims.ts';

let database: TestDatabase;
let records: RecordDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  records = createRecordDatabase({ ...database, poolSize: 3 });
});
afterAll(async () => {
  await records[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** A tenant with its head, and claims for it. */
async function createTenant() {
  const claims = testClaims(randomUUID());
  await records.transaction(claims, async (tx) => {
    await tx.query({
      text: 'insert into tenants (id, name, slug) values ($1, $2, $3)',
      values: [claims.tenantId, 'Grüße', claims.tenantId],
    });
    await tx.query({ text: 'insert into tenant_heads (tenant_id) values ($1)', values: [claims.tenantId] });
  });
  return claims;
}

const rename = (tenantId: string, name: string) => ({
  text: 'update tenants set name = $2 where id = $1',
  values: [tenantId, name],
});
const nameOf = async (claims: ReturnType<typeof testClaims>) => {
  const [row] = await records.read<{ name: string }>(claims, { text: 'select name from tenants' });
  return row?.name;
};

describe('read', () => {
  it('sees the rows of the claims only, prepared or not', async () => {
    const [one, two] = [await createTenant(), await createTenant()];
    for (const name of ['tenants_of_claims', undefined]) {
      for (const claims of [one, two, one]) {
        const rows = await records.read<{ id: string }>(claims, { text: 'select id from tenants', name });
        expect(rows).toEqual([{ id: claims.tenantId }]);
      }
    }
  });

  it('keeps concurrent readers of a small pool apart', async () => {
    const tenants = await Promise.all([createTenant(), createTenant(), createTenant(), createTenant()]);
    const reads = Array.from({ length: 200 }, (_, index) => {
      const claims = tenants[index % tenants.length] as (typeof tenants)[number];
      return records
        .read<{ id: string; n: number }>(claims, {
          text: 'select id, $1::int as n from tenants',
          values: [index],
          name: 'apart',
        })
        .then((rows) => expect(rows).toEqual([{ id: claims.tenantId, n: index }]));
    });
    await Promise.all(reads);
  });

  it('parses columns without loss', async () => {
    const claims = await createTenant();
    const [row] = await records.read(claims, {
      text: `select 9007199254740991::int8 as safe, 9007199254740993::int8 as unsafe, '{"a":[1]}'::jsonb as json,
        '2026-01-02T03:04:05.678Z'::timestamptz as at, 1.5::float8 as float, null::text as nothing, array['ä','"'] as list`,
    });
    expect(row).toEqual({
      safe: 9007199254740991,
      unsafe: '9007199254740993',
      json: { a: [1] },
      at: new Date('2026-01-02T03:04:05.678Z'),
      float: 1.5,
      nothing: null,
      list: ['ä', '"'],
    });
  });

  it('surfaces an error and leaves the connection usable', async () => {
    const claims = await createTenant();
    for (let round = 0; round < 5; round += 1) {
      await expect(records.read(claims, { text: 'select 1/0' })).rejects.toMatchObject({ code: '22012' });
      await expect(
        records.read(claims, { text: 'select nope', name: `broken_${round}` }),
      ).rejects.toMatchObject({ code: '42703' });
    }
    expect(await nameOf(claims)).toBe('Grüße');
  });

  it('leaves nothing of a failed statement', async () => {
    const claims = await createTenant();
    const text =
      "with renamed as (update tenants set name = 'x' returning id) select 1/(count(*) - 1) from renamed";
    await expect(records.read(claims, { text })).rejects.toMatchObject({ code: '22012' });
    expect(await nameOf(claims)).toBe('Grüße');
  });

  it('survives a value that cannot be sent', async () => {
    const claims = await createTenant();
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const statement = { text: 'select $1::jsonb as value', name: 'circular' };
    await expect(records.read(claims, { ...statement, values: [circular] })).rejects.toThrow(/circular/);
    expect(await records.read(claims, { ...statement, values: [{ a: 1 }] })).toEqual([{ value: { a: 1 } }]);
  });

  it('refuses claims without a tenant', async () => {
    await expect(records.read(anonymousClaims, { text: 'select 1' })).rejects.toMatchObject({
      code: 'TENANT_REQUIRED',
    });
    await expect(records.transaction(anonymousClaims, async () => 1)).rejects.toMatchObject({
      code: 'TENANT_REQUIRED',
    });
  });
});

describe('transaction', () => {
  it('commits what its work returned from', async () => {
    const claims = await createTenant();
    const answer = await records.transaction(claims, async (tx) => {
      await tx.query(rename(claims.tenantId, 'new'));
      return tx.query({
        text: "select name, current_setting('transaction_isolation') as isolation from tenants",
      });
    });
    expect(answer).toEqual([{ name: 'new', isolation: 'read committed' }]);
    expect(await nameOf(claims)).toBe('new');
  });

  it('runs statements in the order in which they were sent, without waiting', async () => {
    const claims = await createTenant();
    const seen = await records.transaction(claims, (tx) =>
      Promise.all(
        ['a', 'b', 'c'].flatMap((name) => [
          tx.query(rename(claims.tenantId, name)),
          tx.query<{ name: string }>({ text: 'select name from tenants' }),
        ]),
      ),
    );
    expect(seen.flat()).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
  });

  const failures: [string, (tx: TenantTransaction) => Promise<unknown>, string][] = [
    ['a failed statement', (tx) => tx.query({ text: 'select 1/0' }), '22012'],
    [
      'a failed statement with others sent behind it',
      (tx) =>
        Promise.all([
          tx.query({ text: 'select 1/0' }),
          tx.query({ text: 'select 1' }),
          tx.query({ text: 'select 2' }),
        ]),
      '22012',
    ],
    [
      'a later statement that reports the abort first',
      async (tx) => {
        const first = tx.query({ text: 'select 1/0' });
        await tx.query({ text: 'select 1' });
        await first;
      },
      '22012',
    ],
    [
      'an error that its work swallowed',
      async (tx) => {
        await tx.query({ text: 'select 1/0' }).catch(() => {});
      },
      '22012',
    ],
    [
      'an error that nobody waited for',
      async (tx) => {
        void tx.query({ text: 'select 1/0' });
      },
      '22012',
    ],
    ['the fence', (tx) => tx.query({ text: "select append_events(77, '[]')" }), 'TN001'],
    ['the fence, last, as text', (tx) => tx.finish("select append_events(77, '[]')"), 'TN001'],
    [
      'the fence, last, prepared',
      (tx) => tx.finish({ text: 'select append_events($1, $2)', values: [77, '[]'], name: 'append' }),
      'TN001',
    ],
  ];
  it.each(failures)('rolls back and throws %s', async (_, fail, code) => {
    const claims = await createTenant();
    const attempt = records.transaction(claims, async (tx) => {
      await tx.query(rename(claims.tenantId, 'lost'));
      await fail(tx);
    });
    await expect(attempt).rejects.toMatchObject({ code });
    expect(await nameOf(claims)).toBe('Grüße');
  });

  it("rolls back and throws its work's own error, thrown at once or later", async () => {
    const claims = await createTenant();
    for (const first of [true, false]) {
      const attempt = records.transaction(claims, async (tx) => {
        if (first) throw new Error('own');
        await tx.query(rename(claims.tenantId, 'lost'));
        throw new Error('own');
      });
      await expect(attempt).rejects.toThrow('own');
    }
    expect(await nameOf(claims)).toBe('Grüße');
  });

  it('finishes with the statement and COMMIT in one message', async () => {
    const claims = await createTenant();
    const event = {
      kind: 'RECORD',
      operation: 'CREATED',
      changedFields: ['ä'],
      actorKind: 'USER',
      requestId: "o'r",
    };
    const append = (tx: TenantTransaction, prepared: boolean) =>
      tx.finish<{ seq: number }>(
        prepared
          ? {
              text: 'select append_events($1, $2) as seq',
              values: [1, JSON.stringify([event, event])],
              name: 'append_events',
            }
          : `select append_events(1, ${pg.escapeLiteral(JSON.stringify([event, event]))}) as seq`,
      );
    expect(await records.transaction(claims, (tx) => append(tx, true))).toEqual([{ seq: 2 }]);
    expect(await records.transaction(claims, (tx) => append(tx, false))).toEqual([{ seq: 4 }]);
    const events = await records.read(claims, {
      text: 'select seq, changed_fields, request_id from events order by seq',
    });
    expect(events).toEqual([1, 2, 3, 4].map((seq) => ({ seq, changed_fields: ['ä'], request_id: "o'r" })));
  });

  it('takes nothing after its end', async () => {
    const claims = await createTenant();
    const after = records.transaction(claims, async (tx) => {
      await tx.finish('select 1');
      return tx.query({ text: 'select 1' });
    });
    await expect(after).rejects.toThrow('The transaction is over');
    let leaked: TenantTransaction | undefined;
    await records.transaction(claims, async (tx) => {
      leaked = tx;
    });
    await expect(leaked?.query({ text: 'select 1' })).rejects.toThrow('The transaction is over');
  });

  it('gives back every connection, whatever happened', async () => {
    const claims = await createTenant();
    for (let round = 0; round < 20; round += 1) {
      await records.transaction(claims, (tx) => tx.query({ text: 'select 1/0' })).catch(() => {});
      await records.transaction(claims, (tx) => tx.finish('select 1/0')).catch(() => {});
    }
    expect(await nameOf(claims)).toBe('Grüße');
  });

  it('reports a connection that the server cut, and opens another', async () => {
    const claims = await createTenant();
    const cut = records.transaction(claims, async (tx) => {
      const [row] = await tx.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
      await using admin = await connectAdmin();
      await admin.client.query('select pg_terminate_backend($1)', [row?.pid]);
      await tx.query({ text: 'select 1' });
    });
    await expect(cut).rejects.toThrow();
    expect(await nameOf(claims)).toBe('Grüße');
  });
});

it('reads definitions and their version in one snapshot', async () => {
  const claims = await createTenant();
  const entityId = randomUUID();
  await records.transaction(claims, async (tx) => {
    await tx.query({
      text: 'insert into entity_definitions (id, tenant_id, name, plural_name) values ($1, $2, $3, $4)',
      values: [entityId, claims.tenantId, 'movie', 'movies'],
    });
    await tx.query({
      text: `insert into field_definitions (id, tenant_id, entity_id, name, key, type, default_value, slot)
        values ($1, $2, $3, 'title', 'title', 'TEXT', '"none"', 't1')`,
      values: [randomUUID(), claims.tenantId, entityId],
    });
  });
  const rows = await records.transaction(claims, readDefinitionRows);
  expect(rows.version).toBe(1);
  expect(rows.entities).toMatchObject([
    { id: entityId, name: 'movie', pluralName: 'movies', label: null, position: 0 },
  ]);
  expect(rows.entities[0]?.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  expect(rows.fields).toMatchObject([
    { entityId, name: 'title', isFilterable: true, defaultValue: 'none', slot: 't1' },
  ]);

  const unknown = records.transaction(testClaims(randomUUID()), readDefinitionRows);
  await expect(unknown).rejects.toMatchObject({ code: 'TENANT_NOT_FOUND' });
});

it('reads across tenants as the platform, but no records', async () => {
  const [one, two] = [await createTenant(), await createTenant()];
  const heads = await records.platform<{ tenant_id: string }>({
    text: 'select tenant_id from tenant_heads where tenant_id = any($1)',
    values: [[one.tenantId, two.tenantId]],
  });
  expect(heads).toHaveLength(2);
  await expect(records.platform({ text: 'select * from records' })).rejects.toMatchObject({ code: '42501' });
});

async function connectAdmin() {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
