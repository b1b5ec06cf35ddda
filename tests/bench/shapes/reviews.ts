/**
 * The public gateways benchmark's shape (github.com/graphql-hive/graphql-gateways-benchmark): accounts, inventory, products
 * and reviews, asked for users and top products with reviews, authors and products nested in each other. Same numbers of
 * users, products and reviews, reviews as long and given by the same rules: an answer of about 88 KB.
 */
import { federationHeader } from './shape.ts';
import type { Shape } from './shape.ts';

const users = ['Ada Byron', 'Bo Lind', 'Cleo Marsh', 'Dara Okoye', 'Eli Novak', 'Fay Moreau'].map(
  (name, index) => ({
    id: String(index + 1),
    name,
    username: name.toLowerCase().replace(' ', ''),
    birthday: 1_234_567_890,
  }),
);

const products = (
  [
    ['Table', 899, 100, true],
    ['Couch', 1_299, 1_000, false],
    ['Glass', 15, 20, false],
    ['Chair', 499, 100, false],
    ['TV', 1_299, 1_000, true],
    ['Lamp', 6_999, 300, true],
    ['Grill', 3_999, 2_000, true],
    ['Fridge', 100_000, 6_000, false],
    ['Sofa', 9_999, 800, true],
  ] as const
).map(([name, price, weight, inStock], index) => ({ upc: String(index + 1), name, price, weight, inStock }));

const sentence = 'Sturdy, plain and well made, and it arrived a day before we had asked for it. ';
/** The product that a review is of, and how long it is. */
const reviews = (
  [
    ['1', 445],
    ['1', 288],
    ['1', 275],
    ['1', 143],
    ['2', 445],
    ['2', 288],
    ['2', 275],
    ['2', 143],
    ['3', 143],
    ['4', 143],
    ['4', 857],
  ] as const
).map(([upc, length], index) => ({
  id: String(index + 1),
  body: sentence.repeat(12).slice(0, length),
  upc,
}));

/** There, every user wrote the first two reviews, and every review's author is the first user. */
const ofUser = reviews.slice(0, 2);
const onlyAuthor = { id: '1', username: users[0]?.username };

const account = (id: string) => users.find((user) => user.id === id);
const product = (upc: string) => products.find((candidate) => candidate.upc === upc);

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
          user: (_root: unknown, { id }: { id: string }) => account(id),
          users: () => users,
        },
        User: { __resolveReference: ({ id }: { id: string }) => account(id) },
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
          __resolveReference: (reference: { upc: string }) => ({
            ...reference,
            inStock: product(reference.upc)?.inStock,
          }),
          shippingEstimate: ({ price, weight }: { price: number; weight: number }) =>
            price > 1_000 ? 0 : Math.floor(weight / 2),
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
        Product: { __resolveReference: ({ upc }: { upc: string }) => product(upc) },
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
          author: () => onlyAuthor,
          product: ({ upc }: { upc: string }) => ({ upc }),
        },
        User: {
          __resolveReference: ({ id }: { id: string }) => ({ id }),
          reviews: () => ofUser,
        },
        Product: {
          __resolveReference: ({ upc }: { upc: string }) => ({ upc }),
          reviews: ({ upc }: { upc: string }) => reviews.filter((review) => review.upc === upc),
        },
      },
    },
  ],
};
