/** A small graph on the compiled engine whose subgraphs answer what a test tells them. */
import { composeServices } from '@apollo/composition';
import { parse } from 'graphql';
import type { ExecutionResult, GraphQLError } from 'graphql';
import { anonymousClaims } from '#schema/claims.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { ExecutionRequest, LoadedGraph, PreparedOperation } from '#gateway/execution/executor.ts';

const header =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable", "@external", "@requires", "@inaccessible", "@interfaceObject"])\n';

export interface TestSubgraph {
  readonly sdl: string;
  readonly isRemote?: boolean;
  execute?(request: SubgraphRequest): Promise<ExecutionResult> | ExecutionResult;
  subscribe?: SubgraphService['subscribe'];
}

export function composeTestGraph(subgraphs: Readonly<Record<string, TestSubgraph>>): string {
  const composed = composeServices(
    Object.entries(subgraphs).map(([name, { sdl }]) => ({
      name,
      url: `http://${name}`,
      typeDefs: parse(header + sdl),
    })),
  );
  if (composed.errors) throw composed.errors[0];
  return composed.supergraphSdl;
}

export function loadTestGraph(subgraphs: Readonly<Record<string, TestSubgraph>>): Promise<LoadedGraph> {
  const services = Object.entries(subgraphs).map(([name, subgraph]): [string, SubgraphService] => [
    name,
    {
      name,
      ...(subgraph.isRemote ? { isRemote: true } : {}),
      getSdl: () => Promise.reject(new Error('Not asked for')),
      execute: async (request) => subgraph.execute?.(request) ?? { data: null },
      subscribe: subgraph.subscribe ?? (() => Promise.reject(new Error('Not asked for'))),
    },
  ]);
  return createCompiledEngine({ subgraphs: new Map(services) }).load(composeTestGraph(subgraphs));
}

/** Throws where the operation does not fit the graph. */
export function prepareOn(graph: LoadedGraph, query: string): PreparedOperation {
  const prepared = tryPrepare(graph, query);
  if ('errors' in prepared) throw prepared.errors[0];
  return prepared;
}

export function tryPrepare(
  graph: LoadedGraph,
  query: string,
): PreparedOperation | { readonly errors: readonly GraphQLError[] } {
  const kind = /^\s*(mutation|subscription)/.exec(query)?.[1] ?? 'query';
  return graph.prepare({
    query,
    document: parse(query),
    kind: kind as 'query',
    operationName: null,
    rootFields: [],
  });
}

export function requestOf(
  variables: Record<string, unknown> = {},
  more: Partial<ExecutionRequest> = {},
): ExecutionRequest {
  return {
    variables,
    claims: anonymousClaims,
    definitionsVersion: null,
    requestId: 'test',
    clientAddress: null,
    ...more,
  };
}

/** Prepares and runs; the result as it would be sent. */
export async function runOn(
  subgraphs: Readonly<Record<string, TestSubgraph>>,
  query: string,
  variables: Record<string, unknown> = {},
  more: Partial<ExecutionRequest> = {},
): Promise<{
  data?: unknown;
  errors?: { message: string; path?: unknown; extensions?: Record<string, unknown> }[];
}> {
  const operation = prepareOn(await loadTestGraph(subgraphs), query);
  return JSON.parse(JSON.stringify(await operation.execute(requestOf(variables, more))));
}
