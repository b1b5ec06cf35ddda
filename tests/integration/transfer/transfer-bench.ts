/** Transfers over a real database and a folder of their own, driven as resolvers drive them. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { createRecordDatabase, type RecordDatabase } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { CreateEntityInput } from '#subgraphs/entities/definitions/definition-input.ts';
import { createDefinitionStore, type DefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import type { RecordStore, StoredRecord } from '#subgraphs/entities/store/record-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createFileRecords } from '#subgraphs/entities/store/file-records.ts';
import { createKnownKeys } from '#subgraphs/entities/store/transfer-keys.ts';
import { createTransferStore } from '#subgraphs/entities/store/transfer-store.ts';
import { createDiskFiles } from '#subgraphs/entities/files/disk-files.ts';
import type { FileRecords } from '#subgraphs/entities/files/file-records.ts';
import type { FileStore } from '#subgraphs/entities/files/file-store.ts';
import { createTenantFiles } from '#subgraphs/entities/files/tenant-files.ts';
import {
  createTransferService,
  type TransferService,
  type TransferServiceOptions,
} from '#subgraphs/entities/transfer/service.ts';
import type { TenantPeople } from '#subgraphs/entities/transfer/tenant/people.ts';
import { nobody } from '#subgraphs/entities/transfer/tenant/subgraph-people.ts';
import type { Transfer, TransferStore } from '#subgraphs/entities/transfer/transfer.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

export type TenantClaims = Claims & { tenantId: string };

export interface TransferBench extends AsyncDisposable {
  readonly database: RecordDatabase;
  readonly records: RecordStore;
  readonly definitions: DefinitionStore;
  readonly store: TransferStore;
  readonly files: FileStore;
  readonly fileRecords: FileRecords;
  readonly folder: string;
  /** As superuser. */
  sql<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
  /** A tenant, and claims of an admin of it who is in the users table. */
  addTenant(...entities: CreateEntityInput[]): Promise<TenantClaims>;
  addUser(tenantId: string, role: 'VIEWER' | 'USER' | 'DEVELOPER' | 'ADMIN'): Promise<TenantClaims>;
  define(claims: Claims, ...entities: CreateEntityInput[]): Promise<void>;
  /** A process that serves transfers; several may share the database and the folder. */
  service(
    overrides?: Partial<
      Pick<
        TransferServiceOptions,
        'store' | 'leaseSeconds' | 'maxUploadBytes' | 'maxTenantBytes' | 'maxRunning' | 'sliceMs'
      > & {
        records: RecordStore;
        people: TenantPeople;
        /** Of one file of a field. */
        maxFileBytes: number;
      }
    >,
  ): TransferService;
  all(claims: Claims, entity: string): Promise<StoredRecord[]>;
}

export async function createTransferBench(): Promise<TransferBench> {
  const test = await createTestDatabase();
  const admin = new pg.Pool({ connectionString: test.url, max: 2 });
  admin.on('error', () => undefined);
  const database = createRecordDatabase({ ...test, poolSize: 8 });
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-transfers-'));
  const wakeUp = createLocalWakeUp();
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const store = createTransferStore(database);
  const files = createDiskFiles(folder);
  const fileRecords = createFileRecords(database);
  const services: TransferService[] = [];

  const sql = async <Row extends object>(text: string, values: unknown[] = []): Promise<Row[]> =>
    (await admin.query<Row>(text, values)).rows;

  const bench: TransferBench = {
    ...{ database, records, definitions, store, files, fileRecords, folder, sql },

    async addTenant(...entities) {
      const id = randomUUID();
      await sql("insert into tenants (id, name, slug) values ($1, 'test', $2)", [id, `t-${id}`]);
      await sql('insert into tenant_heads (tenant_id) values ($1)', [id]);
      const claims = await bench.addUser(id, 'ADMIN');
      if (entities.length > 0) await bench.define(claims, ...entities);
      return claims;
    },

    async addUser(tenantId, role) {
      const claims = testClaims(tenantId, { role });
      const values = [claims.actorId, tenantId, `${claims.actorId}@example.com`, role];
      await sql(
        "insert into users (id, tenant_id, email, role, password_hash) values ($1, $2, $3, $4, '!')",
        values,
      );
      return claims;
    },

    async define(claims, ...entities) {
      await definitions.change({ claims, requestId: 'test' }, (draft) =>
        entities.map((entity) => draft.createEntity(entity)),
      );
    },

    service({ records: ownRecords = records, people = nobody, maxFileBytes = 10 ** 9, ...overrides } = {}) {
      const service = createTransferService({
        store,
        wakeUp,
        logger: pino({ level: 'silent' }),
        ...overrides,
        tools: {
          ...{ files, definitions, people, records: ownRecords, known: createKnownKeys(database) },
          tenantFiles: createTenantFiles({
            fileRecords,
            store: files,
            getMaxBytes: async () => maxFileBytes,
          }),
          getModel: (claims) => definitions.load(claims),
        },
      });
      services.push(service);
      return service;
    },

    async all(claims, entityName) {
      const model = await definitions.load(claims);
      const entity = model.entityByName.get(entityName);
      if (!entity) throw new Error(`no entity ${entityName}`);
      const found: StoredRecord[] = [];
      let after: string | null = null;
      do {
        const page = await records.list(
          { claims, model, requestId: 'test' },
          { entity, first: 1_000, after, orderBy: [{ createdAt: 'ASC' }] },
        );
        found.push(...page.edges.map((edge) => edge.record));
        after = page.hasNextPage ? (page.edges.at(-1)?.cursor ?? null) : null;
      } while (after !== null);
      return found;
    },

    async [Symbol.asyncDispose]() {
      for (const service of services) await service[Symbol.asyncDispose]();
      await wakeUp[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
      await admin.end();
      await test[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  return bench;
}

export function vegaFile(name: string): string {
  return join(import.meta.dirname, '../../../node_modules/vega-datasets/data', name);
}

export const readVega = (name: string): AsyncIterable<Uint8Array> => createReadStream(vegaFile(name));

export async function* bytesOf(...texts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield typeof text === 'string' ? Buffer.from(text) : text;
}

export async function put(
  service: TransferService,
  claims: Claims,
  transfer: Pick<Transfer, 'id'>,
  body: AsyncIterable<Uint8Array>,
  fileName: string | null = null,
): Promise<void> {
  await service.content.put({ claims, transferId: transfer.id, requestId: 'test', body, fileName });
}

/** The transfer at its end. */
export async function ended(
  service: TransferService,
  claims: Claims,
  transfer: Pick<Transfer, 'id'>,
): Promise<Transfer> {
  let last: Transfer | null = null;
  for await (const state of await service.follow(claims, transfer.id)) last = state;
  if (!last) throw new Error('the transfer was never seen');
  return last;
}

export async function download(
  service: TransferService,
  claims: Claims,
  transfer: Pick<Transfer, 'id'>,
): Promise<Buffer> {
  const { body } = await service.content.get({ claims, transferId: transfer.id, requestId: 'test' });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
