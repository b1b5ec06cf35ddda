/** What every engine behind the seam owes (execution/executor.ts), for each one that there is. */
import { GraphQLError, type ExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type {
  ExecutionRequest,
  GraphEngine,
  LiveSubscription,
  LoadedGraph,
  PreparedOperation,
  SubgraphMap,
} from '#gateway/execution/executor.ts';
import { parseOperation } from '#gateway/execution/parse-operation.ts';
import { createStockEngine } from '#gateway/execution/stock/engine.ts';
import { createComposer } from '#gateway/graph/composer.ts';
import { tenantScope } from '#gateway/graph/scope.ts';
import { collectSources } from '#gateway/graph/subgraph-sdl.ts';
import type { Claims } from '#schema/claims.ts';
import { createTestSubgraphs, type TestSubgraphs, type TestTenant } from './fixtures/test-subgraphs.ts';

type CreateEngine = (options: { subgraphs: SubgraphMap; introspection?: boolean }) => GraphEngine;

const engines: [string, CreateEngine][] = [
  ['stock', createStockEngine],
  ['compiled', createCompiledEngine],
];

describe.each(engines)('the %s engine', (_name, createEngine) => {
  const composer = createComposer();
  const tenant: TestTenant = {
    id: 't1',
    slug: 'acme',
    status: 'ACTIVE',
    definitionsVersion: 1,
    authVersion: 1,
    fields: ['rating'],
    isBroken: false,
    movies: new Map(),
  };
  const claims: Claims = {
    tenantId: 't1',
    actorKind: 'USER',
    actorId: 'u1',
    role: 'ADMIN',
    authVersion: 1,
    sessionId: 's',
  };
  let subgraphs: TestSubgraphs;
  let map: SubgraphMap;
  let graph: LoadedGraph;

  beforeAll(async () => {
    subgraphs = createTestSubgraphs(
      () => tenant,
      () => undefined,
    );
    map = new Map(subgraphs.services.map((service) => [service.name, service]));
    graph = await loadGraph(createEngine({ subgraphs: map }));
    for (const title of ['a', 'b']) {
      tenant.movies.set(title, { id: title, title, rating: `rating of ${title}`, createdBy: { id: 'u1' } });
    }
  });
  afterAll(() => composer[Symbol.asyncDispose]());

  async function loadGraph(engine: GraphEngine): Promise<LoadedGraph> {
    const { services } = await collectSources(map, tenantScope('t1'), 1);
    return engine.load(await composer.compose(services));
  }
  function tryPrepare(query: string, on = graph): ReturnType<LoadedGraph['prepare']> {
    const parsed = parseOperation(query, null);
    if ('errors' in parsed) throw new Error(parsed.errors[0]?.message);
    return on.prepare(parsed);
  }
  function prepare(query: string, on = graph): PreparedOperation {
    const operation = tryPrepare(query, on);
    if ('errors' in operation) throw new Error(operation.errors[0]?.message);
    return operation;
  }
  const request = (variables: Record<string, unknown> = {}): ExecutionRequest => ({
    variables,
    claims,
    definitionsVersion: 1,
    requestId: 'r1',
    clientAddress: '192.0.2.1',
  });
  /** As a client would see it. */
  const seen = (result: ExecutionResult): unknown => JSON.parse(JSON.stringify(result));
  async function open(query: string, variables?: Record<string, unknown>): Promise<LiveSubscription> {
    const live = await prepare(query).subscribe(request(variables));
    if (!(Symbol.asyncIterator in live)) throw new Error(JSON.stringify(live));
    return live;
  }

  it('answers across subgraphs, and tells each who asks', async () => {
    const operation = prepare('query Q { movies { id createdBy { email } } plans }');
    expect(operation.summary).toEqual({ kind: 'query', operationName: 'Q', rootFields: ['movies', 'plans'] });
    expect(operation.heapBytes).toBeGreaterThan(0);
    const before = subgraphs.seen.length;
    expect(seen(await operation.execute(request()))).toEqual({
      data: {
        movies: [
          { id: 'a', createdBy: { email: 'u1@example.com' } },
          { id: 'b', createdBy: { email: 'u1@example.com' } },
        ],
        plans: ['FREE', 'PROFESSIONAL'],
      },
    });
    for (const { request: sent } of subgraphs.seen.slice(before)) {
      expect(sent).toMatchObject({
        claims,
        definitionsVersion: 1,
        requestId: 'r1',
        clientAddress: '192.0.2.1',
      });
    }
  });

  it('gives clients’ SDL without federation’s own', () => {
    expect(graph.apiSdl).toContain('type MovieChange {');
    expect(graph.apiSdl).not.toMatch(/@key|_entities|join__/);
  });

  it('refuses what does not validate, and introspection where it is off', async () => {
    const refused = tryPrepare('{ nosuch }');
    expect('errors' in refused && refused.errors[0]?.extensions['code']).toBe('GRAPHQL_VALIDATION_FAILED');
    const closed = await loadGraph(createEngine({ subgraphs: map, introspection: false }));
    expect('errors' in tryPrepare('{ __schema { queryType { name } } }', closed)).toBe(true);
    expect('errors' in tryPrepare('{ __typename }', closed)).toBe(false);
    const open = await prepare('{ __type(name: "Movie") { name } plans }').execute(request());
    expect(seen(open)).toMatchObject({ data: { __type: { name: 'Movie' } } });
  });

  it('coerces variables, and answers no data where they do not fit', async () => {
    const operation = prepare(
      'query ($input: EchoInput, $skip: Boolean = true) { echo(input: $input) plans @skip(if: $skip) }',
    );
    expect(seen(await operation.execute(request({ input: { text: 'hi' } })))).toEqual({
      data: { echo: 'hi' },
    });
    const shown = await operation.execute(request({ input: { text: 'hi' }, skip: false }));
    expect(shown.data).toHaveProperty('plans');
    const bad = await operation.execute(request({ input: { text: 5 } }));
    expect(bad.data).toBeUndefined();
    expect(bad.errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'input.text' }],
    });
  });

  it('passes on a part’s failure with path and code', async () => {
    const result = await prepare('{ failing plans }').execute(request());
    expect(seen(result)).toMatchObject({
      data: { failing: null, plans: ['FREE', 'PROFESSIONAL'] },
      errors: [{ message: 'It went wrong', path: ['failing'], extensions: { code: 'CONFLICT' } }],
    });
  });

  it('delivers events in order, and ends upstream while a next is pending', async () => {
    const live = await open('subscription { movieChanged { cursor movie { title createdBy { email } } } }');
    for (const id of ['a', 'b']) subgraphs.hub.publish('t1 movieChanged', { cursor: id, movie: { id } });
    for (const title of ['a', 'b']) {
      const { value } = (await live.next()) as { value: ExecutionResult };
      expect(seen(value)).toEqual({
        data: { movieChanged: { cursor: title, movie: { title, createdBy: { email: 'u1@example.com' } } } },
      });
    }
    const pending = live.next();
    await live.return();
    expect((await pending).done).toBe(true);
    await subgraphs.hub.whenCount('t1 movieChanged', 0);
    expect((await live.next()).done).toBe(true);
  });

  it('answers why a subscription was refused', async () => {
    const refused = await prepare('subscription { ticks }').subscribe({
      ...request(),
      claims: { ...claims, role: 'VIEWER' },
    });
    expect('errors' in refused && refused.errors?.[0]).toBeInstanceOf(GraphQLError);
    expect('errors' in refused && refused.errors?.[0]?.extensions['code']).toBe('FORBIDDEN');
  });

  it('goes on with another graph’s operation, with what is to come', async () => {
    const query =
      'subscription ($filter: MovieFilter) { movieChanged(filter: $filter) { movie { rating } } }';
    const live = await open(query, { filter: { title: 'x' } });
    const next = await loadGraph(createEngine({ subgraphs: map }));
    subgraphs.hub.publish('t1 movieChanged', { cursor: '1', movie: { id: 'a' } });
    expect(
      live.continueWith(prepare(query, next), {
        ...request({ filter: { title: 'x' } }),
        definitionsVersion: 2,
      }),
    ).toBeNull();
    subgraphs.hub.publish('t1 movieChanged', { cursor: '2', movie: { id: 'b' } });
    const ratings = [];
    for (let event = 0; event < 2; event += 1) {
      const { value } = (await live.next()) as { value: ExecutionResult };
      ratings.push((value.data as { movieChanged: { movie: { rating: string } } }).movieChanged.movie.rating);
    }
    expect(ratings).toEqual(['rating of a', 'rating of b']);
    expect(subgraphs.seen.at(-1)?.request.definitionsVersion).toBe(2);

    const other = live.continueWith(prepare('subscription { ticks }', next), request());
    expect(other?.[0]).toBeInstanceOf(GraphQLError);
    const unfit = live.continueWith(prepare(query, next), request({ filter: { title: 5 } }));
    expect(unfit?.[0]?.extensions['code']).toBe('BAD_USER_INPUT');
    await live.return();
  });
});
