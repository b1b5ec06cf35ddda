/** A realtime subgraph on a real database, with tenants whose events tests append as the record store does. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { createRecordDatabase, type RecordDatabase } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { LogRecord, RecordData } from '#schema/events.ts';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import type { EventLogLimits } from '#subgraphs/realtime/log/event-log.ts';
import type { EventStore } from '#subgraphs/realtime/log/event-store.ts';
import { createRealtimeService, type RealtimeService } from '#subgraphs/realtime/service.ts';
import { createEventStore } from '#subgraphs/realtime/store/event-log.ts';
import { createStoredTenantModels } from '#subgraphs/realtime/store/tenant-models.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

export const silent = pino({ level: process.env.LOG ?? 'silent' });

export interface TestField {
  name: string;
  key?: string;
  type?: string;
  target?: string;
  /** Of a relation to several entities. */
  targets?: string[];
  options?: string[];
  inverseName?: string;
}

/** What `append` needs; the rest is filled in. */
export interface TestEvent {
  entity?: string;
  recordId?: string;
  operation?: 'CREATED' | 'UPDATED' | 'DELETED' | 'RESTORED';
  changedFields?: string[];
  before?: RecordData | null;
  after?: RecordData | null;
}

export interface RealtimeTenant {
  id: string;
  claims: Claims & { tenantId: string };
  entityIds: Map<string, string>;
  /** One transaction; a hint follows. Returns the last seq. */
  append(events: readonly TestEvent[]): Promise<number>;
  /** Adds a record's row, for filters that the store answers. Text slots are left empty. */
  insertRecord(entity: string, id: string, data: RecordData): Promise<void>;
  addEntity(name: string, fields?: readonly TestField[]): Promise<void>;
  /** Changes definitions with `sql` ($1: the tenant), raises their version and stands in the log. */
  changeDefinitions(sql: string, values?: unknown[]): Promise<number>;
}

export interface RealtimeFixture extends AsyncDisposable {
  database: RecordDatabase;
  store: EventStore;
  wakeUp: WakeUp;
  superuser: pg.Client;
  addTenant(): Promise<RealtimeTenant>;
  /** A service of its own; the fixture disposes it. */
  createService(limits?: Partial<EventLogLimits>, store?: EventStore, wakeUp?: WakeUp): RealtimeService;
}

export async function createRealtimeFixture(): Promise<RealtimeFixture> {
  await using opening = new AsyncDisposableStack();
  const testDatabase = opening.use(await createTestDatabase());
  const database = opening.use(createRecordDatabase(testDatabase));
  const superuser = new pg.Client(testDatabase.url);
  superuser.on('error', () => {});
  await superuser.connect();
  opening.defer(() => superuser.end());
  const wakeUp = opening.use(createLocalWakeUp());
  const store = createEventStore(database);
  const opened = opening.move();

  return {
    database,
    store,
    wakeUp,
    superuser,
    addTenant: () => addTenant(database, superuser, wakeUp),
    createService(limits, ownStore = store, ownWakeUp = wakeUp) {
      const models = createStoredTenantModels(database);
      return opened.use(
        createRealtimeService({
          store: ownStore,
          models,
          wakeUp: ownWakeUp,
          logger: silent,
          // Hints alone must do: a poll would hide a lost one.
          limits: { pollMs: 1_000_000, ...limits },
        }),
      );
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function addTenant(
  database: RecordDatabase,
  superuser: pg.Client,
  wakeUp: WakeUp,
): Promise<RealtimeTenant> {
  const id = randomUUID();
  const claims = testClaims(id);
  const entityIds = new Map<string, string>();
  let version = 1;
  await superuser.query('insert into tenants (id, name, slug) values ($1, $2, $2)', [id, `t-${id}`]);
  await superuser.query('insert into tenant_heads (tenant_id) values ($1)', [id]);

  async function changeDefinitions(sql: string, values: unknown[] = []): Promise<number> {
    await superuser.query(sql, [id, ...values]);
    const event = {
      kind: 'DEFINITIONS',
      operation: 'UPDATED',
      changedFields: [],
      actorKind: 'USER',
      actorId: claims.actorId,
    };
    await database.transaction(claims, (tx) =>
      tx.finish(`select bump_definitions(${version}, ${pg.escapeLiteral(JSON.stringify(event))}::jsonb)`),
    );
    version += 1;
    wakeUp.publish(id);
    return version;
  }

  return {
    id,
    claims,
    entityIds,
    changeDefinitions,

    async append(events) {
      const rows = events.map((event) => ({
        kind: 'RECORD',
        entityId: entityIds.get(event.entity ?? 'contact'),
        recordId: event.recordId ?? randomUUID(),
        operation: event.operation ?? 'CREATED',
        changedFields: event.changedFields ?? Object.keys(event.after ?? {}),
        before: event.before ? record(event.before) : null,
        after: event.after === null ? null : record(event.after ?? {}),
        actorKind: 'USER',
        actorId: claims.actorId,
        requestId: 'test',
      }));
      const literal = pg.escapeLiteral(JSON.stringify(rows));
      const [last] = await database.transaction(claims, (tx) =>
        tx.finish<{ seq: number }>(`select append_events(${version}, ${literal}::jsonb) as seq`),
      );
      wakeUp.publish(id);
      return last?.seq as number;
    },

    async insertRecord(entity, recordId, data) {
      await superuser.query(
        `insert into records (tenant_id, entity_id, id, data) values ($1, $2, $3, $4)
         on conflict (tenant_id, entity_id, id) do update set data = excluded.data`,
        [id, entityIds.get(entity), recordId, JSON.stringify(data)],
      );
    },

    async addEntity(name, fields = [{ name: 'name' }]) {
      const entityId = randomUUID();
      entityIds.set(name, entityId);
      await superuser.query(
        'insert into entity_definitions (id, tenant_id, name, plural_name) values ($1, $2, $3, $4)',
        [entityId, id, name, `${name}s`],
      );
      for (const [position, field] of fields.entries()) {
        await superuser.query(
          `insert into field_definitions
             (id, tenant_id, entity_id, name, key, type, target_entity_id, options, inverse_name, position, target_entity_ids)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
          [
            randomUUID(),
            id,
            entityId,
            field.name,
            field.key ?? field.name,
            field.type ?? 'TEXT',
            field.target ? entityIds.get(field.target) : null,
            field.options ? JSON.stringify(field.options.map((value) => ({ value, label: value }))) : null,
            field.inverseName ?? null,
            position,
            field.targets?.map((target) => entityIds.get(target)) ?? null,
          ],
        );
      }
      await changeDefinitions('select $1::uuid');
    },
  };
}

function record(data: RecordData): LogRecord {
  const at = '2026-11-21T08:00:00.000Z';
  return { data, version: 1, createdAt: at, updatedAt: at, createdBy: null, deletedAt: null };
}

/** A request as the gateway makes it. */
export function request(
  claims: Claims,
  query: string,
  variables: Record<string, unknown> = {},
): SubgraphRequest {
  return { query, variables, claims, definitionsVersion: null, requestId: 'test', clientAddress: null };
}

// biome-ignore lint/suspicious/noExplicitAny: what a test's own selection brings
export type Message = {
  data?: any;
  errors?: readonly { message: string; extensions?: Record<string, any> }[];
};

export interface TestStream extends AsyncDisposable {
  next(): Promise<Message>;
  /** The root field of so many messages. Throws on an error among them. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test's own selection brings
  take(count: number): Promise<any[]>;
  iterator: AsyncIterator<Message>;
}

/** Subscribes; throws what the service refused with, so that a test sees it. */
export async function open(
  service: RealtimeService,
  claims: Claims,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<TestStream> {
  const outcome = await service.subscribe(request(claims, query, variables));
  if (!(Symbol.asyncIterator in outcome)) throw new Error(JSON.stringify(outcome.errors));
  const next = async (): Promise<Message> => {
    const step = await outcome.next();
    if (step.done) throw new Error('the stream has ended');
    return step.value;
  };
  return {
    iterator: outcome as AsyncIterator<Message>,
    next,
    async take(count) {
      const values = [];
      while (values.length < count) {
        const { data, errors } = await next();
        if (errors) throw new Error(JSON.stringify(errors));
        values.push(Object.values(data)[0]);
      }
      return values;
    },
    async [Symbol.asyncDispose]() {
      await outcome.return?.();
    },
  };
}
