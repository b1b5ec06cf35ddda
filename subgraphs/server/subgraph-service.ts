/** A subgraph as the gateway calls it: in process directly, over HTTP through `serveSubgraph`. */
import {
  type ExecutionResult,
  GraphQLError,
  type GraphQLSchema,
  OperationTypeNode,
  subscribe,
} from 'graphql';
import type {
  SdlAnswer,
  SdlRequest,
  SubgraphName,
  SubgraphRequest,
  SubgraphService,
} from '#schema/subgraph-protocol.ts';
import { createPreparedDocuments, isPrepared } from './documents.ts';
import { failedResult, formatErrors } from './error-format.ts';
import type { Logger } from './logger.ts';
import type { RequestContext } from './request-context.ts';
import { createResultStream } from './result-stream.ts';
import { tellPlaces } from './told-places.ts';

export interface SubgraphServiceOptions<Context extends RequestContext> {
  name: SubgraphName;
  logger: Logger;
  getSdl(request: SdlRequest): Promise<SdlAnswer>;
  /** The same object for equal schemas: prepared operations are kept by it. May throw a DomainError. */
  getSchema(request: SubgraphRequest): Promise<GraphQLSchema>;
  /** A new object for each request (rules keep their results on it). */
  createContext(request: SubgraphRequest): Promise<Context> | Context;
}

function isStream(value: unknown): value is AsyncIterable<ExecutionResult> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/**
 * Every failure is a result with errors that carry `extensions.code`; nothing is thrown. Operations are parsed, validated
 * and compiled once for each schema and query text.
 */
export function createSubgraphService<Context extends RequestContext>(
  options: SubgraphServiceOptions<Context>,
): SubgraphService {
  const logger = options.logger.child({ subgraph: options.name });
  const documents = createPreparedDocuments();

  function refuse(message: string): ExecutionResult {
    return {
      errors: [new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })],
    };
  }

  return {
    name: options.name,
    getSdl: options.getSdl,

    async execute(request) {
      try {
        const schema = await options.getSchema(request);
        const prepared = documents.get(schema, request.query, request.operationName);
        if (!isPrepared(prepared)) return prepared;
        if (prepared.kind === OperationTypeNode.SUBSCRIPTION)
          return refuse('A subscription needs a WebSocket');
        const result = await prepared.execute(await options.createContext(request), request.variables);
        return formatErrors(result, logger, request.requestId);
      } catch (error) {
        return failedResult(error, logger, request.requestId);
      }
    },

    async subscribe(request) {
      try {
        const schema = await options.getSchema(request);
        const prepared = documents.get(schema, request.query, request.operationName);
        if (!isPrepared(prepared)) return prepared;
        if (prepared.kind !== OperationTypeNode.SUBSCRIPTION)
          return refuse('Only a subscription can be subscribed to');
        const context = await options.createContext(request);
        const stream = await subscribe({
          schema,
          document: prepared.document,
          contextValue: context,
          variableValues: request.variables,
          operationName: request.operationName,
        });
        if (!isStream(stream)) return formatErrors(stream, logger, request.requestId);
        const results = createResultStream(
          stream,
          (result) => formatErrors(result, logger, request.requestId),
          request.signal,
        );
        return request.tellsPlace && context.stream ? tellPlaces(results, context.stream) : results;
      } catch (error) {
        return failedResult(error, logger, request.requestId);
      }
    },
  };
}
