/** A workload: subgraphs with their data in memory, and the operation that every server is asked. */
import { composeServices } from '@apollo/composition';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { compileQuery, isCompiledQuery } from 'graphql-jit';
import { parse } from 'graphql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';

type Resolvers = Record<string, Record<string, unknown>>;

export interface ShapeSubgraph {
  readonly name: string;
  readonly sdl: string;
  readonly resolvers: Resolvers;
}

export interface Shape {
  readonly name: string;
  readonly title: string;
  readonly query: string;
  readonly subgraphs: readonly ShapeSubgraph[];
}

export const federationHeader =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external", "@provides", "@requires"])';

/** `urls` by subgraph, for gateways that read them from the supergraph. */
export function composeShape(shape: Shape, urls: Readonly<Record<string, string>> = {}): string {
  const composed = composeServices(
    shape.subgraphs.map(({ name, sdl }) => ({
      name,
      url: urls[name] ?? `http://${name}`,
      typeDefs: parse(sdl),
    })),
  );
  if (composed.errors) throw composed.errors[0];
  return composed.supergraphSdl;
}

/** Runs operations of one subgraph, each compiled once. */
export function createSubgraphExecutor({
  sdl,
  resolvers,
}: ShapeSubgraph): (query: string, variables: Record<string, unknown>) => Promise<ExecutionResult> {
  const schema: GraphQLSchema = buildSubgraphSchema([
    { typeDefs: parse(sdl), resolvers: resolvers as never },
  ]);
  const compiled = new Map<string, (variables: Record<string, unknown>) => Promise<ExecutionResult>>();
  return (query, variables) => {
    let run = compiled.get(query);
    if (!run) {
      const operation = compileQuery(schema, parse(query));
      if (!isCompiledQuery(operation)) throw new Error(JSON.stringify(operation));
      run = async (values) => operation.query(undefined, {}, values);
      compiled.set(query, run);
    }
    return run(variables);
  };
}

/** The shape's subgraphs as the gateway calls them in process. */
export function createInProcessSubgraphs(shape: Shape): Map<string, SubgraphService> {
  return new Map(
    shape.subgraphs.map((subgraph) => {
      const run = createSubgraphExecutor(subgraph);
      const service: SubgraphService = {
        name: subgraph.name,
        getSdl: async () => ({ sdl: subgraph.sdl, version: null }),
        execute: ({ query, variables }) => run(query, variables ?? {}),
        subscribe: async () => ({ errors: [] }),
      };
      return [subgraph.name, service];
    }),
  );
}
