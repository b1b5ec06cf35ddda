/** Cases that federated gateways are known to get wrong, each with subgraphs over HTTP. */
import { expect, it } from 'vitest';
import { startComposed } from './start-supergraph.ts';

const identity = (it: object): object => it;

it('root fields that several subgraphs share: each is asked for what it has', async () => {
  await using gateway = await startComposed('2.7', {
    names: [
      'type Query { product: Product @shareable both: String @shareable } type Product @shareable { id: ID! name: String }',
      { Query: { product: () => ({ id: 'p', name: 'Chair' }), both: () => 'one' } },
    ],
    prices: [
      'type Query { product: Product @shareable both: String @shareable } type Product @shareable { id: ID! price: Int }',
      { Query: { product: () => ({ id: 'p', price: 9 }), both: () => 'one' } },
    ],
  });
  expect((await gateway.post('{ product { id name price } both }')).data).toEqual({
    product: { id: 'p', name: 'Chair', price: 9 },
    both: 'one',
  });
});

it('keys with fields of fields, and lists of them', async () => {
  const key = '@key(fields: "org { id parts { code } } sku")';
  await using gateway = await startComposed('2.7', {
    one: [
      `type Query { items: [Item!]! } type Item ${key} { org: Org! sku: String! } type Org @shareable { id: ID! parts: [Part!]! } type Part @shareable { code: String! }`,
      {
        Query: {
          items: () =>
            ['a', 'b'].map((sku) => ({ sku, org: { id: 'o', parts: [{ code: '1' }, { code: '2' }] } })),
        },
      },
    ],
    two: [
      `type Query { q: Int } type Item ${key} { org: Org! sku: String! stock: String } type Org @shareable { id: ID! parts: [Part!]! } type Part @shareable { code: String! }`,
      {
        Item: {
          __resolveReference: identity,
          stock: (it: { sku: string; org: { id: string; parts: { code: string }[] } }) =>
            [it.org.id, it.sku, ...it.org.parts.map(({ code }) => code)].join('-'),
        },
      },
    ],
  });
  expect((await gateway.post('{ items { stock } }')).data).toEqual({
    items: [{ stock: 'o-a-1-2' }, { stock: 'o-b-1-2' }],
  });
});

it('@provides through a union: no hop where it was provided, one where it was not', async () => {
  await using gateway = await startComposed('2.7', {
    media: [
      `type Query { provided: [Media!]! @provides(fields: "... on Book { title }") plain: [Media!]! }
       union Media = Book | Film type Book @key(fields: "id") { id: ID! title: String @external } type Film @key(fields: "id") { id: ID! }`,
      {
        Query: {
          provided: () => [
            { __typename: 'Book', id: '1', title: 'provided' },
            { __typename: 'Film', id: '2' },
          ],
          plain: () => [{ __typename: 'Book', id: '1' }],
        },
      },
    ],
    titles: [
      'type Query { q: Int } type Book @key(fields: "id") { id: ID! title: String @shareable } type Film @key(fields: "id") { id: ID! title: String }',
      {
        Book: { __resolveReference: () => ({ title: 'own' }) },
        Film: { __resolveReference: () => ({ title: 'film' }) },
      },
    ],
  });
  const fields = '{ __typename ... on Book { title } ... on Film { title } }';
  expect((await gateway.post(`{ provided ${fields} plain ${fields} }`)).data).toEqual({
    provided: [
      { __typename: 'Book', title: 'provided' },
      { __typename: 'Film', title: 'film' },
    ],
    plain: [{ __typename: 'Book', title: 'own' }],
  });
});

it('@requires of a field with arguments, beside the client’s own of other arguments', async () => {
  await using gateway = await startComposed('2.7', {
    products: [
      'type Query { product: Product } type Product @key(fields: "id") { id: ID! price(currency: String = "EUR"): String }',
      {
        Query: { product: () => ({ id: 'p' }) },
        Product: {
          __resolveReference: identity,
          price: (_: unknown, { currency }: { currency: string }) => `9 ${currency}`,
        },
      },
    ],
    shipping: [
      `type Query { q: Int } type Product @key(fields: "id") {
         id: ID! price(currency: String = "EUR"): String @external
         dollars: String @requires(fields: "price(currency: \\"USD\\")") again: String @requires(fields: "price(currency: \\"USD\\")") }`,
      {
        Product: {
          __resolveReference: identity,
          dollars: ({ price }: { price: string }) => `ship ${price}`,
          again: ({ price }: { price: string }) => `again ${price}`,
        },
      },
    ],
  });
  expect(
    (await gateway.post('{ product { own: price dollars again yen: price(currency: "JPY") } }')).data,
  ).toEqual({
    product: { own: '9 EUR', dollars: 'ship 9 USD', again: 'again 9 USD', yen: '9 JPY' },
  });
});

it('interface objects: fields of all implementations, and their types where they are asked for', async () => {
  await using gateway = await startComposed('2.7', {
    people: [
      `type Query { people: [Person!]! } interface Person @key(fields: "id") { id: ID! name: String }
       type User implements Person @key(fields: "id") { id: ID! name: String } type Robot implements Person @key(fields: "id") { id: ID! name: String model: String }`,
      {
        Query: {
          people: () => [
            { __typename: 'User', id: 'u', name: 'Ann' },
            { __typename: 'Robot', id: 'r', name: 'R2', model: 'D2' },
          ],
        },
        Person: {
          __resolveReference: ({ id }: { id: string }) =>
            id === 'u'
              ? { __typename: 'User', id, name: 'Ann' }
              : { __typename: 'Robot', id, name: 'R2', model: 'D2' },
        },
        User: { __resolveReference: identity },
        Robot: { __resolveReference: identity },
      },
    ],
    ages: [
      'type Query { eldest: Person } type Person @interfaceObject @key(fields: "id") { id: ID! age: Int }',
      {
        Query: { eldest: () => ({ id: 'r', age: 90 }) },
        Person: { __resolveReference: ({ id }: { id: string }) => ({ id, age: id === 'u' ? 30 : 90 }) },
      },
    ],
  });
  const answer = await gateway.post(
    '{ people { name age __typename } eldest { __typename name age ... on Robot { model } } }',
  );
  expect(answer.data).toEqual({
    people: [
      { name: 'Ann', age: 30, __typename: 'User' },
      { name: 'R2', age: 90, __typename: 'Robot' },
    ],
    eldest: { __typename: 'Robot', name: 'R2', age: 90, model: 'D2' },
  });
});

it('enums and inputs that subgraphs know in part: what all know, and nothing else, is taken', async () => {
  await using gateway = await startComposed('2.7', {
    one: [
      'type Query { one(filter: Filter, order: Order): String color: Color } input Filter { text: String old: Int } enum Order { UP DOWN ANY } enum Color { RED GREEN }',
      { Query: { one: (_: unknown, args: object) => JSON.stringify(args), color: () => 'GREEN' } },
    ],
    two: [
      'type Query { two(filter: Filter, order: Order): String } input Filter { text: String young: Int } enum Order { UP DOWN }',
      { Query: { two: (_: unknown, args: object) => JSON.stringify(args) } },
    ],
  });
  expect(
    (await gateway.post('{ one(filter: { text: "x" }, order: UP) two(order: DOWN) color }')).data,
  ).toEqual({
    one: '{"filter":{"text":"x"},"order":"UP"}',
    two: '{"order":"DOWN"}',
    color: 'GREEN',
  });
  for (const query of ['{ one(filter: { old: 1 }) }', '{ one(order: ANY) }']) {
    expect((await gateway.post(query)).errors[0].extensions.code).toBe('GRAPHQL_VALIDATION_FAILED');
  }
  const variables = { filter: { old: 1 } };
  const { errors } = await gateway.post('query ($filter: Filter) { one(filter: $filter) }', {}, variables);
  expect(errors[0].extensions.code).toBe('BAD_USER_INPUT');
});

it('keys that are null, entities that are not there, and lists with holes', async () => {
  await using gateway = await startComposed('2.7', {
    one: [
      'type Query { items: [Item] } type Item @key(fields: "id") @key(fields: "code") { id: ID code: String }',
      {
        Query: {
          items: () => [{ id: '1', code: 'a' }, null, { id: null, code: 'b' }, { id: '3', code: null }],
        },
      },
    ],
    two: [
      'type Query { q: Int } type Item @key(fields: "id") { id: ID name: String }',
      {
        Item: {
          __resolveReference: ({ id }: { id: string }) => (id === '3' ? null : { id, name: `name ${id}` }),
        },
      },
    ],
  });
  const answer = await gateway.post('{ items { code name } }');
  expect(answer.data).toEqual({
    items: [
      { code: 'a', name: 'name 1' },
      null,
      { code: 'b', name: expect.toSatisfy((name) => name === null || name === 'name null') },
      { code: null, name: null },
    ],
  });
});

it('mutations of several subgraphs run one after the other, in the order that they are written in', async () => {
  const order: string[] = [];
  const note = (_: unknown, { text }: { text: string }): string => {
    order.push(text);
    return text;
  };
  const pair = { id: '1' };
  await using gateway = await startComposed('2.7', {
    one: [
      'type Query { q: Int } type Mutation { one(text: String!): String make(text: String!): Pair } type Pair @key(fields: "id") { id: ID! }',
      {
        Mutation: {
          one: note,
          make: (_: unknown, args: { text: string }) => {
            note(_, args);
            return pair;
          },
        },
        Pair: { __resolveReference: identity },
      },
    ],
    two: [
      'type Mutation { two(text: String!): String } type Pair @key(fields: "id") { id: ID! seen: [String!]! }',
      { Mutation: { two: note }, Pair: { __resolveReference: identity, seen: () => [...order] } },
    ],
  });
  const answer = await gateway.post(
    'mutation { a: one(text: "a") b: two(text: "b") c: make(text: "c") { seen } d: two(text: "d") e: one(text: "e") }',
  );
  expect(order).toEqual(['a', 'b', 'c', 'd', 'e']);
  expect(answer.data).toEqual({ a: 'a', b: 'b', c: { seen: ['a', 'b', 'c'] }, d: 'd', e: 'e' });
});

it('aliases of one field with different arguments, across subgraphs, and the same field through fragments', async () => {
  await using gateway = await startComposed('2.7', {
    one: [
      'type Query { user: User } type User @key(fields: "id") { id: ID! }',
      { Query: { user: () => ({ id: 'u' }) } },
    ],
    two: [
      'type Query { q: Int } type User @key(fields: "id") { id: ID! posts(first: Int): [Post!]! } type Post { n: Int! title: String }',
      {
        User: {
          __resolveReference: identity,
          posts: (_: unknown, { first = 1 }: { first?: number }) =>
            Array.from({ length: first }, (_post, n) => ({ n, title: `t${n}` })),
        },
      },
    ],
  });
  const { data } = await gateway.post(
    '{ user { two: posts(first: 2) { n } one: posts { n } ...F } } fragment F on User { two: posts(first: 2) { title } }',
  );
  expect(data.user).toEqual({
    two: [
      { n: 0, title: 't0' },
      { n: 1, title: 't1' },
    ],
    one: [{ n: 0 }],
  });
});
