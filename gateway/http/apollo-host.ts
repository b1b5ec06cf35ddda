import { ApolloServer, HeaderMap, type ApolloServerPlugin, type HTTPGraphQLRequest } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
} from '@apollo/server/plugin/disabled';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { buildSchema, GraphQLError, type ExecutionResult } from 'graphql';
import type { Caller } from '#gateway/auth/caller.ts';
import type { KnownOperation, OperationCall, OperationRunner } from '#gateway/execution/operation-runner.ts';
import type { Logger } from '#gateway/logger.ts';
import { statusOfErrors } from './error-status.ts';
import { refusedOperation, slimDocument } from './slim-document.ts';

/** What one HTTP request carries through Apollo Server. */
export interface RequestContext {
  readonly caller: Caller;
  readonly call: Omit<OperationCall, 'variables'>;
  /** Shared by Apollo's copies of this object. `wellFormed`: the request was one, whatever GraphQL says to it. */
  readonly outcome: { wellFormed: boolean };
  known?: KnownOperation;
  refusal?: readonly GraphQLError[];
}

export interface ApolloHost extends AsyncDisposable {
  /** GraphQL over HTTP: negotiates, reads the parameters, runs, gives the status. `context` may throw GraphQLErrors. */
  handle(
    request: HTTPGraphQLRequest,
    context: () => Promise<RequestContext>,
  ): ReturnType<ApolloServer<RequestContext>['executeHTTPGraphQLRequest']>;
}

/**
 * One ApolloServer for all tenants. Its schema is a placeholder: a plugin finds the caller's operation before Apollo
 * would parse the text, and the executor runs that from the context. So validation, introspection and coercion are ours.
 */
export async function createApolloHost(options: {
  runner: OperationRunner;
  logger: Logger;
}): Promise<ApolloHost> {
  const { runner, logger } = options;
  const server = new ApolloServer<RequestContext>({
    gateway: createPlaceholderGateway((context, variables) => {
      if (!context.known) throw new Error('an operation was run before it was known');
      return runner.execute(context.known, { ...context.call, variables });
    }),
    documentStore: null,
    dangerouslyDisableValidation: true,
    persistedQueries: false,
    // Cookies count only for pages that are ours or allowed (auth/credentials.ts), so a plain GET needs no guard.
    csrfPrevention: false,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    nodeEnv: 'production',
    logger: toApolloLogger(logger),
    stringifyResult: (value) => JSON.stringify(value),
    plugins: [
      createOperationPlugin(runner),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
    ],
  });
  await server.start();
  return {
    handle: (httpGraphQLRequest, context) =>
      server.executeHTTPGraphQLRequest({ httpGraphQLRequest, context }),
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

function createOperationPlugin(runner: OperationRunner): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveSource(requestContext) {
          const { request, source, contextValue } = requestContext;
          // An empty name counts as none, for Apollo too, which looks for it in the document.
          if (request.operationName === '') request.operationName = undefined;
          const text = { query: source, operationName: request.operationName ?? null };
          const known = await runner.prepare(contextValue.caller, text, contextValue.call.requestId);
          contextValue.outcome.wellFormed =
            'errors' in known || known.operation.summary.kind !== 'subscription';
          if ('errors' in known) contextValue.refusal = known.errors;
          else contextValue.known = known;
          const summary = 'errors' in known ? refusedOperation : known.operation.summary;
          // Apollo parses and validates only where no document is set; its types say that none can be.
          Object.assign(requestContext, { document: slimDocument(summary) });
          // Apollo picks the operation of that document by this name.
          if ('errors' in known) request.operationName = undefined;
        },
        async responseForOperation({ contextValue: { known, refusal } }) {
          const errors =
            refusal ??
            (known?.operation.summary.kind === 'subscription' ? [subscriptionOverHttp()] : undefined);
          if (!errors) return null;
          return {
            http: { status: statusOfErrors(errors), headers: new HeaderMap() },
            body: { kind: 'single', singleResult: { errors: errors.map((error) => error.toJSON()) } },
          };
        },
      };
    },
  };
}

function subscriptionOverHttp(): GraphQLError {
  return new GraphQLError('Subscriptions need a WebSocket (graphql-transport-ws) at this path.', {
    extensions: { code: 'BAD_REQUEST' },
  });
}

type Gateway = NonNullable<ConstructorParameters<typeof ApolloServer<RequestContext>>[0]['gateway']>;

function createPlaceholderGateway(
  execute: (context: RequestContext, variables: Record<string, unknown>) => Promise<ExecutionResult>,
): Gateway {
  const placeholder = 'type Query { placeholder: Boolean }';
  return {
    onSchemaLoadOrUpdate(callback) {
      callback({ apiSchema: buildSchema(placeholder), coreSupergraphSdl: placeholder });
      return () => undefined;
    },
    async load() {
      return {
        executor: ({ context, request }) => execute(context as RequestContext, request.variables ?? {}),
      };
    },
    async stop() {},
  };
}

function toApolloLogger(
  logger: Logger,
): Record<'debug' | 'info' | 'warn' | 'error', (message?: unknown) => void> {
  return {
    debug: (message) => logger.debug(String(message)),
    info: (message) => logger.info(String(message)),
    warn: (message) => logger.warn(String(message)),
    error: (message) => logger.error(String(message)),
  };
}
