/** The entities subgraph on a real database, asked the way the gateway asks it. */
import { randomUUID } from 'node:crypto';
import type { ExecutionResult } from 'graphql';
import pg from 'pg';
import { pino } from 'pino';
import { createRecordDatabase, type RecordDatabase, type Statement } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { FieldError } from '#schema/errors.ts';
import {
  createEntitiesService,
  type EntitiesService,
  type EntitiesServiceOptions,
} from '#subgraphs/entities/service.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import type { RecordStore } from '#subgraphs/entities/store/record-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
export type Anything = any;

export interface Refusal {
  code: string;
  message: string;
  fields: FieldError[];
}

export interface EntitiesTenant {
  id: string;
  claims: Claims & { tenantId: string };
  /** As a caller with other claims (`{ role: 'VIEWER' }`). */
  as(claims: Partial<Claims>): EntitiesTenant;
  send(
    query: string,
    variables?: Record<string, unknown>,
    definitionsVersion?: number | null,
  ): Promise<ExecutionResult>;
  /** The data; throws when there is any error. */
  query(
    query: string,
    variables?: Record<string, unknown>,
    definitionsVersion?: number | null,
  ): Promise<Anything>;
  /** The first error; throws when there is none. */
  refusal(query: string, variables?: Record<string, unknown>): Promise<Refusal>;
  createEntity(input: Record<string, unknown>): Promise<Anything>;
  createField(entity: string, input: Record<string, unknown>): Promise<Anything>;
  /** As the database has it. */
  version(): Promise<number>;
}

export interface EntitiesFixture extends AsyncDisposable {
  readonly service: EntitiesService;
  readonly records: RecordStore;
  readonly database: RecordDatabase;
  readonly superuser: pg.Client;
  /** Statements that the service sent since `work` began, COMMITs and claims not counted. */
  countStatements<T>(work: () => Promise<T>): Promise<{ result: T; statements: string[] }>;
  addTenant(): Promise<EntitiesTenant>;
  /** Another process on the same database; the fixture disposes it. */
  createService(): EntitiesService;
  tenantOf(service: EntitiesService, claims: EntitiesTenant['claims']): EntitiesTenant;
}

/** `addParts`: what a service needs beside records and definitions. */
export async function createEntitiesFixture(
  addParts: (database: RecordDatabase) => Partial<EntitiesServiceOptions> = () => ({}),
): Promise<EntitiesFixture> {
  await using opening = new AsyncDisposableStack();
  const testDatabase = opening.use(await createTestDatabase());
  const plain = opening.use(createRecordDatabase(testDatabase));
  const statements: string[] = [];
  const database = recording(plain, statements);
  const superuser = new pg.Client(testDatabase.url);
  superuser.on('error', () => {});
  await superuser.connect();
  opening.defer(() => superuser.end());
  const wakeUp = opening.use(createLocalWakeUp());
  const logger = pino({ level: process.env['LOG'] ?? 'silent' });
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const createService = (): EntitiesService =>
    opened.use(createEntitiesService({ records, definitions, logger, wakeUp, ...addParts(database) }));
  const opened = opening.move();
  const service = createService();

  return {
    service,
    records,
    database,
    superuser,
    createService,
    tenantOf: (of, claims) => asTenant(superuser, of, claims),
    async countStatements(work) {
      const before = statements.length;
      const result = await work();
      return { result, statements: statements.slice(before) };
    },
    async addTenant() {
      const id = randomUUID();
      await superuser.query('insert into tenants (id, name, slug) values ($1, $2, $2)', [id, `tenant-${id}`]);
      await superuser.query('insert into tenant_heads (tenant_id) values ($1)', [id]);
      return asTenant(superuser, service, testClaims(id));
    },
    async [Symbol.asyncDispose]() {
      await opened.disposeAsync();
    },
  };
}

function asTenant(
  superuser: pg.Client,
  service: EntitiesService,
  claims: EntitiesTenant['claims'],
): EntitiesTenant {
  const tenant: EntitiesTenant = {
    id: claims.tenantId,
    claims,
    as: (other) => asTenant(superuser, service, { ...claims, ...other, tenantId: claims.tenantId }),
    send: (query, variables = {}, definitionsVersion = null) =>
      service.execute({
        query,
        variables,
        claims,
        definitionsVersion,
        requestId: 'test',
        clientAddress: null,
      }),
    async query(query, variables, definitionsVersion) {
      const result = await tenant.send(query, variables, definitionsVersion);
      if (result.errors) throw new Error(`${query.slice(0, 300)}\n${JSON.stringify(result.errors, null, 1)}`);
      // As JSON, the way it leaves the subgraph.
      return JSON.parse(JSON.stringify(result.data));
    },
    async refusal(query, variables) {
      const result = await tenant.send(query, variables);
      const [error] = result.errors ?? [];
      if (!error) throw new Error(`expected an error, got ${JSON.stringify(result.data)}`);
      const { code, fields } = error.extensions as { code: string; fields?: FieldError[] };
      return { code, message: error.message, fields: fields ?? [] };
    },
    async createEntity(input) {
      const { createEntity } = await tenant.query(
        `mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id name pluralName typeName position fields { ${fieldMembers} } } }`,
        { input },
      );
      return createEntity;
    },
    async createField(entity, input) {
      const { createField } = await tenant.query(
        `mutation ($entity: String!, $input: FieldInput!) { createField(entity: $entity, input: $input) { ${fieldMembers} } }`,
        { entity, input },
      );
      return createField;
    },
    async version() {
      const { rows } = await superuser.query(
        'select definitions_version::int as version from tenant_heads where tenant_id = $1',
        [claims.tenantId],
      );
      return rows[0].version;
    },
  };
  return tenant;
}

export const fieldMembers = `id name label description type isRequired isUnique isSearchable isFilterable isSortable isIndexed
  defaultValue validation { minLength maxLength min max pattern } options { value label } targetEntity inverseName onDelete uiConfig position`;

/** Notes the text of every statement that goes to the database. */
function recording(database: RecordDatabase, statements: string[]): RecordDatabase {
  const note = (statement: Statement | string): void => {
    statements.push(typeof statement === 'string' ? statement : statement.text);
  };
  return {
    transaction: (claims, work) =>
      database.transaction(claims, (tx) =>
        work({
          claims: tx.claims,
          query(statement) {
            note(statement);
            return tx.query(statement);
          },
          finish(statement) {
            note(statement);
            return tx.finish(statement);
          },
        }),
      ),
    read(claims, statement) {
      note(statement);
      return database.read(claims, statement);
    },
    platform: (statement) => database.platform(statement),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
