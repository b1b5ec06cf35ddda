/** Tenants with definitions and a few records each, straight into the database, and tokens of theirs. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { createControlDatabase } from '#prisma/control-database.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import { createEntitiesService } from '#subgraphs/entities/service.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { issueAccessToken } from '#subgraphs/tenants/auth/access-tokens.ts';
import { createSigningKeys } from '#subgraphs/tenants/auth/signing-keys.ts';
import { createSigningKeyRows } from '#subgraphs/tenants/store/signing-key-rows.ts';
import { testClaims } from '#tests/harness/claims.ts';
import type { TestDatabase } from '#tests/harness/database.ts';
import { definitionsOf, entityName } from './definitions.ts';

export interface BenchTenant {
  readonly number: number;
  readonly id: string;
}

/** What Authorization their admins show, by tenant; good for fifteen minutes. */
export async function signIn(
  database: TestDatabase,
  secret: string,
  tenants: readonly BenchTenant[],
): Promise<Map<BenchTenant, string>> {
  await using control = createControlDatabase(database);
  const logger = pino({ level: 'error' });
  const keys = createSigningKeys({ rows: createSigningKeyRows(control), secret, logger });
  const signed = new Map<BenchTenant, string>();
  for (const tenant of tenants) {
    const { text } = await issueAccessToken(keys, {
      ...{ sub: randomUUID(), sid: randomUUID(), tenant_id: tenant.id },
      ...{ role: 'ADMIN', auth_version: 1 },
    });
    signed.set(tenant, `Bearer ${text}`);
  }
  return signed;
}

export async function fillTenants(
  { url, rolePassword }: TestDatabase,
  { count, records: recordCount }: { count: number; records: number },
): Promise<BenchTenant[]> {
  await using opened = new AsyncDisposableStack();
  const database = opened.use(createRecordDatabase({ url, rolePassword }));
  const logger = pino({ level: 'error' });
  const admin = new pg.Pool({ connectionString: url, max: 4 });
  opened.defer(() => admin.end());
  const wakeUp = opened.use(createLocalWakeUp());
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const entities = opened.use(createEntitiesService({ records, definitions, logger, wakeUp }));

  async function fillOne(number: number): Promise<BenchTenant> {
    const id = randomUUID();
    const claims = testClaims(id);
    await admin.query('insert into tenants (id, name, slug) values ($1, $2, $2)', [id, `bench-${number}`]);
    await admin.query('insert into tenant_heads (tenant_id) values ($1)', [id]);
    const answer = await entities.execute({
      query: 'mutation ($definitions: JSON!) { applyDefinitions(definitions: $definitions) { __typename } }',
      variables: { definitions: definitionsOf(number) },
      claims,
      definitionsVersion: null,
      requestId: 'bench',
      clientAddress: null,
    });
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    await admin.query(
      `insert into records (tenant_id, entity_id, id, data, n1)
       select $1, e.id, gen_random_uuid(),
         (select jsonb_object_agg(f.key, case f.name when 'field2' then to_jsonb(n) when 'field3' then to_jsonb(n / 2.0) when 'field4' then to_jsonb(n % 2 = 0) else to_jsonb('NEW'::text) end)
          from field_definitions f where f.entity_id = e.id and f.name in ('field2', 'field3', 'field4', 'field7')), n
       from entity_definitions e, generate_series(1, ${recordCount}) as n
       where e.tenant_id = $1 and e.name = any($2)`,
      [id, [entityName(number, 0), entityName(number, 1)]],
    );
    return { number, id };
  }

  const filled: BenchTenant[] = [];
  let next = 0;
  const filler = async (): Promise<void> => {
    while (next < count) filled.push(await fillOne(next++));
  };
  await Promise.all(Array.from({ length: 4 }, filler));
  await admin.query('vacuum analyze records, field_definitions, entity_definitions');
  return filled;
}
