import fc from 'fast-check';
import { buildSchema, parse } from 'graphql';
import type { GraphQLSchema, OperationDefinitionNode } from 'graphql';
import { getVariableValues } from 'graphql/execution/values.js';
import { describe, expect, test } from 'vitest';
import { createInputTypeCopies } from '#gateway/execution/compiled/plan/input-types.ts';
import { coerceVariables } from '#gateway/execution/compiled/run/variables.ts';

const schema = buildSchema(`
  type Query { ask(filter: Filter, one: One): Int }
  input Filter { and: [Filter!] name: String! = "any" size: Int ratio: Float id: ID color: Color on: Boolean json: Json required: Int! }
  input One @oneOf { a: Int b: String }
  enum Color { RED BLUE }
  scalar Json
`);
const types = [
  'String',
  'Int!',
  'Float',
  'Boolean',
  'ID',
  'Color',
  'Json',
  '[Int]',
  '[[String!]!]',
  'Filter',
  '[Filter!]',
  'One',
];

function bothWays(definitions: string, provided: Record<string, unknown>, by: GraphQLSchema = schema) {
  const operation = parse(`query (${definitions}) { __typename }`).definitions[0] as OperationDefinitionNode;
  const copies = createInputTypeCopies(() => by);
  const recipes = (operation.variableDefinitions ?? []).map((definition) => copies.variable(definition));
  const ours = coerceVariables(recipes, copies.types, [], provided);
  const reference = getVariableValues(by, operation.variableDefinitions ?? [], provided);
  return { ours, reference };
}

const value = fc.letrec((again) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, 'RED', 'BLUE', 'text', '', true, false, 0, 7, -1.5, 2 ** 31, -(2 ** 31), 1e300),
    fc.array(again('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.constantFrom(
        'and',
        'name',
        'size',
        'ratio',
        'id',
        'color',
        'on',
        'json',
        'required',
        'a',
        'b',
        'other',
        '__proto__',
        'constructor',
      ),
      again('value'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).value;

test('coerces to what graphql-js does, and refuses what it refuses', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...types),
      fc.option(value, { nil: undefined }),
      fc.boolean(),
      (type, given, hasDefault) => {
        const fallback = hasDefault && type === 'Filter' ? ' = { required: 1, and: [{ required: 2 }] }' : '';
        const { ours, reference } = bothWays(
          `$v: ${type}${fallback}`,
          given === undefined ? {} : { v: given },
        );
        if (reference.coerced) expect(ours.values).toEqual(JSON.parse(JSON.stringify(reference.coerced)));
        else expect(ours.errors?.length).toBe(reference.errors.length);
      },
    ),
    { numRuns: 3_000 },
  );
});

describe('a mistake', () => {
  test('is named by its place and rule', () => {
    const { ours } = bothWays('$f: [Filter!]', { f: [{ required: 1 }, { required: 'x', nope: 1 }] });
    expect(ours.errors?.map(({ extensions }) => extensions)).toEqual([
      {
        code: 'BAD_USER_INPUT',
        fields: [{ field: 'f.1.required', rule: 'type', message: expect.stringContaining('f[1].required') }],
      },
      {
        code: 'BAD_USER_INPUT',
        fields: [{ field: 'f.1.nope', rule: 'unknown', message: expect.any(String) }],
      },
    ]);
  });

  test('does not repeat a large input, and a thousand are not all told', () => {
    const { ours } = bothWays('$f: [Int]', { f: Array.from({ length: 1_000 }, () => 'x'.repeat(10_000)) });
    expect(ours.errors).toHaveLength(50);
    expect(JSON.stringify(ours.errors).length).toBeLessThan(50_000);
  });
});

test('a variable that decides what is answered has to be true or false', () => {
  const operation = parse('query ($c: Boolean = true) { __typename }')
    .definitions[0] as OperationDefinitionNode;
  const copies = createInputTypeCopies(() => schema);
  const recipes = (operation.variableDefinitions ?? []).map((definition) => copies.variable(definition));
  expect(coerceVariables(recipes, copies.types, ['c'], { c: null }).errors).toHaveLength(1);
  expect(coerceVariables(recipes, copies.types, ['c'], {}).values).toEqual({ c: true });
});

describe('too much', () => {
  const nested = (levels: number, around: (inner: unknown) => unknown): unknown => {
    let filter: unknown = { required: 1 };
    for (let level = 0; level < levels; level++) filter = around(filter);
    return filter;
  };
  const many = (count: number) => Array.from({ length: count }, () => ({ required: 1 }));

  test.each([
    ['objects', { filter: { required: 1, and: many(1_000_000) } }, 'maxValues'],
    ['input in lists', { filter: nested(100_000, (inner) => ({ required: 1, and: [inner] })) }, 'depth'],
    ['a JSON value', { filter: { required: 1, json: nested(100_000, (inner) => [inner]) } }, 'depth'],
    ['a JSON value just beyond', { filter: { required: 1, json: nested(199, (inner) => [inner]) } }, 'depth'],
  ])('of %s is refused at once', (_name, provided, rule) => {
    const operation = parse('query ($filter: Filter) { __typename }').definitions[0];
    const { variableDefinitions = [] } = operation as OperationDefinitionNode;
    const copies = createInputTypeCopies(() => schema);
    const recipes = variableDefinitions.map((definition) => copies.variable(definition));
    const { errors } = coerceVariables(recipes, copies.types, [], provided);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      fields: [{ field: 'filter', rule }],
    });
  });

  test('is more than what any request needs', () => {
    const fits = { required: 1, and: many(20_000), json: nested(198, (inner) => [inner]) };
    expect(bothWays('$filter: Filter', { filter: fits }).ours.errors).toBeNull();
  });
});
