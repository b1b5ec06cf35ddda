/** From below: what a connection as one of the product's roles can reach, whatever the code above it does. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { type DatabaseRole, databaseRoles, roleUrl } from '#prisma/roles.ts';
import { databaseClaims } from '#schema/claims.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase, type TestDatabase } from '#tests/harness/database.ts';

const tenants = [testClaims(randomUUID()), testClaims(randomUUID())] as const;
let database: TestDatabase;
/** Every table of the product, and those that have a tenant's rows. */
let tables: string[];
let tenantTables: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  await using records = createRecordDatabase(database);
  for (const claims of tenants) {
    const t = claims.tenantId;
    const entity = randomUUID();
    const record = randomUUID();
    await records.transaction(claims, async (tx) => {
      const insert = (table: string, row: Record<string, unknown>) =>
        tx.query({
          text: `insert into ${table} (${Object.keys(row).join()}) values (${Object.keys(row)
            .map((_, i) => `$${i + 1}`)
            .join()})`,
          values: Object.values(row),
        });
      await insert('tenants', { id: t, name: 'T', slug: t });
      await insert('tenant_heads', { tenant_id: t });
      await insert('users', {
        id: claims.actorId,
        tenant_id: t,
        email: 'a@b.c',
        role: 'ADMIN',
        password_hash: 'x',
      });
      await insert('sessions', {
        id: randomUUID(),
        tenant_id: t,
        user_id: claims.actorId,
        expires_at: new Date(),
      });
      await insert('api_keys', {
        id: randomUUID(),
        tenant_id: t,
        name: 'k',
        role: 'USER',
        prefix: 'tk',
        hash: Buffer.from(t),
      });
      await insert('entity_definitions', { id: entity, tenant_id: t, name: 'movie', plural_name: 'movies' });
      const field = randomUUID();
      await insert('field_definitions', {
        id: field,
        tenant_id: t,
        entity_id: entity,
        name: 'a',
        key: 'a',
        type: 'TEXT',
      });
      await insert('entity_permissions', {
        tenant_id: t,
        entity_id: entity,
        role: 'USER',
        operations: ['READ'],
      });
      await insert('field_backfills', { tenant_id: t, field_id: field, entity_id: entity, total: 1 });
      await insert('field_sequences', { tenant_id: t, field_id: field, entity_id: entity, next: 1 });
      await insert('entity_creations', {
        tenant_id: t,
        entity_id: entity,
        period_start: new Date(),
        created: 1,
      });
      await insert('retired_fields', { tenant_id: t, entity_id: entity, key: 'old' });
      await insert('records', { tenant_id: t, entity_id: entity, id: record, data: { a: t }, t1: t });
      await insert('record_keys', {
        tenant_id: t,
        entity_id: entity,
        key_id: randomUUID(),
        hash: Buffer.from(t),
        record_id: record,
      });
      await insert('record_links', { tenant_id: t, field_id: field, owner_id: record, target_id: record });
      await insert('purged_records', { tenant_id: t, entity_id: entity, record_id: randomUUID() });
      await insert('idempotency_keys', {
        tenant_id: t,
        actor: 'USER',
        operation: 'create',
        key: 'k',
        request: Buffer.from(t),
      });
      const transfer = randomUUID();
      await insert('transfers', {
        tenant_id: t,
        id: transfer,
        kind: 'IMPORT',
        format: 'CSV',
        actor_kind: 'USER',
      });
      const error = { row: 1, line: 2, place: 0, rule: 'required', message: 'x' };
      await insert('transfer_errors', { tenant_id: t, transfer_id: transfer, ...error });
      await insert('files', { tenant_id: t, id: randomUUID(), name: 'a.png', actor_kind: 'USER' });
      const event = { kind: 'RECORD', recordId: record, changedFields: [], actorKind: 'USER' };
      await tx.finish({ text: 'select append_events(1, $1)', values: [JSON.stringify([event])] });
    });
  }
  await using admin = await connect(null);
  // Only retention writes histories.
  for (const { tenantId } of tenants) {
    await admin.rows(
      `insert into record_history (tenant_id, entity_id, record_id, seq, at, operation, changed_fields, actor_kind)
       values ($1, gen_random_uuid(), gen_random_uuid(), 1, now(), 'CREATED', '{}', 'USER')`,
      [tenantId],
    );
  }
  const owned = await admin.rows<{ name: string; has_tenant: boolean }>(
    `select c.relname as name, c.relname = 'tenants' or exists (
        select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as has_tenant
      from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname <> '_prisma_migrations'`,
  );
  tables = owned.map(({ name }) => name);
  tenantTables = owned.filter((row) => row.has_tenant).map(({ name }) => name);
});
afterAll(() => database[Symbol.asyncDispose]());

it('has rows of both tenants in every table that it is about', async () => {
  await using admin = await connect(null);
  const counts = await visible(admin);
  // A table without rows would prove nothing below: a new one gets a row of each tenant in `beforeAll`.
  for (const table of tenantTables)
    expect(counts[table], `rows of ${table}`).toBeGreaterThanOrEqual(tenants.length);
});

/** A plain connection as `role`; as the cluster's superuser where null. */
async function connect(role: DatabaseRole | null) {
  const url = role === null ? database.url : roleUrl(database.url, role, null);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    rows: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await client.query(text, values)).rows as Row[],
    [Symbol.asyncDispose]: () => client.end(),
  };
}
type Connection = Awaited<ReturnType<typeof connect>>;

/** Rows that the connection can see, by table; null where it may not even look. */
async function visible(connection: Connection, of = tables): Promise<Record<string, number | null>> {
  const counts: Record<string, number | null> = {};
  for (const table of of) {
    counts[table] = await connection.rows<{ n: number }>(`select count(*)::int as n from ${table}`).then(
      ([row]) => row?.n ?? null,
      (error: pg.DatabaseError) => {
        if (error.code !== '42501') throw error;
        return null;
      },
    );
  }
  return counts;
}

const sum = (counts: Record<string, number | null>) =>
  Object.values(counts).reduce((total: number, count) => total + (count ?? 0), 0);

describe('tenantry_app', () => {
  it('sees no row without claims', async () => {
    await using connection = await connect(databaseRoles.app);
    expect(sum(await visible(connection))).toBe(0);
  });

  it('sees no row on a connection that served a tenant before, committed or rolled back', async () => {
    await using connection = await connect(databaseRoles.app);
    for (const end of ['commit', 'rollback']) {
      await connection.rows('begin');
      await connection.rows("select set_config('request.jwt.claims', $1, true)", [
        databaseClaims(tenants[0]),
      ]);
      const during = await visible(connection, tenantTables);
      for (const table of tenantTables) expect(during[table], table).toBe(1);
      await connection.rows(end);
      expect(sum(await visible(connection))).toBe(0);
    }
  });

  it.each(['', 'null', '{}', '{"tenant_id":null}', '{"tenant_id":""}', '{"tenant_id":"x"}', 'no json', '[]'])(
    'sees no row under the claims %j',
    async (claims) => {
      await using connection = await connect(databaseRoles.app);
      await connection.rows("select set_config('request.jwt.claims', $1, false)", [claims]);
      for (const table of tables) {
        const rows = await connection.rows(`select * from ${table}`).catch(() => []);
        expect(rows, table).toEqual([]);
      }
    },
  );

  it('cannot write into another tenant, nor move a row there, nor reach it by its id', async () => {
    await using connection = await connect(databaseRoles.app);
    const [own, other] = tenants.map((claims) => claims.tenantId);
    await connection.rows("select set_config('request.jwt.claims', $1, false)", [databaseClaims(tenants[0])]);
    for (const table of tenantTables) {
      const column = table === 'tenants' ? 'id' : 'tenant_id';
      expect(await connection.rows(`select * from ${table} where ${column} = $1`, [other]), table).toEqual(
        [],
      );
      await expect(
        connection.rows(`update ${table} set ${column} = $1`, [other]),
        table,
      ).rejects.toMatchObject({ code: '42501' });
      const changed = await connection
        .rows(`update ${table} set ${column} = ${column} where ${column} = $1 returning *`, [other])
        .catch(() => []);
      expect(changed, table).toEqual([]);
      const deleted = await connection
        .rows(`delete from ${table} where ${column} = $1 returning *`, [other])
        .catch(() => []);
      expect(deleted, table).toEqual([]);
    }
    const insert = "insert into records (tenant_id, entity_id, id, data) values ($1, $2, $3, '{}')";
    await expect(connection.rows(insert, [other, randomUUID(), randomUUID()])).rejects.toMatchObject({
      code: '42501',
    });
    await connection.rows(insert, [own, randomUUID(), randomUUID()]);
  });

  it('cannot become anybody else', async () => {
    await using connection = await connect(databaseRoles.app);
    for (const role of ['postgres', databaseRoles.platform]) {
      await expect(connection.rows(`set role ${role}`)).rejects.toMatchObject({ code: '42501' });
    }
    await expect(connection.rows('set row_security = off; select * from records')).rejects.toMatchObject({
      code: '42501',
    });
    await expect(connection.rows('alter table records disable row level security')).rejects.toMatchObject({
      code: '42501',
    });
  });
});

describe('tenantry_platform', () => {
  it('reads neither records, keys nor definitions', async () => {
    await using connection = await connect(databaseRoles.platform);
    const counts = await visible(connection);
    for (const table of [
      'records',
      'record_keys',
      'entity_definitions',
      'field_definitions',
      'entity_permissions',
      'retired_fields',
    ]) {
      expect(counts[table], table).toBeNull();
    }
    expect(counts['tenants']).toBeGreaterThanOrEqual(2);
  });
});

it('neither role can bypass row-level security, owns a table or belongs to a role', async () => {
  await using admin = await connect(null);
  const roles = await admin.rows(
    `select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb,
        exists (select from pg_class c where c.relowner = r.oid) as owns,
        exists (select from pg_auth_members m where m.member = r.oid) as belongs
      from pg_roles r where rolname = any($1) order by rolname`,
    [Object.values(databaseRoles)],
  );
  const nothing = {
    rolsuper: false,
    rolbypassrls: false,
    rolcreaterole: false,
    rolcreatedb: false,
    owns: false,
    belongs: false,
  };
  expect(roles).toEqual([
    { rolname: 'tenantry_app', ...nothing },
    { rolname: 'tenantry_platform', ...nothing },
  ]);
});

it('every table has row-level security, forced on its owner too', async () => {
  await using admin = await connect(null);
  const open = await admin.rows(
    `select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
      and relname <> '_prisma_migrations' and not (relrowsecurity and relforcerowsecurity)`,
  );
  expect(open).toEqual([]);
});
