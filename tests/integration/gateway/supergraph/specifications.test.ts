/** What supergraphs of each age say, with two subgraphs over HTTP behind the gateway. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { servePlainSubgraph } from './served-subgraph.ts';
import { startComposed, startSupergraph, type SubgraphParts } from './start-supergraph.ts';

const identity = (it: object): object => it;
const books: SubgraphParts = {
  books: [
    'type Query { books: [Book!]! } type Book @key(fields: "id") { id: ID! title: String! }',
    { Query: { books: () => [{ id: '1', title: 'Emma' }] } },
  ],
  prices: [
    'type Query { now: Int } type Book @key(fields: "id") { id: ID! price(unit: String): String }',
    {
      Book: { __resolveReference: identity, price: (_: unknown, { unit }: { unit?: string }) => `3 ${unit}` },
    },
  ],
};

it.each([
  ['2.0', '0.3'],
  ['2.7', '0.4'],
  ['2.12', '0.5'],
])('one composed under federation v%s, in join v%s, is served', async (version, join) => {
  await using gateway = await startComposed(version, books);
  expect(gateway.supergraphSdl).toContain(`join/v${join}`);
  const answer = await gateway.post('{ books { title price(unit: "EUR") } }');
  expect(answer).toMatchObject({ status: 200, data: { books: [{ title: 'Emma', price: '3 EUR' }] } });
});

describe('progressive override', () => {
  const moving = (label: string): SubgraphParts => ({
    old: [
      'type Query { book: Book } type Book @key(fields: "id") { id: ID! place: String! }',
      {
        Query: { book: () => ({ id: '1', place: 'old' }) },
        Book: { __resolveReference: () => ({ place: 'old' }) },
      },
    ],
    new: [
      `type Query { other: Int } type Book @key(fields: "id") { id: ID! place: String! @override(from: "old", label: "${label}") }`,
      { Book: { __resolveReference: () => ({ place: 'new' }) } },
    ],
  });

  it.each([
    ['percent(0)', ['old']],
    ['percent(100)', ['new']],
    ['percent(50)', ['new', 'old']],
    ['someday', ['old']],
  ])('by %s asks %j', async (label, expected) => {
    await using gateway = await startComposed('2.7', moving(label));
    expect(gateway.supergraphSdl).toContain('overrideLabel');
    const places = new Set<string>();
    // Both within 200 draws, but for one run in 2^199.
    for (let count = 0; count < 200 && places.size < 2; count += 1) {
      places.add((await gateway.post('{ book { place } }')).data.book.place);
      if (expected.length === 1 && count === 20) break;
    }
    expect([...places].toSorted()).toEqual(expected);
  });
});

describe('arguments from context', () => {
  const shops: SubgraphParts = {
    shops: [
      `type Query { shops: [Shop!]! }
       type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String! region: Region! items: [Item!]! }
       type Region { code: String! }
       type Item @key(fields: "id") { id: ID! }`,
      {
        Query: {
          shops: () => [
            { id: 's1', currency: 'EUR', region: { code: 'DE' }, items: [{ id: 'i1' }, { id: 'i2' }] },
            { id: 's2', currency: 'USD', region: { code: 'US' }, items: [{ id: 'i1' }] },
            { id: 's3', currency: 'EUR', region: { code: 'DE' }, items: [{ id: 'i3' }] },
          ],
        },
      },
    ],
    prices: [
      `type Query { now: Int }
       type Shop @key(fields: "id") @context(name: "shop") { id: ID! currency: String! @external region: Region! @external }
       type Region { code: String! @external }
       type Item @key(fields: "id") {
         id: ID! parts: [Part!]!
         price(currency: String @fromContext(field: "$shop { currency }"), unit: String): String!
         tax(code: String @fromContext(field: "$shop { region { code } }")): String
       }
       type Part @key(fields: "id") { id: ID! cost(currency: String @fromContext(field: "$shop { currency }")): String }`,
      {
        Item: {
          __resolveReference: identity,
          parts: ({ id }: { id: string }) => [{ id: `p-${id}` }],
          price: ({ id }: { id: string }, { currency, unit }: Record<string, string>) =>
            `${id} ${currency}${unit ? ` per ${unit}` : ''}`,
          tax: ({ id }: { id: string }, { code }: Record<string, string>) => `${id} ${code}`,
        },
        Part: {
          __resolveReference: identity,
          cost: ({ id }: { id: string }, { currency }: Record<string, string>) => `${id} ${currency}`,
        },
      },
    ],
  };

  it('are read above each object, and equal entities below different values keep their own', async () => {
    await using gateway = await startComposed('2.8', shops);
    expect(gateway.supergraphSdl).toContain('context/v0.1');
    expect(await (await fetch(`${gateway.url}/schema.graphql`)).text()).not.toContain('currency: String)');
    const answer = await gateway.post(
      'query ($unit: String) { shops { items { price(unit: $unit) tax more: price parts { cost } } } }',
      {},
      { unit: 'kg' },
    );
    const item = (id: string, currency: string, code: string) => ({
      price: `${id} ${currency} per kg`,
      tax: `${id} ${code}`,
      more: `${id} ${currency}`,
      parts: [{ cost: `p-${id} ${currency}` }],
    });
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      shops: [
        { items: [item('i1', 'EUR', 'DE'), item('i2', 'EUR', 'DE')] },
        { items: [item('i1', 'USD', 'US')] },
        { items: [item('i3', 'EUR', 'DE')] },
      ],
    });
  });

  it('cost one call for each different value', async () => {
    await using gateway = await startComposed('2.8', shops);
    const prices = gateway.subgraphs['prices'];
    const before = prices?.seen.length ?? 0;
    await gateway.post('{ shops { items { price } } }');
    expect((prices?.seen.length ?? 0) - before).toBe(2);
  });
});

describe('features that are not run here', () => {
  const compose = async (header: string, sdl: string) => {
    const served = await servePlainSubgraph('books', `${header} ${sdl}`, {
      Query: { books: () => [{ id: '1', title: 'Emma' }] },
    });
    const composed = composeServices([{ name: 'books', url: served.url, typeDefs: parse(served.sdl) }]);
    expect(composed.errors).toBeUndefined();
    return { served, sdl: composed.supergraphSdl ?? '' };
  };
  const header = (version: string, imports: string): string =>
    `extend schema @link(url: "https://specs.apollo.dev/federation/v${version}", import: ["@key", ${imports}])`;

  it.each([
    [
      'costs',
      header('2.9', '"@cost", "@listSize"'),
      'type Query { books(first: Int): [Book!]! @listSize(slicingArguments: ["first"]) } type Book { title: String! @cost(weight: 5) }',
    ],
    [
      'cache tags',
      header('2.12', '"@cacheTag"'),
      'type Query { books: [Book!]! @cacheTag(format: "books") } type Book { title: String! }',
    ],
    [
      'directives of others',
      `${header('2.3', '"@composeDirective"')}
         @link(url: "https://example.com/hints/v1.0", import: ["@hint"]) @composeDirective(name: "@hint")
       directive @hint(text: String) on FIELD_DEFINITION`,
      'type Query { books: [Book!]! } type Book { title: String! @hint(text: "x") }',
    ],
  ])('%s: loaded, and answered', async (_what, links, sdl) => {
    const { served, sdl: supergraphSdl } = await compose(links, sdl);
    await using _served = served;
    await using gateway = await startSupergraph(supergraphSdl);
    expect((await gateway.post('{ books { title } }')).data).toEqual({ books: [{ title: 'Emma' }] });
  });

  it('one that running depends on is refused at the start, by name', async () => {
    const { served, sdl } = await compose(header('2.3', '"@shareable"'), 'type Query { books: Int }');
    await using _served = served;
    const needing = sdl.replace(
      '@link(url: "https://specs.apollo.dev/link/v1.0")',
      '$& @link(url: "https://example.com/needed/v1.0", for: EXECUTION)',
    );
    await expect(startSupergraph(needing)).rejects.toThrow('needed');
  });
});
