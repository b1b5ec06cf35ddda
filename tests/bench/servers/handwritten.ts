/**
 * What somebody would write by hand for one page of one entity: node:http, `pg`, the product's own SQL in the product's own
 * transaction, rows to JSON. No identity, no GraphQL.
 */
import { createServer } from 'node:http';
import pg from 'pg';

interface HandwrittenOptions {
  readonly url: string;
  readonly statement: { readonly text: string; readonly values: unknown[] };
  /** The setting that row-level security reads. */
  readonly claims: string;
  /** Answer's field → member of `data`. */
  readonly fields: readonly (readonly [string, string])[];
}

const [, , , port = '0', text = '{}'] = process.argv;
const { url, statement, claims, fields } = JSON.parse(text) as HandwrittenOptions;

interface Row {
  id: string;
  data: Record<string, unknown>;
  version: number;
}

const pool = new pg.Pool({ connectionString: url, max: 10, pipeline: true });

async function readRows(): Promise<Row[]> {
  const client = await pool.connect();
  try {
    const answers = await Promise.all([
      client.query({ name: 'begin', text: 'begin' }),
      client.query({
        name: 'claims',
        text: "select set_config('request.jwt.claims', $1, true)",
        values: [claims],
      }),
      client.query<Row>({ name: 'page', ...statement }),
      client.query({ name: 'commit', text: 'commit' }),
    ]);
    return answers[2].rows;
  } finally {
    client.release();
  }
}

createServer((request, response) => {
  request.resume();
  readRows().then(
    (rows) => {
      const nodes = rows.slice(0, 50).map(({ id, data, version }) => {
        const node: Record<string, unknown> = { id };
        for (const [name, key] of fields) node[name] = data[key] ?? null;
        node.version = version;
        return node;
      });
      const answer = JSON.stringify({ data: { movies: { nodes } } });
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer),
      });
      response.end(answer);
    },
    (error: unknown) => {
      response.writeHead(500).end(String(error));
    },
  );
}).listen(Number(port), '127.0.0.1');
