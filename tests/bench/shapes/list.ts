/** A list of twenty with one federated hop: the smallest query that a gateway is for. */
import { federationHeader } from './shape.ts';
import type { Shape } from './shape.ts';

const products = Array.from({ length: 20 }, (_, index) => ({
  id: `product-${index + 1}`,
  name: `Product number ${index + 1}`,
  price: 10 + index / 4,
  isActive: index % 3 !== 0,
}));

const stock = new Map(
  products.map(({ id }, index) => [id, { inStock: index * 7, warehouse: `Warehouse ${index % 4}` }]),
);

export const listShape: Shape = {
  name: 'list',
  title: 'list of 20, one federated hop',
  query: 'query List { products(first: 20) { id name price isActive inStock warehouse } }',
  subgraphs: [
    {
      name: 'products',
      sdl: `${federationHeader}
        type Query { products(first: Int!): [Product!]! }
        type Product @key(fields: "id") { id: ID! name: String! price: Float! isActive: Boolean! }`,
      resolvers: {
        Query: { products: (_root: unknown, { first }: { first: number }) => products.slice(0, first) },
      },
    },
    {
      name: 'inventory',
      sdl: `${federationHeader}
        type Product @key(fields: "id") { id: ID! inStock: Int! warehouse: String }`,
      resolvers: {
        Product: { __resolveReference: ({ id }: { id: string }) => ({ id, ...stock.get(id) }) },
      },
    },
  ],
};
