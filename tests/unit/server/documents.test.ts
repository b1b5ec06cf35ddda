/** Compiled and plain execution answer alike; documents are prepared once. */
import {
  buildSchema as buildPlainSchema,
  type ExecutionResult,
  getVariableValues,
  GraphQLError,
  type GraphQLScalarType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  parse,
} from 'graphql';
import { describe, expect, it, vi } from 'vitest';
import { DomainError, type FieldError } from '#schema/errors.ts';
import { createPreparedDocuments, isPrepared } from '#subgraphs/server/documents.ts';
import { formatErrors } from '#subgraphs/server/error-format.ts';
import { buildExecutableSubgraph } from '#subgraphs/server/executable-subgraph.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { scalarResolvers } from '#subgraphs/server/scalars.ts';
import { sharedSdl } from '#subgraphs/server/static-sdl.ts';

const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.7", import: ["@key", "@shareable"])
${sharedSdl}
enum Color { RED GREEN }
input Nested { color: Color = GREEN at: DateTime list: [Int!] json: JSON }
interface Named { name: String }
type Query {
  echo(n: Int = 7, nested: Nested, ids: [ID!]): JSON
  things(count: Int!): [Thing]
  strict: [Thing!]
  named: Named
  broken: String
  refused: String
  impossible: String!
  coded: Thing
  now: DateTime!
  badTime: DateTime
}
type Mutation { add(n: Int!): Int! }
type Thing implements Named @key(fields: "id") { id: ID! name: String color: Color parent: Thing must: String! }
`;

function thing(id: number): Record<string, unknown> {
  return { __typename: 'Thing', id, name: `thing ${id}`, color: 'RED', must: id === 3 ? null : 'x' };
}

function buildSchema(): { schema: GraphQLSchema; log: number[] } {
  const log: number[] = [];
  const schema = buildExecutableSubgraph(sdl, {
    ...scalarResolvers,
    Query: {
      echo: (_root: unknown, args: unknown) => args,
      things: async (_root: unknown, { count }: { count: number }) =>
        Array.from({ length: count }, (_, id) => thing(id)),
      strict: () => [thing(1), thing(3)],
      named: () => thing(1),
      broken: () => {
        throw new Error('a secret');
      },
      refused: async () => {
        throw new DomainError('NOT_FOUND', 'not there', { details: { hint: 1 } });
      },
      impossible: () => null,
      coded: () => new DomainError('CONFLICT', 'as a value'),
      now: () => new Date(0),
      badTime: () => 'soon',
    },
    Mutation: {
      add: async (_root: unknown, { n }: { n: number }) => {
        await Promise.resolve();
        log.push(n);
        return n;
      },
    },
    Thing: {
      parent: ({ id }: { id: number }) =>
        id === 2 ? Promise.reject(new Error('no parent')) : Promise.resolve(thing(id + 1)),
      __resolveReference: async ({ id }: { id: string }) => {
        if (id === 'bad') throw new DomainError('FORBIDDEN', 'not yours');
        return id === 'gone' ? null : thing(Number(id));
      },
    },
  });
  return { schema, log };
}

const context = {
  claims: { tenantId: 't', actorKind: 'USER', actorId: 'u', role: 'ADMIN', authVersion: 1, sessionId: null },
};
const logger = createLogger('silent');

interface Case {
  query: string;
  variables?: Record<string, unknown>;
  operationName?: string;
}

const cases: Case[] = [
  { query: '{ echo }' },
  {
    query:
      '{ a: echo(n: 1, nested: { color: RED, at: "2026-01-01T00:00:00+02:00", list: 3, json: { a: [1, "x", null] } }) b: echo(ids: ["1", 2]) }',
  },
  {
    query: 'query ($n: Int, $nested: Nested) { echo(n: $n, nested: $nested) }',
    variables: { nested: { json: { deep: [1] } } },
  },
  { query: 'query ($n: Int) { echo(n: $n) }', variables: { n: null } },
  { query: 'query ($n: Int) { echo(n: $n) }', variables: { n: 'x' } },
  { query: 'query ($n: Int) { echo(n: $n) }', variables: { n: 2 ** 40 } },
  { query: 'query ($c: Color!) { echo(nested: { color: $c }) }', variables: { c: 'BLUE' } },
  { query: 'query ($at: DateTime) { echo(nested: { at: $at }) }', variables: { at: '2026-02-30T00:00:00Z' } },
  {
    query: 'query ($nested: Nested) { echo(nested: $nested) }',
    variables: { nested: { list: [1, null], extra: 1 } },
  },
  { query: '{ things(count: 4) { id name color parent { id parent { id } } } }' },
  { query: '{ things(count: 4) { id must } strict { id must } }' },
  { query: '{ strict { must } named { __typename name ... on Thing { id } } }' },
  {
    query:
      'query ($skip: Boolean!) { named @skip(if: $skip) { name } x: named { ...f } } fragment f on Thing { id color @include(if: $skip) }',
    variables: { skip: true },
  },
  { query: '{ broken refused coded { id } now badTime }' },
  { query: '{ now impossible }' },
  { query: 'mutation { a: add(n: 1) b: add(n: 2) c: add(n: 3) }' },
  { query: 'query A { now } query B { named { name } }', operationName: 'B' },
  { query: '{ __typename __type(name: "Thing") { name fields { name } } }' },
  {
    query:
      'query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Thing { id name parent { id } } } }',
    variables: { of: ['1', 'bad', 'gone', '2'].map((id) => ({ __typename: 'Thing', id })) },
  },
];

/** Errors in order of path: the two engines may report them in another order. */
function comparable(result: ExecutionResult): unknown {
  const errors = (result.errors ?? []).map(({ message, path, extensions }) => ({
    path,
    extensions,
    // The engines word their own refusals differently.
    message: extensions.code === 'BAD_USER_INPUT' ? '' : message,
  }));
  const key = (error: { path?: unknown }) => JSON.stringify(error.path ?? null);
  errors.sort((one, two) => key(one).localeCompare(key(two)));
  return structuredClone({ data: result.data ?? null, errors });
}

describe('an operation', () => {
  it.each(cases)(
    'answers the same plain and compiled: $query',
    async ({ query, variables, operationName }) => {
      const { schema } = buildSchema();
      const prepared = createPreparedDocuments().get(schema, query, operationName);
      if (!isPrepared(prepared)) throw new Error(JSON.stringify(prepared));
      const answers: unknown[] = [];
      for (let use = 0; use < 5; use += 1) {
        const result = await prepared.execute({ ...context }, variables);
        answers.push(comparable(formatErrors(result, logger, 'r')));
      }
      for (const answer of answers) expect(answer).toEqual(answers[0]);
      expect(JSON.stringify(answers)).not.toContain('secret');
    },
  );

  it('runs mutations one after another', async () => {
    const { schema, log } = buildSchema();
    const prepared = createPreparedDocuments().get(
      schema,
      'mutation { a: add(n: 1) b: add(n: 2) c: add(n: 3) }',
      undefined,
    );
    if (!isPrepared(prepared)) throw new Error('not prepared');
    for (let use = 0; use < 4; use += 1) await prepared.execute({ ...context }, {});
    expect(log).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });
});

describe('prepared documents', () => {
  const code = (found: unknown) => (found as ExecutionResult).errors?.[0]?.extensions.code;

  it('are the same object for the same schema and text, and another for another', () => {
    const documents = createPreparedDocuments();
    const [one, two] = [buildSchema().schema, buildSchema().schema];
    const found = documents.get(one, '{ now }', undefined);
    expect(documents.get(one, '{ now }', undefined)).toBe(found);
    expect(documents.get(two, '{ now }', undefined)).not.toBe(found);
    expect(documents.get(one, '{ now } ', undefined)).not.toBe(found);
  });

  it('are told apart by operation name', () => {
    const documents = createPreparedDocuments();
    const { schema } = buildSchema();
    const text = 'query A { now } mutation B { add(n: 1) }';
    const kinds = ['A', 'B']
      .map((name) => documents.get(schema, text, name))
      .map((it) => (isPrepared(it) ? it.kind : null));
    expect(kinds).toEqual(['query', 'mutation']);
  });

  it('are refused with the reason’s code', () => {
    const documents = createPreparedDocuments();
    const { schema } = buildSchema();
    expect(code(documents.get(schema, '{', undefined))).toBe('GRAPHQL_PARSE_FAILED');
    expect(code(documents.get(schema, '{ nope }', undefined))).toBe('GRAPHQL_VALIDATION_FAILED');
    expect(code(documents.get(schema, 'query A { now } query B { now }', undefined))).toBe('BAD_USER_INPUT');
    expect(code(documents.get(schema, '{ now }', 'Nope'))).toBe('BAD_USER_INPUT');
    expect(code(documents.get(schema, '{a'.repeat(200_000), undefined))).toBe('GRAPHQL_PARSE_FAILED');
  });
});

it('logs what it masks, with the cause', () => {
  const error = vi.fn();
  const result = formatErrors(
    { data: null, errors: [new GraphQLError('x', { path: ['a'], originalError: new Error('the cause') })] },
    { error } as never,
    'request-7',
  );
  expect(result.errors?.[0]?.message).toBe('Internal error (request request-7)');
  expect(error.mock.calls[0]?.[0]).toMatchObject({
    err: { message: 'the cause' },
    requestId: 'request-7',
    path: ['a'],
  });
});

it('names the place of a refused variable, and repeats no value', () => {
  const secret = 'correct "horse" at "x.y"; battery';
  const scalars = buildPlainSchema(
    'scalar Day input In { day: Day days: [Day!] } type Query { a(in: In!): Int }',
  );
  Object.assign(scalars.getType('Day') as GraphQLScalarType, {
    parseValue() {
      throw new GraphQLError('Day must be a day');
    },
  });
  const operation = parse('query ($in: In!) { a(in: $in) }').definitions[0] as OperationDefinitionNode;
  const refused = (input: unknown): unknown => {
    const { errors } = getVariableValues(scalars, operation.variableDefinitions ?? [], { in: input });
    const result = formatErrors({ errors: errors ?? [] }, { error: vi.fn() } as never, 'r');
    expect(JSON.stringify(result.errors)).not.toContain('battery');
    return result.errors?.map(({ extensions }) => [
      extensions.code,
      (extensions.fields as FieldError[]).map(({ field, rule }) => `${field} ${rule}`),
    ]);
  };
  expect(refused({ day: secret })).toEqual([['BAD_USER_INPUT', ['in.day type']]]);
  expect(refused({ days: [secret] })).toEqual([['BAD_USER_INPUT', ['in.days.0 type']]]);
  expect(refused({ other: secret })).toEqual([['BAD_USER_INPUT', ['in type']]]);
});
