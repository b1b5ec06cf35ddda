/** The entities subgraph on a database full of records, and what it sends there, to be sent again by hand. */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { createRecordDatabase } from '#prisma/record-database.ts';
import type { RecordDatabase, Statement } from '#prisma/record-database.ts';
import { databaseRoles, roleUrl } from '#prisma/roles.ts';
import { databaseClaims } from '#schema/claims.ts';
import type { Claims } from '#schema/claims.ts';
import { createEntitiesService } from '#subgraphs/entities/service.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createLocalWakeUp } from '#subgraphs/server/wake-up/local.ts';
import { testClaims } from '#tests/harness/claims.ts';
import { createTestDatabase } from '#tests/harness/database.ts';
import { fill } from './fill.ts';
import type { Operation } from './operations.ts';

export interface Tenant {
  readonly id: string;
  readonly claims: Claims;
}

/** The statements of one transaction; the last one of a write goes with COMMIT. */
export type Call = readonly Statement[];

export interface RecordsSubject extends AsyncDisposable {
  readonly tenants: readonly Tenant[];
  readonly appUrl: string;
  /** Throws where the answer has an error. */
  ask(tenant: Tenant | undefined, operation: Operation): Promise<string>;
  /** What one `ask` sends to the database. */
  record(tenant: Tenant, operation: Operation): Promise<readonly Call[]>;
  /** The same statements, in transactions under the same claims. Ids of new records are new ones each time. */
  sendByHand(pool: pg.Pool, tenant: Tenant | undefined, calls: readonly Call[]): Promise<unknown[]>;
  /** The slowest of the statements, as EXPLAIN ANALYZE times it: the median of nine. */
  databaseMs(pool: pg.Pool, tenant: Tenant | undefined, calls: readonly Call[]): Promise<number>;
}

const entities = [
  { name: 'region', fields: [{ name: 'name', type: 'TEXT' }] },
  {
    name: 'company',
    fields: [
      { name: 'name', type: 'TEXT' },
      { name: 'region', type: 'RELATION', targetEntity: 'region', inverseName: 'companies' },
    ],
  },
  {
    name: 'person',
    pluralName: 'people',
    fields: [
      { name: 'name', type: 'TEXT', isSearchable: false },
      { name: 'code', type: 'TEXT', isUnique: true },
      { name: 'score', type: 'INTEGER' },
      { name: 'joined', type: 'DATE' },
      {
        name: 'status',
        type: 'SELECT',
        options: ['OPEN', 'DONE', 'LATE'].map((value) => ({ value, label: value })),
      },
      { name: 'note', type: 'LONG_TEXT', isSearchable: true, isFilterable: false, isSortable: false },
      { name: 'company', type: 'RELATION', targetEntity: 'company', inverseName: 'people' },
    ],
  },
];

export async function createRecordsSubject(options: {
  tenants: number;
  recordsPerTenant: number;
  connections: number;
}): Promise<RecordsSubject> {
  await using opening = new AsyncDisposableStack();
  const test = opening.use(await createTestDatabase());
  const plain = opening.use(createRecordDatabase({ ...test, poolSize: options.connections }));
  let recorded: Statement[][] | null = null;
  const database = noting(plain, (call) => recorded?.push(call));
  const admin = new pg.Client(test.url);
  await admin.connect();
  opening.defer(() => admin.end());
  const wakeUp = opening.use(createLocalWakeUp());
  const definitions = createDefinitionStore(database);
  const records = createRecordStore(database, wakeUp, { reload: definitions.load });
  const logger = pino({ level: 'error' });
  const service = opening.use(createEntitiesService({ records, definitions, logger, wakeUp }));

  const run = async (claims: Claims, query: string, variables: Record<string, unknown> = {}) => {
    const request = {
      query,
      variables,
      claims,
      definitionsVersion: null,
      requestId: 'bench',
      clientAddress: null,
    };
    const answer = await service.execute(request);
    if (answer.errors) throw new Error(JSON.stringify(answer.errors));
    return JSON.stringify(answer);
  };

  const tenants: Tenant[] = [];
  for (let n = 0; n < options.tenants; n++) {
    const id = randomUUID();
    const claims = testClaims(id);
    await admin.query('insert into tenants (id, name, slug) values ($1, $2, $2)', [id, `bench-${n}`]);
    await admin.query('insert into tenant_heads (tenant_id) values ($1)', [id]);
    const create = 'mutation ($input: CreateEntityInput!) { createEntity(input: $input) { id } }';
    for (const input of entities) await run(claims, create, { input });
    await fill(admin, id, options.recordsPerTenant);
    tenants.push({ id, claims });
    process.stdout.write(`filled tenant ${n + 1} of ${options.tenants}\n`);
  }
  await admin.query('vacuum analyze records');
  const opened = opening.move();

  const ask = (tenant: Tenant | undefined, { query, variables }: Operation): Promise<string> =>
    run((tenant as Tenant).claims, query, variables?.());
  return {
    tenants,
    appUrl: roleUrl(test.url, databaseRoles.app, test.rolePassword),
    ask,
    async record(tenant, operation) {
      recorded = [];
      await ask(tenant, operation);
      const calls = recorded;
      recorded = null;
      return calls;
    },
    async sendByHand(pool, tenant, calls) {
      const answers: unknown[] = [];
      for (const call of withNewIds(calls))
        await inTransaction(pool, tenant, async (client) => {
          for (const statement of call) answers.push((await client.query(statement)).rows);
        });
      return answers;
    },
    async databaseMs(pool, tenant, calls) {
      const times = [];
      for (const statement of calls.flat()) {
        const own: number[] = [];
        for (let n = 0; n < 9; n++) {
          await inTransaction(pool, tenant, async (client) => {
            const text = `explain (analyze, timing off, format json) ${statement.text}`;
            const { rows } = await client.query({ text, values: statement.values ?? [] });
            own.push(rows[0]['QUERY PLAN'][0]['Execution Time']);
          });
        }
        times.push(own.toSorted((a, b) => a - b)[4] ?? 0);
      }
      return Math.max(...times);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

async function inTransaction(
  pool: pg.Pool,
  tenant: Tenant | undefined,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query({
      name: 'claims',
      text: "select set_config('request.jwt.claims', $1, true)",
      values: [databaseClaims((tenant as Tenant).claims)],
    });
    await work(client);
    await client.query('commit');
  } finally {
    client.release();
  }
}

/** Version 7 ids in the calls are those of records that were made there. */
function withNewIds(calls: readonly Call[]): readonly Call[] {
  if (!calls.some((call) => call.length > 1)) return calls;
  const text = JSON.stringify(calls);
  const ids = new Set(text.match(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g));
  const fresh = new Map([...ids].map((id) => [id, randomUUID()]));
  return JSON.parse(
    text.replaceAll(
      /[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g,
      (id) => fresh.get(id) as string,
    ),
  ) as Call[];
}

function noting(database: RecordDatabase, note: (call: Statement[]) => void): RecordDatabase {
  return {
    transaction(claims, work) {
      const call: Statement[] = [];
      return database.transaction(claims, async (tx) => {
        const result = await work({
          claims: tx.claims,
          query(statement) {
            call.push(statement);
            return tx.query(statement);
          },
          finish(statement) {
            call.push(typeof statement === 'string' ? { text: statement } : statement);
            return tx.finish(statement);
          },
        });
        note(call);
        return result;
      });
    },
    read(claims, statement) {
      note([statement]);
      return database.read(claims, statement);
    },
    platform: (statement) => database.platform(statement),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}
