import { describe, expect, it } from 'vitest';
import { parseOperation } from '#gateway/execution/parse-operation.ts';

const limits = { maxTokens: 200, maxDepth: 5, maxFields: 20 };
const codeOf = (query: string, operationName: string | null = null): unknown => {
  const parsed = parseOperation(query, operationName, limits);
  return 'errors' in parsed ? parsed.errors[0]?.extensions['code'] : null;
};

describe('parseOperation', () => {
  it('names the root fields, through aliases and fragments, each once', () => {
    const query = `mutation M { a: createField b: createField ...F ... on Mutation { login } } fragment F on Mutation { login logout { x } }`;
    expect(parseOperation(query, null, limits)).toMatchObject({
      kind: 'mutation',
      operationName: 'M',
      rootFields: ['createField', 'login', 'logout'],
    });
  });

  it.each([
    ['{ a { b { c { d { e } } } } }', null],
    ['{ a { b { c { d { e { f } } } } } }', 'QUERY_TOO_COMPLEX'],
    [`{ ${'a '.repeat(20)} }`, null],
    [`{ ${'a '.repeat(21)} }`, 'QUERY_TOO_COMPLEX'],
    [`{ ${'a '.repeat(300)} }`, 'QUERY_TOO_COMPLEX'],
    ['{ a '.repeat(5_000), 'QUERY_TOO_COMPLEX'],
    ['{ a(', 'GRAPHQL_PARSE_FAILED'],
    ['', 'GRAPHQL_PARSE_FAILED'],
    ['type Query { a: Int }', 'OPERATION_RESOLUTION_FAILURE'],
    ['{ ...F } fragment F on Query { ...F a }', null],
  ])('%.60s: %s', (query, code) => {
    expect(codeOf(query)).toBe(code);
  });

  it('counts what fragments multiply', () => {
    const levels = Array.from(
      { length: 10 },
      (_, level) => `fragment F${level} on Q { ...F${level + 1} ...F${level + 1} }`,
    );
    expect(codeOf(`{ ...F0 } ${levels.join(' ')} fragment F10 on Q { a }`)).toBe('QUERY_TOO_COMPLEX');
  });

  it('does not count a fragment as depth of the answer', () => {
    expect(codeOf('{ ... { ... { ... { ... { ... { ... { a } } } } } } }')).toBeNull();
  });
});
