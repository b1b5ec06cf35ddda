/**
 * `npm run bench -- --product`: a page of 50 records from PostgreSQL through the whole product as `npm start` runs it,
 * beside one handwritten handler that sends the same SQL. Writes tests/bench/results/product.json.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#prisma/embedded.ts';
import { createRecordDatabase } from '#prisma/record-database.ts';
import type { RecordDatabase, Statement } from '#prisma/record-database.ts';
import { databaseRoles, deriveRolePassword, roleUrl } from '#prisma/roles.ts';
import { anonymousClaims, databaseClaims } from '#schema/claims.ts';
import type { Claims } from '#schema/claims.ts';
import { createDefinitionStore } from '#subgraphs/entities/store/definition-store.ts';
import { createRecordStore } from '#subgraphs/entities/store/records.ts';
import { createClient } from '#tests/harness/client.ts';
import { defineMovies, loadMovies, readMovies } from '#tests/harness/movies.ts';
import { measureInTurns } from './measure.ts';
import type { MeasureOptions } from './measure.ts';
import { findFreePort, startProcess } from './processes.ts';
import { formatTable, writeResults } from './table.ts';
import { waitUntilOk } from './tenants/platform.ts';

const fields = ['title', 'usGross', 'distributor', 'imdbRating', 'imdbVotes'];
const query = `query Page { movies(first: 50) { nodes { id ${fields.join(' ')} version } } }`;
const secret = 'tenantry-bench-secret';

export async function benchProduct(options: MeasureOptions): Promise<void> {
  await using running = new AsyncDisposableStack();
  const dataFolder = await mkdtemp(join(tmpdir(), 'tenantry-bench-'));
  running.defer(() => rm(dataFolder, { recursive: true, force: true }));
  const postgres = await startEmbeddedPostgres({ dataFolder });
  running.defer(() => postgres.close());

  const port = await findFreePort();
  const env = {
    PORT: String(port),
    HOST: '127.0.0.1',
    DATABASE_URL: postgres.url,
    SUBGRAPH_SECRET: secret,
    TENANTRY_DATA: dataFolder,
    LOG_LEVEL: 'warn',
    RATE_LIMIT_PER_MINUTE: '100000000',
  };
  const product = running.use(startProcess('../../main.ts', [], { env }));
  const url = `http://127.0.0.1:${port}`;
  await waitUntilOk(`${url}/readyz`);
  const { tenantId, token } = await fillTenant(url);

  const { statement, keys } = await captureStatement(postgres.url, tenantId);
  const handwrittenPort = await findFreePort();
  const settings = {
    url: roleUrl(postgres.url, databaseRoles.app, deriveRolePassword(secret)),
    statement,
    claims: databaseClaims(claimsOf(tenantId)),
    fields: fields.map((name) => [name, keys.get(name) ?? name]),
  };
  const handwritten = running.use(
    startProcess('servers/handwritten.ts', ['', String(handwrittenPort), JSON.stringify(settings)]),
  );

  await waitUntilOk(`http://127.0.0.1:${handwrittenPort}/`);

  const headers = { authorization: `Bearer ${token}` };
  const targets = [
    {
      name: 'bare',
      title: 'handwritten handler, same SQL',
      server: handwritten,
      url: `http://127.0.0.1:${handwrittenPort}/`,
    },
    { name: 'gateway', title: 'the whole product', server: product, url: `${url}/graphql` },
  ];
  const expected = await answerOf(targets[0]?.url ?? '', headers);
  for (const { title, url: target } of targets) {
    const answer = await answerOf(target, headers);
    if (answer !== expected) throw new Error(`${title} answers something else: ${answer.slice(0, 300)}`);
  }
  const requests = [{ body: JSON.stringify({ query }), headers }];
  const subjects = targets.map(({ server, url: target }) => ({ server, target: { url: target, requests } }));
  const runs = await measureInTurns(subjects, options);
  const results = targets.map(({ name, title }, index) => ({ name, title, runs: runs[index] ?? [] }));
  const result = {
    shape: 'product',
    title: 'page of 50 records from PostgreSQL',
    answerBytes: Buffer.byteLength(expected),
    results,
  };
  process.stdout.write(`\n${formatTable(result)}\n\nWritten to ${writeResults('product', [result])}\n`);
}

/** A tenant with a thousand movies. */
async function fillTenant(url: string): Promise<{ tenantId: string; token: string }> {
  await using anonymous = createClient(url, {});
  const { registerTenant } = await anonymous.query(
    'mutation ($input: RegisterTenantInput!) { registerTenant(input: $input) { tenant { id } accessToken } }',
    {
      input: {
        name: 'Bench',
        slug: 'bench',
        adminEmail: 'admin@bench.example',
        adminPassword: 'correct horse battery',
        plan: 'ENTERPRISE',
      },
    },
  );
  const token = registerTenant.accessToken as string;
  await using admin = createClient(url, { authorization: `Bearer ${token}` });
  const movies = (await readMovies()).slice(0, 1_000);
  await defineMovies(admin, movies);
  await loadMovies(admin, movies);
  return { tenantId: registerTenant.tenant.id as string, token };
}

function claimsOf(tenantId: string): Claims {
  return { ...anonymousClaims, tenantId, actorKind: 'SYSTEM' };
}

/** The statement that the product's store sends for such a page, and where each field is in a record's data. */
async function captureStatement(
  url: string,
  tenantId: string,
): Promise<{ statement: Statement; keys: Map<string, string> }> {
  await using database = createRecordDatabase({ url, rolePassword: deriveRolePassword(secret) });
  const captured: Statement[] = [];
  const recording: RecordDatabase = {
    transaction: database.transaction.bind(database),
    platform: database.platform.bind(database),
    read(claims, statement) {
      captured.push(statement);
      return database.read(claims, statement);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
  const definitions = createDefinitionStore(database);
  const claims = claimsOf(tenantId);
  const model = await definitions.load(claims);
  const entity = model.entityByName.get('movie');
  if (!entity) throw new Error('The tenant has no movies');
  const store = createRecordStore(recording, { publish: () => undefined }, { reload: definitions.load });
  await store.list({ claims, model, requestId: 'bench' }, { entity, first: 50 });
  const [statement] = captured;
  if (!statement) throw new Error('The store read nothing');
  return { statement, keys: new Map(entity.fields.map((field) => [field.name, field.key])) };
}

async function answerOf(url: string, headers: Record<string, string>): Promise<string> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({ query }),
  });
  return (await response.text()).trim();
}
