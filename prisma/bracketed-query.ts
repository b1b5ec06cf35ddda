/**
 * One statement with others bound in front of it and behind it, in one network message and one implicit transaction:
 * PostgreSQL runs everything up to the Sync as one, and skips the rest of it after an error.
 *
 * This uses what `pg.Query` does inside (`prepare`, `_getRows`, its handlers), which its types leave out; the
 * integration tests of record-database.ts would fail if a new version of `pg` moved any of it.
 */
import pg from 'pg';

export interface Statement {
  text: string;
  values?: unknown[];
  /** Prepared under this name on each connection; the same name always means the same text. */
  name?: string;
}

/** A statement that was prepared on the connection before, by its name. */
interface Prepared {
  name: string;
  values: string[];
}

export interface Brackets {
  before?: Prepared[];
  after?: Prepared[];
}

interface Wire {
  bind(config: { portal: string; statement: string; values: string[] }): void;
  execute(config: { portal: string }): void;
  sync(): void;
}

/** What `pg.Query` really is. */
interface QueryInternals {
  portal: string;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: unknown): void;
  prepare(connection: Wire): void;
}
const BaseQuery = pg.Query as unknown as new (
  config: Statement & { queryMode: 'extended'; types: pg.CustomTypesConfig },
  callback: (error: Error | null, result: { rows: object[] }) => void,
) => QueryInternals & pg.Submittable;

class BracketedQuery extends BaseQuery {
  readonly #brackets: Brackets;
  /** Command completions seen; the statement's own is the one at index `before.length`. */
  #completed = 0;

  constructor(
    statement: Statement,
    types: pg.CustomTypesConfig,
    brackets: Brackets,
    callback: (error: Error | null, result: { rows: object[] }) => void,
  ) {
    super({ ...statement, types, queryMode: 'extended' }, callback);
    this.#brackets = brackets;
  }

  override prepare(connection: Wire): void {
    for (const prepared of this.#brackets.before ?? []) send(connection, prepared);
    super.prepare(connection);
  }

  /** Called by `prepare` once the statement is bound. */
  _getRows(connection: Wire): void {
    connection.execute({ portal: this.portal });
    for (const prepared of this.#brackets.after ?? []) send(connection, prepared);
    connection.sync();
  }

  get #isOwnTurn(): boolean {
    return this.#completed === (this.#brackets.before?.length ?? 0);
  }

  override handleDataRow(message: unknown): void {
    if (this.#isOwnTurn) super.handleDataRow(message);
  }

  override handleCommandComplete(message: unknown, connection: unknown): void {
    const isOwn = this.#isOwnTurn;
    this.#completed += 1;
    if (isOwn) super.handleCommandComplete(message, connection);
  }
}

function send(connection: Wire, prepared: Prepared): void {
  connection.bind({ portal: '', statement: prepared.name, values: prepared.values });
  connection.execute({ portal: '' });
}

/** Sends `statement` between its brackets on a pipelined client and resolves with its rows. */
export function runBracketed<Row extends object>(
  client: pg.ClientBase,
  statement: Statement,
  types: pg.CustomTypesConfig,
  brackets: Brackets,
): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const query = new BracketedQuery(statement, types, brackets, (error, result) => {
      if (error) reject(error);
      else resolve(result.rows as Row[]);
    });
    client.query(query);
  });
}
