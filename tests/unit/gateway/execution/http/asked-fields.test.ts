import { expect, it } from 'vitest';
import { keepAskedFields } from '#gateway/execution/http/asked-fields.ts';
import { anonymousClaims } from '#schema/claims.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';

/** What is left of an answer to that query. */
async function left(query: string, data: unknown, variables?: Record<string, unknown>): Promise<unknown> {
  const service: SubgraphService = {
    name: 'extra',
    getSdl: async () => ({ sdl: null, version: null }),
    execute: async () => JSON.parse(JSON.stringify({ data })) as { data: Record<string, unknown> },
    subscribe: async () => ({ errors: [] }),
  };
  const request: SubgraphRequest = {
    ...{ query, variables, claims: anonymousClaims },
    ...{ definitionsVersion: 1, requestId: 'r', clientAddress: null },
  };
  return (await keepAskedFields(service, (type) => type === 'Media').execute(request)).data;
}

it('keeps aliases, lists in lists and scalars of any shape', async () => {
  const data = { a: [[{ x: { any: [1] }, y: 2 }, null]], b: 3, c: 4 };
  expect(await left('{ a: things { x } c }', data)).toEqual({ a: [[{ x: { any: [1] } }, null]], c: 4 });
});

it('drops what was not asked at every depth, prototypes too', async () => {
  const data = JSON.parse(
    '{"t":{"x":1,"u":{"z":2,"id":3},"__proto__":{"p":1}},"__proto__":{"q":1}}',
  ) as object;
  const kept = (await left('{ t { x u { id } } }', data)) as Record<string, unknown>;
  expect(JSON.stringify(kept)).toBe('{"t":{"x":1,"u":{"id":3}}}');
  expect('q' in kept).toBe(false);
});

it('takes an entity for what we said it is, not for what its answer says', async () => {
  const query =
    'query($r: [_Any!]!) { _entities(representations: $r) { ... on Foo { email } ... on User { stars } } }';
  const entities = [{ __typename: 'Foo', email: 'evil', stars: 1 }, { email: 'own', stars: 2 }, null];
  const representations = [
    { __typename: 'User', id: '1' },
    { __typename: 'Foo', id: '2' },
    { __typename: 'Foo' },
  ];
  expect(await left(query, { _entities: entities }, { r: representations })).toEqual({
    _entities: [{ stars: 1 }, { email: 'own' }, null],
  });
  expect(
    await left(
      query.replace('_entities(', 'e0: _entities('),
      { e0: entities, _entities: [] },
      { r: representations },
    ),
  ).toEqual({ e0: [{ stars: 1 }, { email: 'own' }, null] });
});

it('goes by the type that an object of its own says, and through interfaces and fragments', async () => {
  const query = `{ any { __typename ... on Media { title } ... on Foo { email } ...F } } fragment F on User { id }`;
  const data = {
    any: [
      { __typename: 'User', id: 1, title: 't', email: 'evil' },
      { __typename: 'Foo', id: 2, email: 'e' },
    ],
  };
  expect(await left(query, data)).toEqual({
    any: [
      { __typename: 'User', title: 't', id: 1 },
      { __typename: 'Foo', email: 'e' },
    ],
  });
});

it('answers null for what is no object where one is asked, and for data that is none', async () => {
  expect(await left('{ t { x } l { x } }', { t: 'text', l: [1, { x: 2 }] })).toEqual({
    t: null,
    l: [null, { x: 2 }],
  });
  expect(await left('{ t { x } }', 'text')).toBeNull();
});
