/** A database with tenants and definitions put there by hand, and a record store over it. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { readDefinitionRows } from '#prisma/definition-rows.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import type { RecordStore, StoreContext } from '#subgraphs/entities/store/record-store.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

export type FieldSpec = Partial<Omit<FieldDefinition, 'targetEntityId' | 'targets'>> &
  Pick<FieldDefinition, 'name' | 'type'> & {
    /** Name of the target entity. */
    target?: string;
    /** Names of the entities that a relation to several may point at. */
    oneOf?: string[];
  };
export interface EntitySpec {
  name: string;
  pluralName: string;
  fields: FieldSpec[];
}

export interface TestTenant {
  readonly id: string;
  readonly claims: Claims & { tenantId: string };
  readonly context: StoreContext;
  entity(name: string): EntityDefinition;
}

export interface RecordBench extends AsyncDisposable {
  readonly store: RecordStore;
  readonly database: RecordDatabase;
  /** Tenants whose writes were announced, in order. */
  readonly published: string[];
  /** As superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  addTenant(entities: EntitySpec[]): Promise<TestTenant>;
  load(claims: Claims): Promise<TenantModel>;
  log(tenant: TestTenant): Promise<LoggedRow[]>;
}

export interface LoggedRow {
  seq: number;
  operation: string;
  entityId: string;
  recordId: string;
  changedFields: string[];
  before: { data: Record<string, unknown>; version: number; deletedAt: string | null } | null;
  after: { data: Record<string, unknown>; version: number; deletedAt: string | null };
  actorId: string | null;
  requestId: string;
}

export async function createRecordBench(poolSize = 8): Promise<RecordBench> {
  const test = await createTestDatabase();
  const admin = new pg.Pool({ connectionString: test.url, max: 2 });
  admin.on('error', () => undefined);
  const database = createRecordDatabase({ ...test, poolSize });
  const published: string[] = [];

  const load = (claims: Claims): Promise<TenantModel> =>
    database.transaction(claims, async (tx) =>
      parseTenantModel(claims.tenantId as string, await readDefinitionRows(tx)),
    );
  const store = createRecordStore(
    database,
    { publish: (tenantId) => published.push(tenantId) },
    { reload: load },
  );
  const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await admin.query<Row>(text, values)).rows;

  return {
    store,
    database,
    published,
    sql,
    load,
    async addTenant(entities) {
      const id = randomUUID();
      await sql("insert into tenants (id, name, slug) values ($1, 'test', $2)", [id, `t-${id}`]);
      await sql('insert into tenant_heads (tenant_id) values ($1)', [id]);
      const ids = new Map(entities.map((entity) => [entity.name, randomUUID()]));
      for (const [position, entity] of entities.entries()) {
        await sql(
          'insert into entity_definitions (id, tenant_id, name, plural_name, position) values ($1, $2, $3, $4, $5)',
          [ids.get(entity.name), id, entity.name, entity.pluralName, position],
        );
      }
      for (const entity of entities) await insertFields(sql, id, ids, entity);
      const claims = testClaims(id);
      const model = await load(claims);
      return {
        id,
        claims,
        context: { claims, model, requestId: 'test' },
        entity(name) {
          const entity = model.entityByName.get(name);
          if (!entity) throw new Error(`no entity ${name}`);
          return entity;
        },
      };
    },
    log: (tenant) =>
      sql<LoggedRow>(
        `select seq::int, operation, entity_id as "entityId", record_id as "recordId", changed_fields as "changedFields",
           before, after, actor_id as "actorId", request_id as "requestId"
         from events where tenant_id = $1 and kind = 'RECORD' order by seq`,
        [tenant.id],
      ),
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await admin.end();
      await test[Symbol.asyncDispose]();
    },
  };
}

async function insertFields(
  sql: (text: string, values: unknown[]) => Promise<unknown>,
  tenantId: string,
  ids: ReadonlyMap<string, string>,
  entity: EntitySpec,
): Promise<void> {
  const json = (value: unknown): string | null =>
    value === undefined || value === null ? null : JSON.stringify(value);
  for (const [position, field] of entity.fields.entries()) {
    await sql(
      `insert into field_definitions (id, tenant_id, entity_id, name, key, type, is_required, is_unique, is_searchable,
         is_filterable, is_sortable, default_value, validation, options, target_entity_id, inverse_name, on_delete, slot, position, target_entity_ids)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
      [
        randomUUID(),
        tenantId,
        ids.get(entity.name),
        field.name,
        // A key that is not the name: what mixes them up fails here.
        field.key ?? `${field.name}_key`,
        field.type,
        field.isRequired ?? false,
        field.isUnique ?? false,
        field.isSearchable ?? false,
        field.isFilterable ?? true,
        field.isSortable ?? true,
        json(field.defaultValue),
        json(field.validation),
        json(field.options),
        field.target === undefined ? null : ids.get(field.target),
        field.inverseName ?? null,
        field.onDelete ?? null,
        field.slot ?? null,
        position,
        field.oneOf?.map((target) => ids.get(target)) ?? null,
      ],
    );
  }
}

/** The code of the error that a call ends with; throws where it ends well. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return String((error as { code?: unknown }).code ?? error);
  }
  throw new Error('expected an error');
}
