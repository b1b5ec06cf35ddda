import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { ExecutionRequest, SubgraphMap } from './executor.ts';

/** One operation of a plan, for one subgraph. */
export interface SubgraphOperation {
  readonly subgraph: string;
  readonly query: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown>;
}

/** What a subgraph is sent for a part of a caller's request. */
export function buildSubgraphRequest(
  operation: SubgraphOperation,
  request: ExecutionRequest,
): SubgraphRequest {
  return {
    query: operation.query,
    operationName: operation.operationName,
    variables: operation.variables,
    claims: request.claims,
    definitionsVersion: request.definitionsVersion,
    requestId: request.requestId,
    clientAddress: request.clientAddress,
    headers: request.headers,
    event: request.event,
    signal: request.signal,
  };
}

/** The subgraph of that name; a supergraph that names another is our own mistake, answered as an unavailable subgraph. */
export function getSubgraph(subgraphs: SubgraphMap, name: string): SubgraphService {
  const service = subgraphs.get(name);
  if (!service) throw new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" is not configured.`);
  return service;
}

/** Calls a subgraph. Whatever it throws becomes a result with errors, so that the rest of the plan can go on. */
export async function callSubgraph(
  subgraphs: SubgraphMap,
  operation: SubgraphOperation,
  request: ExecutionRequest,
): Promise<ExecutionResult> {
  try {
    return await getSubgraph(subgraphs, operation.subgraph).execute(buildSubgraphRequest(operation, request));
  } catch (error) {
    return { errors: [toGraphQLError(error)] };
  }
}

/**
 * A DomainError with its code. Of any other error only its cause is kept, for the log: what it says was not meant for the
 * caller.
 */
export function toGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  if (error instanceof DomainError) {
    return new GraphQLError(error.message, { extensions: error.extensions, originalError: error });
  }
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(accidentMessage, { originalError, extensions: { code: 'INTERNAL_SERVER_ERROR' } });
}

/** The message of an accident until it gets the request's id. */
export const accidentMessage = 'Internal error';
