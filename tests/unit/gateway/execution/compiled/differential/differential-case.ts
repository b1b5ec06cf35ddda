/** One case run by both executors, and how their answers differ. */
import { executeQueryPlan } from '@apollo/gateway/dist/executeQueryPlan.js';
import { buildOperationContext } from '@apollo/gateway/dist/operationContext.js';
import { operationFromDocument, Supergraph } from '@apollo/federation-internals';
import { QueryPlanner } from '@apollo/query-planner';
import { parse } from 'graphql';
import type { GraphQLSchema } from 'graphql';
import type { Schema } from '@apollo/federation-internals';
import type { ExecutionResult } from 'graphql';
import { isDeepStrictEqual } from 'node:util';
import { anonymousClaims } from '#schema/claims.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import type { LoadedGraph } from '#gateway/execution/executor.ts';
import { createCompiledEngine } from '#gateway/execution/compiled/engine.ts';
import type { GeneratedOperation } from './operation-generator.ts';
import { buildSimulatedSchema, createSimulator } from './subgraph-simulator.ts';
import type { Faults, Simulator } from './subgraph-simulator.ts';
import type { GeneratedGraph } from './supergraph-generator.ts';

/** A generated graph loaded by both. */
export interface GraphPair {
  readonly schema: GraphQLSchema;
  run(operation: GeneratedOperation, faults: Faults): Promise<Comparison>;
}

export interface Comparison {
  /** Null: alike. */
  readonly difference: string | null;
  /** The stock executor gave up on the whole request where only a part was faulty. */
  readonly stockGaveUp: boolean;
  readonly ours: ExecutionResult;
  readonly stock: ExecutionResult | null;
}

export async function createGraphPair(graph: GeneratedGraph): Promise<GraphPair> {
  const supergraph = Supergraph.build(graph.supergraphSdl);
  const apiSchema = supergraph.apiSchema();
  const stock = {
    apiSchema,
    schema: apiSchema.toGraphQLJSSchema(),
    supergraphSchema: supergraph.schema.toGraphQLJSSchema(),
    planner: new QueryPlanner(supergraph),
  };
  const schemas = new Map([...graph.subgraphs].map(([name, sdl]) => [name, buildSimulatedSchema(sdl)]));
  let simulators = new Map<string, Simulator>();
  const subgraphs = new Map<string, SubgraphService>();
  for (const name of graph.subgraphs.keys())
    subgraphs.set(
      name,
      serviceOf(name, () => simulators),
    );
  const ours = await createCompiledEngine({ subgraphs }).load(graph.supergraphSdl);
  const remotes = new Map([...subgraphs].map(([name, service]) => [name, { ...service, isRemote: true }]));
  let merging: LoadedGraph | undefined;
  return {
    schema: stock.schema,
    async run(operation, faults) {
      simulators = new Map(
        [...schemas].map(([name, schema]) => [name, createSimulator(name, schema, faults)]),
      );
      // Merged calls draw other faults, except those of resolvers.
      if (!hasCallFaults(faults))
        merging ??= await createCompiledEngine({ subgraphs: remotes }).load(graph.supergraphSdl);
      const ourAnswer = await runOurs(hasCallFaults(faults) ? ours : (merging ?? ours), operation);
      const stockAnswer = await runStock(stock, simulators, operation);
      const stockGaveUp = stockAnswer === null || !('data' in stockAnswer);
      const difference = stockGaveUp ? null : differenceOf(ourAnswer, stockAnswer, hasAllEntities(faults));
      return { difference, stockGaveUp, ours: ourAnswer, stock: stockAnswer };
    },
  };
}

function hasCallFaults({ wrongNull, wrongLeaf, missingEntity, failedCall }: Faults): boolean {
  return wrongNull + wrongLeaf + missingEntity + failedCall > 0;
}

/** Where objects lack what they would be asked for by, the stock executor names other elements of lists than it means. */
function hasAllEntities({ wrongNull, missingEntity }: Faults): boolean {
  return wrongNull + missingEntity === 0;
}

function serviceOf(name: string, simulators: () => Map<string, Simulator>): SubgraphService {
  return {
    name,
    getSdl: () => Promise.reject(new Error('Not asked for')),
    subscribe: () => Promise.reject(new Error('Not asked for')),
    execute: ({ query, variables }) => {
      const simulator = simulators().get(name) as Simulator;
      return simulator({ query, variables: structuredClone(variables ?? {}) });
    },
  };
}

async function runOurs(graph: LoadedGraph, operation: GeneratedOperation): Promise<ExecutionResult> {
  const { query, kind, variables } = operation;
  const prepared = graph.prepare({
    query,
    document: parse(query),
    kind,
    operationName: 'Drawn',
    rootFields: [],
  });
  if ('errors' in prepared) throw new Error(`Not prepared: ${prepared.errors.map(String).join('; ')}`);
  return prepared.execute({
    variables,
    claims: anonymousClaims,
    definitionsVersion: null,
    requestId: 'differential',
    clientAddress: null,
  });
}

interface StockGraph {
  readonly apiSchema: Schema;
  readonly schema: GraphQLSchema;
  readonly supergraphSchema: GraphQLSchema;
  readonly planner: QueryPlanner;
}

/** Null: it threw. */
async function runStock(
  graph: StockGraph,
  simulators: Map<string, Simulator>,
  { query, variables }: GeneratedOperation,
): Promise<ExecutionResult | null> {
  const document = parse(query);
  const plan = graph.planner.buildQueryPlan(operationFromDocument(graph.apiSchema, document, {}));
  const context = buildOperationContext({
    schema: graph.schema,
    operationDocument: document,
    operationName: undefined,
  });
  const services: Record<string, unknown> = {};
  for (const [name, simulator] of simulators) {
    services[name] = {
      process: async ({ request }: { request: { query: string; variables: Record<string, unknown> } }) =>
        withoutAssumedTypes(
          await simulator({ query: request.query, variables: structuredClone({ ...request.variables }) }),
        ),
    };
  }
  const requestContext = { request: { variables }, metrics: {}, logger: console, context: {} };
  try {
    return (await executeQueryPlan(
      plan,
      services as never,
      requestContext as never,
      context,
      graph.supergraphSchema,
      graph.apiSchema,
    )) as ExecutionResult;
  } catch {
    return null;
  }
}

/** A subgraph that knows only the interface must not rename an object whose type is known: the stock executor lets it. */
function withoutAssumedTypes(answer: ExecutionResult): ExecutionResult {
  const entities = (answer.data?._entities ?? []) as ({ __typename?: string } | null)[];
  for (const entity of entities) if (entity?.__typename === 'Media') delete entity.__typename;
  return answer;
}

/**
 * Data has to be equal, and the errors' paths and codes as multisets. What the stock executor puts into an extension
 * (or drops, once a subgraph has reported anything) is an error of ours: it is compared where the stock one tells.
 */
function differenceOf(ours: ExecutionResult, stock: ExecutionResult, exact: boolean): string | null {
  const [ourData, stockData] = [plain(ours.data), plain(stock.data)];
  if (!isDeepStrictEqual(ourData, stockData)) return 'data';
  const completions = (stock.extensions?.valueCompletion ?? []) as { path?: (string | number)[] }[];
  const ourErrors = (ours.errors ?? []).filter((error) => !isCompletion(error.message));
  // That a type is not known is something the stock executor never says, whatever it nulls for it.
  const ourCompletions = (ours.errors ?? []).filter(
    (error) => isCompletion(error.message) && !error.message.startsWith('The type of'),
  );
  const [left, right] = [ourErrors.map(signature).toSorted(), (stock.errors ?? []).map(signature).toSorted()];
  // The stock executor does not count objects that it did not ask for, and so names another element of the list.
  const places = (signatures: string[]) =>
    signatures.map((text) => text.replace(/\.\d+(?=[. ])/g, '.#')).toSorted();
  const [one, other] = exact ? [left, right] : [places(left), places(right)];
  if (!isDeepStrictEqual(one, other))
    return `errors\nours  ${left.join('\n      ')}\nstock ${right.join('\n      ')}`;
  if (stock.errors?.length) return null;
  const expected = completions.map((error) => pathText(error.path)).toSorted();
  const told = ourCompletions
    .filter(
      (error) =>
        expected.includes(pathText(error.path)) || !isAccountedFor(error.path, completions, stockData),
    )
    .map((error) => pathText(error.path))
    .toSorted();
  return isDeepStrictEqual(told, expected)
    ? null
    : `completion\nours  ${told.join(' ')}\nstock ${expected.join(' ')}`;
}

/**
 * Whether the answer is null above that place because of another one there. The stock executor goes through selections one
 * by one, and leaves the later ones out below what a former one made null; ours are merged, so all are told.
 */
function isAccountedFor(
  path: readonly (string | number)[] = [],
  completions: readonly { readonly path?: readonly (string | number)[] }[],
  data: unknown,
): boolean {
  let value = data;
  for (let length = 0; length < path.length; length++) {
    if (value === null) {
      const above = path.slice(0, length);
      return completions.some((other) => above.every((part, index) => other.path?.[index] === part));
    }
    value = (value as Record<string | number, unknown>)[path[length] as string | number] ?? null;
  }
  return false;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

function isCompletion(message: string): boolean {
  return /^(Cannot return null|Invalid value|Invalid __typename|Expected an? (object|list)|The type of)/.test(
    message,
  );
}

/** What is thrown has no code in the stock executor, and its call failed as a whole in ours. */
function signature(error: {
  path?: readonly (string | number)[] | undefined;
  extensions?: Record<string, unknown>;
}): string {
  const code = error.extensions?.code ?? 'SUBGRAPH_UNAVAILABLE';
  return `${pathText(error.path)} ${JSON.stringify(code)}`;
}

/** Up to the first list for a path that the stock executor did not translate ("a.@._entities"). */
function pathText(path: readonly (string | number)[] | undefined): string {
  if (!path) return '-';
  const end = path.findIndex((part) => part === '@' || part === '_entities');
  return path.slice(0, end === -1 ? undefined : end).join('.');
}
