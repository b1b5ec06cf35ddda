/** The entities and realtime subgraphs on one database, with one tenant whose people have every role. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionResult } from 'graphql';
import pg from 'pg';
import { pino } from 'pino';
import { createRecordDatabase, type RecordDatabase } from '#prisma/record-database.ts';
import { anonymousClaims, type Claims, type Role } from '#schema/claims.ts';
import { createEntitiesService, type EntitiesService } from '#subgraphs/entities/service.ts';
import { createDefinitionStore, type DefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import type { RecordStore } from '#subgraphs/entities/store/record-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createKnownKeys } from '#subgraphs/entities/store/transfer-keys.ts';
import { createTransferStore } from '#subgraphs/entities/store/transfer-store.ts';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import { nobody } from '#subgraphs/entities/transfer/tenant/subgraph-people.ts';
import { createRealtimeService, type RealtimeService } from '#subgraphs/realtime/service.ts';
import { createEventStore } from '#subgraphs/realtime/store/event-log.ts';
import { createStoredTenantModels } from '#subgraphs/realtime/store/tenant-models.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
export type Anything = any;

export interface Answer {
  data: Anything;
  errors: { message: string; code: string; fields?: { field: string; rule: string }[]; path?: unknown }[];
}

export interface Stream extends AsyncDisposable {
  next(): Promise<Answer>;
}

/** Somebody of the tenant. */
export interface Caller {
  readonly claims: Claims & { tenantId: string };
  /** Of the entities subgraph, as JSON. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Of the realtime subgraph. */
  askLog(query: string, variables?: Record<string, unknown>): Promise<Answer>;
  subscribe(query: string, variables?: Record<string, unknown>): Promise<Stream | Answer>;
}

export interface World extends AsyncDisposable {
  readonly tenantId: string;
  readonly entities: EntitiesService;
  readonly realtime: RealtimeService;
  readonly database: RecordDatabase;
  readonly records: RecordStore;
  readonly definitions: DefinitionStore;
  readonly admin: Caller;
  /** The tenant's person of this role (SERVICE: its key); `n`: another one of the same. */
  as(role: Role, n?: number): Caller;
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** The data of an admin's request; throws on errors. */
  arrange(query: string, variables?: Record<string, unknown>): Promise<Anything>;
  /** `setPermissions`, for all entities at once. */
  permit(permissions: Readonly<Record<string, readonly object[]>>): Promise<void>;
}

export const tenantId = '0a0a0a0a-0000-4000-8000-000000000001';

/** The id of the `n`th person of a role: the same in every world. */
export function personId(role: Role, n = 1): string {
  const roles = ['VIEWER', 'USER', 'DEVELOPER', 'SERVICE', 'ADMIN', 'OPERATOR'];
  return `0b0b0b0b-0000-4000-8000-0000000${roles.indexOf(role)}000${n}`;
}

export async function createWorld(): Promise<World> {
  await using opening = new AsyncDisposableStack();
  const testDatabase = opening.use(await createTestDatabase());
  const database = opening.use(createRecordDatabase(testDatabase));
  const superuser = new pg.Client(testDatabase.url);
  superuser.on('error', () => {});
  await superuser.connect();
  opening.defer(() => superuser.end());
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-permissions-'));
  opening.defer(() => rm(folder, { recursive: true, force: true }));
  const wakeUp = opening.use(createLocalWakeUp());
  const logger = pino({ level: process.env['LOG'] ?? 'silent' });
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const entities = opening.use(
    createEntitiesService({
      records,
      definitions,
      logger,
      wakeUp,
      transfers: {
        store: createTransferStore(database),
        known: createKnownKeys(database),
        files: createDiskFiles(folder),
        people: nobody,
      },
    }),
  );
  const realtime = opening.use(
    createRealtimeService({
      store: createEventStore(database),
      models: createStoredTenantModels(database),
      wakeUp,
      logger,
      // Hints alone must do: a poll would hide a lost one.
      limits: { pollMs: 1_000_000 },
    }),
  );

  await superuser.query('insert into tenants (id, name, slug) values ($1, $2, $2)', [tenantId, 'world']);
  await superuser.query('insert into tenant_heads (tenant_id) values ($1)', [tenantId]);
  for (const role of ['VIEWER', 'USER', 'DEVELOPER', 'ADMIN'] as const) {
    for (const n of [1, 2]) {
      await superuser.query(
        "insert into users (id, tenant_id, email, role, password_hash) values ($1, $2, $3, $4, '!')",
        [personId(role, n), tenantId, `${role}${n}@example.com`, role],
      );
    }
  }

  const version = async (): Promise<number> => {
    const { rows } = await superuser.query(
      'select definitions_version::int as v from tenant_heads where tenant_id = $1',
      [tenantId],
    );
    return rows[0].v;
  };

  function as(role: Role, n = 1): Caller {
    const claims = {
      ...anonymousClaims,
      tenantId,
      actorKind: role === 'SERVICE' ? ('SERVICE' as const) : ('USER' as const),
      actorId: personId(role, n),
      role,
      authVersion: 1,
    };
    const requestOf = async (query: string, variables: Record<string, unknown>) => ({
      query,
      variables,
      claims,
      definitionsVersion: await version(),
      requestId: 'test',
      clientAddress: null,
    });
    return {
      claims,
      ask: async (query, variables = {}) =>
        toAnswer(await entities.execute(await requestOf(query, variables))),
      askLog: async (query, variables = {}) =>
        toAnswer(await realtime.execute(await requestOf(query, variables))),
      async subscribe(query, variables = {}) {
        const outcome = await realtime.subscribe(await requestOf(query, variables));
        if (!(Symbol.asyncIterator in outcome)) return toAnswer(outcome);
        return {
          async next() {
            const step = await outcome.next();
            if (step.done) throw new Error('the stream has ended');
            return toAnswer(step.value);
          },
          async [Symbol.asyncDispose]() {
            await outcome.return?.();
          },
        };
      },
    };
  }

  const admin = as('ADMIN');
  const opened = opening.move();
  const world: World = {
    tenantId,
    entities,
    realtime,
    database,
    records,
    definitions,
    admin,
    as,
    sql: async <Row extends object>(text: string, values: unknown[] = []) =>
      (await superuser.query<Row>(text, values)).rows,
    async arrange(query, variables) {
      const { data, errors } = await admin.ask(query, variables);
      if (errors.length > 0) throw new Error(`${query.slice(0, 300)}\n${JSON.stringify(errors, null, 1)}`);
      return data;
    },
    async permit(permissions) {
      for (const [entity, list] of Object.entries(permissions)) {
        await world.arrange(
          `mutation ($entity: String!, $permissions: [PermissionInput!]!) {
            setPermissions(entity: $entity, permissions: $permissions) { name } }`,
          { entity, permissions: list },
        );
      }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return world;
}

/** As it leaves the subgraph. */
function toAnswer(result: ExecutionResult): Answer {
  const { data, errors } = JSON.parse(JSON.stringify(result)) as {
    data?: unknown;
    errors?: { message: string; path?: unknown; extensions: { code: string; fields?: [] } }[];
  };
  return {
    data: data ?? null,
    errors: (errors ?? []).map(({ message, path, extensions }) => ({
      message,
      code: extensions.code,
      ...(extensions.fields ? { fields: extensions.fields } : {}),
      ...(path ? { path } : {}),
    })),
  };
}
