/** The record store's way to PostgreSQL: `pg` with pipelined connections, and a transaction that is always a tenant's. */
import pg from 'pg';
import type { Claims } from '#schema/claims.ts';
import { databaseClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { runBracketed, type Statement } from './bracketed-query.ts';
import { databaseRoles, roleUrl } from './roles.ts';
import { columnTypes } from './column-types.ts';

export type { Statement };

export interface TenantTransaction {
  /** Their `tenantId` is not null. */
  readonly claims: Claims & { readonly tenantId: string };
  /**
   * Statements are sent without waiting for the answers before them, and run in the order of the calls. After one
   * failed, the transaction can only fail, with that error.
   */
  query<Row extends object>(statement: Statement): Promise<Row[]>;
  /**
   * The last statement and COMMIT, in one network message, so that the locks it takes are held as short as can be.
   * A string has no parameters (escape with `pg.escapeLiteral`). Nothing may follow.
   */
  finish<Row extends object>(statement: string | Statement): Promise<Row[]>;
}

export interface RecordDatabase extends AsyncDisposable {
  /**
   * One connection as tenantry_app and one READ COMMITTED transaction under `claims`. Commits when `work` resolves
   * (unless `finish` did), rolls back when it throws, and throws what `work` threw; PostgreSQL's own errors keep their
   * `code` (SQLSTATE). TENANT_REQUIRED where the claims name no tenant.
   */
  transaction<T>(claims: Claims, work: (tx: TenantTransaction) => Promise<T>): Promise<T>;
  /** One statement under `claims`, in a transaction of its own; one round trip. TENANT_REQUIRED as above. */
  read<Row extends object>(claims: Claims, statement: Statement): Promise<Row[]>;
  /** One statement as tenantry_platform: log heads across tenants, versions, retention. */
  platform<Row extends object>(statement: Statement): Promise<Row[]>;
}

export interface RecordDatabaseOptions {
  url: string;
  /** See `deriveRolePassword`; null where the roles log in without one. */
  rolePassword: string | null;
  /** Connections as tenantry_app. Default 10; tenantry_platform has at most 4 more. */
  poolSize?: number;
}

/** Prepared on every connection before its first use. */
const begin = { name: 'tenantry_begin', text: 'begin isolation level read committed' };
const setClaims = { name: 'tenantry_claims', text: "select set_config('request.jwt.claims', $1, true)" };
const commit = { name: 'tenantry_commit', text: 'commit' };

/** SQLSTATE of every statement after the one that failed. */
const transactionAborted = '25P02';

const connectionOptions = {
  types: columnTypes,
  idleTimeoutMillis: 60_000,
  /** For a connection, or for one to become free. */
  connectionTimeoutMillis: 15_000,
  keepAlive: true,
  /** A statement that nobody waits for any more, and a transaction whose process hangs, give their locks back. */
  statement_timeout: 60_000,
  idle_in_transaction_session_timeout: 60_000,
};

export function createRecordDatabase(options: RecordDatabaseOptions): RecordDatabase {
  const app = new pg.Pool({
    connectionString: roleUrl(options.url, databaseRoles.app, options.rolePassword),
    max: options.poolSize ?? 10,
    ...connectionOptions,
    pipeline: true,
    // The pool waits for it, which its types do not say.
    // oxlint-disable-next-line typescript/no-misused-promises
    onConnect: prepareConnection,
  });
  const platform = new pg.Pool({
    connectionString: roleUrl(options.url, databaseRoles.platform, options.rolePassword),
    ...connectionOptions,
    max: 4,
  });
  // An idle connection that breaks is replaced; whoever uses a broken one gets the error there.
  app.on('error', () => {});
  platform.on('error', () => {});

  return {
    transaction: async (claims, work) => runTransaction(app, requireTenant(claims), work),
    async read<Row extends object>(claims: Claims, statement: Statement): Promise<Row[]> {
      const before = [{ name: setClaims.name, values: [databaseClaims(requireTenant(claims))] }];
      const client = await app.connect();
      let broken = false;
      try {
        return await inOneMessage(client, () =>
          runBracketed<Row>(client, statement, columnTypes, { before }),
        );
      } catch (error) {
        broken = !(error instanceof pg.DatabaseError);
        throw error;
      } finally {
        client.release(broken);
      }
    },
    async platform<Row extends object>(statement: Statement): Promise<Row[]> {
      return (await platform.query<Row>(statement)).rows;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([app.end(), platform.end()]);
    },
  };
}

function requireTenant(claims: Claims): TenantTransaction['claims'] {
  if (claims.tenantId === null) throw new DomainError('TENANT_REQUIRED', 'This needs a tenant');
  return claims as TenantTransaction['claims'];
}

/** Prepares the statements that open and close transactions; `runBracketed` binds them by name. */
async function prepareConnection(client: pg.ClientBase): Promise<void> {
  // A connection that breaks in use fails its statements; without a listener it would end the process as well.
  client.on('error', () => {});
  await Promise.all([
    client.query(begin),
    client.query({ ...setClaims, values: [''] }),
    client.query(commit),
  ]);
}

async function runTransaction<T>(
  pool: pg.Pool,
  claims: TenantTransaction['claims'],
  work: (tx: TenantTransaction) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let isOpen = true;
  let isFinished = false;
  let firstError: unknown;

  /** Remembers the first failure. Who does not wait for an answer still gets its error, from the transaction. */
  const watch = <Row>(rows: Promise<Row[]>): Promise<Row[]> => {
    rows.catch((error: unknown) => {
      firstError ??= error;
    });
    return rows;
  };
  const tx: TenantTransaction = {
    claims,
    query(statement) {
      if (!isOpen) return Promise.reject(new Error('The transaction is over'));
      return watch(runBracketed<never>(client, statement, columnTypes, {}));
    },
    finish(statement) {
      if (!isOpen) return Promise.reject(new Error('The transaction is over'));
      isOpen = false;
      const last = typeof statement === 'string' ? { text: statement } : statement;
      const after = [{ name: commit.name, values: [] }];
      const rows = inOneMessage(client, () => runBracketed<never>(client, last, columnTypes, { after }));
      return watch(
        rows.then((result) => {
          isFinished = true;
          return result;
        }),
      );
    },
  };

  let broken = false;
  try {
    const started = inOneMessage(client, () => {
      const opening = { ...setClaims, values: [databaseClaims(claims)] };
      const before = [{ name: begin.name, values: [] }];
      void watch(runBracketed(client, opening, columnTypes, { before }));
      return work(tx);
    });
    const result = await started;
    if (!isFinished) {
      // `finish` without waiting for it, or not at all: either way this answer comes after all others.
      const wasOpen = isOpen;
      isOpen = false;
      const end = await client.query(commit);
      if (firstError !== undefined) throw firstError;
      if (wasOpen && end.command !== 'COMMIT') throw new Error('The transaction was rolled back');
    }
    return result;
  } catch (error) {
    isOpen = false;
    const isWhole = await rollBack(client);
    broken = !isWhole || (firstError !== undefined && !(firstError instanceof pg.DatabaseError));
    throw isAborted(error) && firstError !== undefined ? firstError : error;
  } finally {
    client.release(broken);
  }
}

function isAborted(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === transactionAborted;
}

/** Whether the connection is fit for use again. */
async function rollBack(client: pg.PoolClient): Promise<boolean> {
  try {
    await client.query('rollback');
    return true;
  } catch {
    return false;
  }
}

/** Holds back the connection's socket while `send` runs synchronously, so that its messages leave as one. */
function inOneMessage<T>(client: pg.PoolClient, send: () => T): T {
  const { stream } = client.connection;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}
