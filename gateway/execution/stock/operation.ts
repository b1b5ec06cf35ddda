import { executeQueryPlan } from '@apollo/gateway/dist/executeQueryPlan.js';
import { buildOperationContext } from '@apollo/gateway/dist/operationContext.js';
import type { FetchNode, QueryPlan } from '@apollo/query-planner';
import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { ExecutionRequest, LiveSubscription, ParsedOperation, PreparedOperation } from '../executor.ts';
import { buildSubgraphRequest, callSubgraph, getSubgraph, toGraphQLError } from '../subgraph-call.ts';
import { coerceVariables } from '../variables.ts';
import type { StockGraph } from './graph.ts';
import { createLiveSubscription, isResultStream, type StockSubscription } from './live-subscription.ts';

type ServiceMap = Parameters<typeof executeQueryPlan>[1];
type DataSource = ServiceMap[string];
type RequestContext = Parameters<typeof executeQueryPlan>[2];

/** The name under which a subscription's event takes part in the plan that completes it. */
const eventService = '\u0000event';

/** The subscriptions behind the operations that this engine prepared. */
const subscriptions = new WeakMap<PreparedOperation, StockSubscription>();

/** Binds a plan to the graph it was made on. */
export function createStockOperation(
  graph: StockGraph,
  parsed: ParsedOperation,
  plan: QueryPlan,
): PreparedOperation {
  const context = buildOperationContext({
    schema: graph.schema,
    operationDocument: parsed.document,
    operationName: parsed.operationName ?? undefined,
  });
  const definitions = context.operation.variableDefinitions ?? [];

  async function run(
    node: QueryPlan['node'],
    request: ExecutionRequest,
    event?: ExecutionResult,
  ): Promise<ExecutionResult> {
    const services: ServiceMap = Object.create(null);
    for (const name of graph.subgraphs.keys()) services[name] = createDataSource(graph, name, request);
    if (event)
      services[eventService] = {
        process: async () => event,
      };
    const requestContext = {
      request: { variables: { ...request.variables } },
      metrics: {},
      logger: silent,
      context: {},
    } as unknown as RequestContext;
    const planToRun: QueryPlan = node ? { kind: 'QueryPlan', node } : { kind: 'QueryPlan' };
    const result = await executeQueryPlan(
      planToRun,
      services,
      requestContext,
      context,
      graph.supergraphSchema,
      graph.apiSchema,
    );
    return withValueCompletion(result as ExecutionResult);
  }

  async function execute(request: ExecutionRequest): Promise<ExecutionResult> {
    try {
      const variables = coerceVariables(graph.schema, definitions, request.variables);
      if ('errors' in variables) return variables;
      return await run(plan.node, request);
    } catch (error) {
      return { errors: [toGraphQLError(error)], data: null };
    }
  }

  async function subscribe(request: ExecutionRequest): Promise<LiveSubscription | ExecutionResult> {
    const own = subscriptions.get(operation);
    if (!own || plan.node?.kind !== 'Subscription') {
      return {
        errors: [
          new GraphQLError('Not a subscription.', {
            extensions: { code: 'BAD_USER_INPUT' },
          }),
        ],
      };
    }
    const key = own.upstreamKey(request);
    if ('errors' in key) return key;
    const { primary } = plan.node;
    try {
      const upstream = await getSubgraph(graph.subgraphs, primary.serviceName).subscribe(
        buildSubgraphRequest(fetchOf(primary, request), request),
      );
      if (!isResultStream(upstream)) {
        return {
          errors: (upstream.errors ?? []).map((error) => new GraphQLError(error.message, error)),
        };
      }
      return createLiveSubscription(upstream, key.key, own.mapper(request), (other) =>
        subscriptions.get(other),
      );
    } catch (error) {
      return { errors: [toGraphQLError(error)] };
    }
  }

  const operation: PreparedOperation = {
    summary: {
      kind: parsed.kind,
      operationName: parsed.operationName,
      rootFields: parsed.rootFields,
    },
    heapBytes: 2_000 + parsed.query.length * 60 + JSON.stringify(plan).length * 4,
    execute,
    subscribe,
  };
  if (plan.node?.kind === 'Subscription') {
    const { primary, rest } = plan.node;
    const eventFetch: FetchNode = { ...primary, serviceName: eventService };
    subscriptions.set(operation, {
      upstreamKey(request) {
        const variables = coerceVariables(graph.schema, definitions, request.variables);
        if ('errors' in variables) return variables;
        return { key: JSON.stringify(fetchOf(primary, request)) };
      },
      mapper: (request) => (event) =>
        run(rest ? { kind: 'Sequence', nodes: [eventFetch, rest] } : eventFetch, request, event),
    });
  }
  return operation;
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function fetchOf(fetch: FetchNode, request: ExecutionRequest): Parameters<typeof buildSubgraphRequest>[0] {
  const variables: Record<string, unknown> = {};
  for (const name of fetch.variableUsages ?? []) {
    if (Object.hasOwn(request.variables, name)) variables[name] = request.variables[name];
  }
  return {
    subgraph: fetch.serviceName,
    query: fetch.operation,
    operationName: fetch.operationName,
    variables,
  };
}

function createDataSource(graph: StockGraph, subgraph: string, request: ExecutionRequest): DataSource {
  const source = {
    process: ({ request: { query, operationName, variables } }: { request: RequestContext['request'] }) =>
      callSubgraph(
        graph.subgraphs,
        {
          subgraph,
          query: query ?? '',
          operationName,
          variables: variables ?? {},
        },
        request,
      ),
  };
  return source;
}

/** Apollo's executor hides a null in the wrong place in an extension; by the specification it is an error. */
function withValueCompletion(result: ExecutionResult): ExecutionResult {
  const { valueCompletion, ...extensions } = (result.extensions ?? {}) as {
    valueCompletion?: GraphQLError[];
  };
  if (!valueCompletion) return result;
  return {
    ...result,
    errors: [...(result.errors ?? []), ...valueCompletion],
    extensions: Object.keys(extensions).length > 0 ? extensions : undefined,
  };
}
