import type { Schema } from '@apollo/federation-internals';
import type { GraphQLSchema } from 'graphql';
import type { SubgraphMap } from '../executor.ts';

/** What every operation of one graph shares. */
export interface StockGraph {
  readonly subgraphs: SubgraphMap;
  readonly schema: GraphQLSchema;
  readonly apiSchema: Schema;
  readonly supergraphSchema: GraphQLSchema;
}
