/** What an extra subgraph tries on ours, and what becomes of it. */
import { describe, expect, it } from 'vitest';
import { checkAlone, vetExtras } from '#gateway/graph/extras/vetting.ts';

const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable",
  "@external", "@requires", "@provides", "@override", "@inaccessible", "@interfaceObject", "@tag", "@authenticated",
  "@policy", "@requiresScopes", "@context", "@fromContext"])`;
const base = [
  {
    name: 'entities',
    sdl: `${link}
      type Query { movies(filter: MovieFilter, order: Order = UP): [Movie!]! found: [Found!]! page: PageInfo usage: Usage }
      type Mutation { createMovie(title: String!): Movie! }
      enum Order { UP DOWN } enum Genre { DRAMA }
      input MovieFilter { title: String year: Int }
      interface Node { id: ID! }
      union Found = Movie | Shop
      type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
      type Usage { calls: Int! }
      type Movie implements Node @key(fields: "id") { id: ID! title: String! genre: Genre owner: User }
      type Shop implements Node @key(fields: "id") { id: ID! name: String! }
      type User @key(fields: "id", resolvable: false) { id: ID! }`,
  },
  {
    name: 'tenants',
    sdl: `${link}
      type Query { me: User }
      type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
      type User @key(fields: "id") { id: ID! email: String! secret: String @inaccessible }`,
  },
];
const vet = (sdl: string) => vetExtras(base, [{ name: 'extra', sdl: `${link} ${sdl}` }]);
const root = 'type Query { extra: Int }';

describe('fits:', () => {
  it.each([
    ['types and root fields of its own', `${root} type Mutation { doExtra: Int } type Foo { a: Int }`],
    ['fields of our entities', `${root} type Movie @key(fields: "id") { id: ID! stars: Int }`],
    [
      'fields of an entity that this tenant does not have',
      `${root} type Contact @key(fields: "id") { id: ID! stars: Int }`,
    ],
    [
      'what it computes from ours',
      `${root} type Movie @key(fields: "id") { id: ID! title: String! @external shout: String @requires(fields: "title") }`,
    ],
    [
      'references to ours',
      'type Query { best: Movie } type Movie @key(fields: "id", resolvable: false) { id: ID! }',
    ],
    [
      'our page information in lists of its own',
      'type Query { things: Things } type Things { pageInfo: PageInfo! } type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }',
    ],
    [
      'labels',
      `${root} type Movie @key(fields: "id") @tag(name: "x") { id: ID! @tag(name: "y") stars: Int }`,
    ],
    [
      'an interface that ours come to have',
      `${root} interface Starred { stars: Int } type Movie implements Starred @key(fields: "id") { id: ID! stars: Int }`,
    ],
    [
      'a union with ours',
      'type Query { any: [Any!]! } union Any = Movie | Foo type Foo { a: Int } type Movie @key(fields: "id") { id: ID! }',
    ],
  ])('%s', (_what, sdl) => {
    expect(vet(sdl)).toMatchObject({ accepted: ['extra'], refused: [] });
  });

  it('what federation 1 says', () => {
    const sdl =
      'extend type Movie @key(fields: "id") { id: ID! @external stars: Int } type Query { extra: Int }';
    expect(checkAlone({ name: 'extra', sdl }, ['entities'])).toEqual([]);
    expect(vetExtras(base, [{ name: 'extra', sdl }]).accepted).toEqual(['extra']);
  });
});

describe('is left out, with a reason:', () => {
  const movie = (fields: string, directives = '@key(fields: "id")') =>
    `${root} type Movie ${directives} { id: ID! ${fields} }`;
  it.each([
    ['override of a field', movie('title: String! @override(from: "entities")')],
    [
      'override of a share of the calls',
      movie('title: String! @override(from: "entities", label: "percent(1)")'),
    ],
    [
      'override of a root field',
      'type Query { movies: [Movie!]! @override(from: "entities") } type Movie @key(fields: "id") { id: ID! }',
    ],
    [
      'override under another name',
      `${root} type Movie @key(fields: "id") { id: ID! title: String! @federation__override(from: "entities") }`,
    ],
    [
      'override of a mutation',
      `${root} type Mutation { createMovie(title: String!): Movie! @override(from: "entities") } type Movie @key(fields: "id") { id: ID! }`,
    ],
    ['a root field of ours', 'type Query { me: Int }'],
    [
      'a shareable root field of ours',
      'type Query { movies: [Movie!]! @shareable } type Movie @key(fields: "id") { id: ID! }',
    ],
    ['a field of ours', movie('title: String!')],
    ['a shareable field of ours', movie('title: String! @shareable')],
    [
      'a provided field of ours',
      'type Query { best: Movie @provides(fields: "title") } type Movie @key(fields: "id") { id: ID! title: String! @external }',
    ],
    [
      'a key made of our field',
      `${root} type Movie @key(fields: "id") @key(fields: "title") { id: ID! title: String! stars: Int }`,
    ],
    ['our key, nullable', `${root} type Movie @key(fields: "id") { id: ID stars: Int }`],
    ['our key, hidden', movie('stars: Int').replace('id: ID!', 'id: ID! @inaccessible')],
    ['our key, deprecated', movie('stars: Int').replace('id: ID!', 'id: ID! @deprecated(reason: "no")')],
    ['our type, hidden', movie('stars: Int', '@key(fields: "id") @inaccessible')],
    [
      'our field, hidden',
      movie('title: String! @external @inaccessible twice: String @requires(fields: "title")'),
    ],
    [
      'our shared type, hidden',
      'type Query { p: PageInfo } type PageInfo @shareable { hasNextPage: Boolean! @inaccessible endCursor: String }',
    ],
    [
      'our shared type, nullable',
      'type Query { p: PageInfo } type PageInfo @shareable { hasNextPage: Boolean endCursor: String }',
    ],
    [
      'a key for our shared type',
      'type Query { p: PageInfo } type PageInfo @shareable @key(fields: "endCursor") { hasNextPage: Boolean! endCursor: String }',
    ],
    ['a plain type of ours', `${root} type Usage { calls: Int! }`],
    ['more of a plain type of ours', `${root} type Usage { more: Int! }`],
    [
      'our input with fewer fields',
      'type Query { a(filter: MovieFilter): Int } input MovieFilter { title: String }',
    ],
    [
      'our input with a required one',
      'type Query { a(filter: MovieFilter): Int } input MovieFilter { title: String year: Int x: Int! }',
    ],
    ['our enum with fewer values', 'type Query { a(order: Order): Int } enum Order { UP }'],
    ['our enum with more values', 'type Query { a: Genre } enum Genre { DRAMA HORROR }'],
    ['our union with more members', 'type Query { a: Found } union Found = Foo type Foo { a: Int }'],
    [
      'our interface as an object',
      `${root} type Node @interfaceObject @key(fields: "id") { id: ID! title: String }`,
    ],
    ['another kind of type', `${root} scalar Movie`],
    [
      'a field that ours hide',
      `${root} type User @key(fields: "id") { id: ID! secret: String @external leak: String @requires(fields: "secret") }`,
    ],
    ['marks that nobody here enforces', movie('stars: Int @authenticated')],
    ['policies', movie('stars: Int @policy(policies: [["a"]])')],
    ['what does not resolve', 'type Query { extra: NoSuch }'],
    ['what does not parse', 'type Query {'],
  ])('%s', (_what, sdl) => {
    const { accepted, refused, supergraphSdl } = vet(sdl);
    expect({ accepted, supergraphSdl }).toEqual({ accepted: [], supergraphSdl: null });
    expect(refused.map(({ name }) => name)).toEqual(['extra']);
    expect(refused[0]?.problems.length).toBeGreaterThan(0);
  });

  it('one of several, while the others stay', () => {
    const verdict = vetExtras(base, [
      {
        name: 'one',
        sdl: `${link} type Query { one: Int } type Movie @key(fields: "id") { id: ID! stars: Int }`,
      },
      {
        name: 'two',
        sdl: `${link} type Query { two: Int } type Movie @key(fields: "id") { id: ID! stars: Int }`,
      },
      { name: 'three', sdl: `${link} type Query { three: Int }` },
    ]);
    expect(verdict.accepted).toEqual(['one', 'three']);
    expect(verdict.refused.map(({ name }) => name)).toEqual(['two']);
    expect(verdict.supergraphSdl).toContain('three: Int');
  });
});

it('finds by itself an override of ours, whatever the graph', () => {
  const sdl = (from: string) =>
    `${link} ${root} type Foo @key(fields: "id") { id: ID! a: Int @override(from: "${from}") }`;
  expect(checkAlone({ name: 'extra', sdl: sdl('tenants') }, ['tenants'])).toEqual([
    expect.stringContaining('"tenants"'),
  ]);
  expect(checkAlone({ name: 'extra', sdl: sdl('other') }, ['tenants'])).toEqual([]);
  expect(checkAlone({ name: 'extra', sdl: 'type Query {' }, ['tenants'])).toHaveLength(1);
});
