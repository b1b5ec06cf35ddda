import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { Caller } from '#gateway/auth/caller.ts';
import { CompositionError } from '#gateway/graph/composer.ts';
import type { ActiveGraph, GraphRegistry } from '#gateway/graph/registry.ts';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { Logger } from '#gateway/logger.ts';
import { DomainError } from '#schema/errors.ts';
import type {
  ExecutionRequest,
  LiveSubscription,
  LoadedGraph,
  OperationText,
  ParsedOperation,
  PreparedOperation,
} from './executor.ts';
import type { OperationCache } from './operation-cache.ts';
import { publishErrors, publishResult } from './outgoing-errors.ts';
import { parseOperation, type OperationLimits } from './parse-operation.ts';
import { toGraphQLError } from './subgraph-call.ts';

/** An operation, known and planned on the graph that its caller had when it came. */
export interface KnownOperation {
  readonly caller: Caller;
  readonly active: ActiveGraph;
  readonly operation: PreparedOperation;
}

/** What belongs to one run and not to the operation. */
export type OperationCall = Pick<
  ExecutionRequest,
  'variables' | 'requestId' | 'clientAddress' | 'headers' | 'signal'
>;

/** All that a subscription runs with, but the version of the graph. */
export type SubscriptionRequest = Omit<ExecutionRequest, 'definitionsVersion'>;

/** A request, however it came: known, planned, run, answered. Nothing here rejects; errors are ready to leave. */
export interface OperationRunner {
  prepare(
    caller: Caller,
    text: OperationText,
    requestId: string,
  ): Promise<KnownOperation | { readonly errors: readonly GraphQLError[] }>;
  execute(known: KnownOperation, call: OperationCall): Promise<ExecutionResult>;
  /**
   * Under the request's own claims, which need not be the caller's. Results of the stream are not yet ready to leave:
   * `publishResult` is the reader's.
   */
  subscribe(known: KnownOperation, request: SubscriptionRequest): Promise<LiveSubscription | ExecutionResult>;
}

export interface OperationRunnerOptions {
  readonly registry: GraphRegistry;
  readonly tenants: TenantTable;
  readonly operations: OperationCache;
  readonly logger: Logger;
  /** Prepares what needs no loaded graph; undefined for anything else. Default: nothing. */
  readonly introspect?: (
    graphHash: string,
    parsed: ParsedOperation,
  ) => Promise<ReturnType<LoadedGraph['prepare']> | undefined>;
  readonly limits?: OperationLimits;
  /** How long a definition mutation waits for its own swap. Default 1,000. */
  readonly swapWaitMs?: number;
  /** Whether who has not signed in is told to, instead of which fields there are not. Default true. */
  readonly hidesSchema?: boolean;
}

/** After these the caller's own graph has changed. */
const definitionMutations = new Set([
  'createEntity',
  'updateEntity',
  'deleteEntity',
  'createField',
  'updateField',
  'deleteField',
  'renameEntity',
  'renameField',
  'retypeField',
  'dropAlias',
  'applyDefinitions',
  'importDefinitions',
  'importTenant',
  'applyTemplate',
  'setPermissions',
]);

export function createOperationRunner(options: OperationRunnerOptions): OperationRunner {
  const {
    registry,
    tenants,
    operations,
    logger,
    introspect,
    limits,
    swapWaitMs = 1_000,
    hidesSchema = true,
  } = options;

  async function find(
    caller: Caller,
    text: OperationText,
  ): Promise<KnownOperation | { errors: readonly GraphQLError[] }> {
    const found = registry.getActive(caller.scope);
    const active = 'hash' in found ? found : await found;
    const known = operations.find(active.hash, text);
    if (known) return { caller, active, operation: known };
    const parsed = parseOperation(text.query, text.operationName, limits);
    if ('errors' in parsed) return parsed;
    const fetched = await operations.fetch(active.hash, text);
    if (fetched) return { caller, active, operation: fetched };
    const light = await introspect?.(active.hash, parsed);
    if (light && !('errors' in light)) {
      operations.set(active.hash, text, light);
      return { caller, active, operation: light };
    }
    if (light) return light;
    const loaded = await registry.load(caller.scope, active);
    const meanwhile = operations.find(loaded.active.hash, text);
    if (meanwhile) return { caller, active: loaded.active, operation: meanwhile };
    const operation = prepare(loaded.graph, parsed);
    if ('errors' in operation) {
      // Who changed the definitions may ask for what is new while the swap is still under way.
      if (await registry.whenNewer(caller.scope, loaded.active)) return find(caller, text);
      const { before } = loaded.active;
      const hadFit = before !== undefined && operations.find(before.hash, text) !== undefined;
      return hadFit ? { errors: operation.errors.map((it) => tellOfChange(it, loaded.active)) } : operation;
    }
    operations.set(loaded.active.hash, text, operation);
    return { caller, active: loaded.active, operation };
  }

  function toRequest({ caller, active }: KnownOperation, call: OperationCall): ExecutionRequest {
    const { claims, grants } = caller;
    return { ...call, claims, grants, definitionsVersion: active.definitionsVersion };
  }

  /** Waits until the caller's next request sees what this one changed; answers what stands in the way. */
  async function settle({ caller: { scope } }: KnownOperation): Promise<GraphQLError[]> {
    if (scope.tenantId === null) return [];
    const timeout = Promise.withResolvers<null>();
    const timer = setTimeout(() => timeout.resolve(null), swapWaitMs);
    const swapped = tenants.refresh().then(() => {
      const version = tenants.findById(scope.tenantId)?.definitionsVersion;
      return version === undefined ? null : registry.update(scope, version);
    });
    const failure = await Promise.race([swapped, timeout.promise]).finally(() => clearTimeout(timer));
    if (!(failure instanceof CompositionError)) return [];
    const message = `The change is saved, but the graph does not compose with it and stays as it was: ${failure.message}`;
    return [new GraphQLError(message, { extensions: { code: 'CONFLICT', problems: failure.problems } })];
  }

  return {
    async prepare(caller, text, requestId) {
      try {
        const known = await find(caller, text);
        if (!('errors' in known)) return known;
        const unknown = hidesSchema && known.errors.some(tellsOfSchema);
        // Whether a field exists is not told to who has not signed in.
        if (unknown && caller.proof.kind === 'NONE') return { errors: [signInFirst()] };
        return { errors: publishErrors(known.errors, logger, requestId) };
      } catch (error) {
        return { errors: publishErrors([toGraphQLError(error)], logger, requestId) };
      }
    },
    async execute(known, call) {
      try {
        const { summary } = known.operation;
        const request = toRequest(known, call);
        // What has begun to write is not left half done because nobody waits for it any more.
        const signal = summary.kind === 'mutation' ? undefined : call.signal;
        const result = await known.operation.execute({ ...request, signal });
        const changed =
          summary.kind === 'mutation' && summary.rootFields.some((field) => definitionMutations.has(field));
        // Of several changes some may be made although the answer is null.
        const problems = changed && result.data !== undefined ? await settle(known) : [];
        // Nobody is there to read it, and a client that goes is not a failure to be looked into.
        if (call.signal?.aborted && !(call.signal.reason instanceof DomainError))
          return { errors: [cancelled()], data: null };
        const errors = [...(result.errors ?? []), ...problems];
        return publishResult(errors.length > 0 ? { ...result, errors } : result, logger, call.requestId);
      } catch (error) {
        return { errors: publishErrors([toGraphQLError(error)], logger, call.requestId), data: null };
      }
    },
    async subscribe({ operation, active }, request) {
      try {
        const live = await operation.subscribe({
          ...request,
          definitionsVersion: active.definitionsVersion,
        });
        return Symbol.asyncIterator in live ? live : publishResult(live, logger, request.requestId);
      } catch (error) {
        return { errors: publishErrors([toGraphQLError(error)], logger, request.requestId) };
      }
    },
  };
}

/** graphql-js throws some validation errors (`@skip` with a variable on a subscription's field) instead of listing them. */
function prepare(graph: LoadedGraph, parsed: ParsedOperation): ReturnType<LoadedGraph['prepare']> {
  try {
    return graph.prepare(parsed);
  } catch (error) {
    if (!(error instanceof GraphQLError) || error.extensions.code !== undefined) throw error;
    const { message, nodes } = error;
    return {
      errors: [new GraphQLError(message, { nodes, extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } })],
    };
  }
}

function cancelled(): GraphQLError {
  return new GraphQLError('The operation was cancelled.', { extensions: { code: 'INTERNAL_SERVER_ERROR' } });
}

/** Who repeats an operation is told why it is wrong now. */
function tellOfChange(error: GraphQLError, { before, definitionsVersion: to }: ActiveGraph): GraphQLError {
  if (error.extensions.code !== 'GRAPHQL_VALIDATION_FAILED') return error;
  const from = before?.definitionsVersion ?? null;
  const change = from === to ? 'the graph' : `the definitions, from version ${from} to ${to},`;
  return new GraphQLError(`${error.message} It was valid until a change of ${change} took it away.`, {
    nodes: error.nodes,
    extensions: { ...error.extensions, change: { from, to } },
  });
}

/** Any validation error but those about the operation's text alone. */
function tellsOfSchema({ message, extensions }: GraphQLError): boolean {
  return (
    extensions.code === 'GRAPHQL_VALIDATION_FAILED' &&
    !/^(Variable|Fragment) "[^"]*" is never used/.test(message)
  );
}

function signInFirst(): GraphQLError {
  return new GraphQLError('Sign in to use this operation.', { extensions: { code: 'UNAUTHENTICATED' } });
}
