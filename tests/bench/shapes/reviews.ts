/**
 * The public gateways benchmark's shape: accounts, inventory, products and reviews, asked for users and top products with
 * reviews, authors and products nested in each other; an answer of about 88 KB.
 */
import { federationHeader } from './shape.ts';
import type { Shape } from './shape.ts';

const names = [
  'Uri Goldshtein',
  'Dotan Simha',
  'Kamil Kisiela',
  'Arda Tanrikulu',
  'Gil Gardosh',
  'Laurin Quast',
];
const users = names.map((name, index) => ({
  id: String(index + 1),
  name,
  username: name.toLowerCase().replace(' ', ''),
  birthday: 1_234_567_890 + index,
}));

const titles = ['Table', 'Couch', 'Glass', 'Chair', 'TV', 'Lamp', 'Grill', 'Fridge', 'Sofa'];
const products = titles.map((name, index) => ({
  upc: String(index + 1),
  name,
  price: [899, 1_299, 15, 499, 1_299, 6_999, 3_999, 100_000, 9_999][index] ?? 1,
  weight: [100, 1_000, 20, 100, 1_000, 300, 2_000, 6_000, 800][index] ?? 1,
}));

const bodies = ['Love it!', 'Prefer something else.', 'Could be better.', 'Nice!', 'Terrible.'];
/** Every user wrote three reviews, all of the first four products, so that the nesting multiplies them. */
const reviews = users.flatMap((user, writer) =>
  [0, 1, 2].map((round) => ({
    id: String(writer * 3 + round + 1),
    body: bodies[(writer + round) % bodies.length],
    authorId: user.id,
    upc: products[(writer * 3 + round) % 4]?.upc ?? '1',
  })),
);

const author = (id: string) => users.find((user) => user.id === id);

export const reviewsShape: Shape = {
  name: 'reviews',
  title: 'public gateways benchmark: four subgraphs, nested reviews',
  query: `
    fragment User on User { id username name }
    fragment Review on Review { id body }
    fragment Product on Product { inStock name price shippingEstimate upc weight }
    query TestQuery {
      users {
        ...User
        reviews { ...Review product { ...Product reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } } } }
      }
      topProducts {
        ...Product
        reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
      }
    }`,
  subgraphs: [
    {
      name: 'accounts',
      sdl: `${federationHeader}
        type Query { me: User user(id: ID!): User users: [User] }
        type User @key(fields: "id") { id: ID! name: String username: String @shareable birthday: Int }`,
      resolvers: {
        Query: {
          me: () => users[0],
          user: (_root: unknown, { id }: { id: string }) => author(id),
          users: () => users,
        },
        User: { __resolveReference: ({ id }: { id: string }) => author(id) },
      },
    },
    {
      name: 'inventory',
      sdl: `${federationHeader}
        type Product @key(fields: "upc") {
          upc: String! weight: Int @external price: Int @external inStock: Boolean
          shippingEstimate: Int @requires(fields: "price weight")
        }`,
      resolvers: {
        Product: {
          __resolveReference: (reference: object) => reference,
          inStock: ({ upc }: { upc: string }) => Number(upc) % 3 !== 0,
          shippingEstimate: ({ price, weight }: { price: number; weight: number }) =>
            price > 1_000 ? 0 : Math.round(weight / 2),
        },
      },
    },
    {
      name: 'products',
      sdl: `${federationHeader}
        type Query { topProducts(first: Int = 5): [Product] }
        type Product @key(fields: "upc") { upc: String! name: String price: Int weight: Int }`,
      resolvers: {
        Query: { topProducts: (_root: unknown, { first }: { first: number }) => products.slice(0, first) },
        Product: {
          __resolveReference: ({ upc }: { upc: string }) => products.find((product) => product.upc === upc),
        },
      },
    },
    {
      name: 'reviews',
      sdl: `${federationHeader}
        type Review @key(fields: "id") { id: ID! body: String product: Product author: User @provides(fields: "username") }
        type User @key(fields: "id") { id: ID! username: String @external reviews: [Review] }
        type Product @key(fields: "upc") { upc: String! reviews: [Review] }`,
      resolvers: {
        Review: {
          __resolveReference: ({ id }: { id: string }) => reviews.find((review) => review.id === id),
          author: ({ authorId }: { authorId: string }) => ({
            id: authorId,
            username: author(authorId)?.username,
          }),
          product: ({ upc }: { upc: string }) => ({ upc }),
        },
        User: {
          __resolveReference: ({ id }: { id: string }) => ({ id, username: author(id)?.username }),
          reviews: ({ id }: { id: string }) => reviews.filter((review) => review.authorId === id),
        },
        Product: {
          __resolveReference: ({ upc }: { upc: string }) => ({ upc }),
          reviews: ({ upc }: { upc: string }) => reviews.filter((review) => review.upc === upc),
        },
      },
    },
  ],
};
