/**
 * The seam between a tenant's graph and whatever runs operations on it. The gateway knows these interfaces only;
 * `stock/` runs Apollo's planner and executor behind them, `compiled/` runs our own.
 *
 *   supergraph SDL ──load──▶ LoadedGraph ──prepare──▶ PreparedOperation ──execute | subscribe──▶ result(s)
 *
 * A prepared operation belongs to a graph, not to a tenant: tenants with equal definitions share both. So it holds no
 * permission, no tenant and no definitionsVersion; those come with each request.
 */
import type { DocumentNode, ExecutionResult, GraphQLError, OperationTypeNode } from 'graphql';
import type { Grants } from '#gateway/auth/grants.ts';
import type { Claims } from '#schema/claims.ts';
import type { StreamPlace, SubgraphService } from '#schema/subgraph-protocol.ts';

/** The data sources of every graph, by the subgraph's name in the supergraph. */
export type SubgraphMap = ReadonlyMap<string, SubgraphService>;

/** Makes graphs out of supergraph SDL. Made once with the subgraphs that its graphs call. */
export interface GraphEngine {
  /** Costs 50–200 ms of blocking CPU; the caller serialises loads. Rejects when the SDL is no supergraph. */
  load(supergraphSdl: string): Promise<LoadedGraph>;
  /**
   * Prepares an operation that asks for nothing but the schema, on clients' SDL: cheaper than loading the graph. Absent: the
   * graph has to be loaded.
   */
  readonly introspect?: (
    apiSdl: string,
    parsed: ParsedOperation,
  ) => PreparedOperation | { readonly errors: readonly GraphQLError[] };
  /**
   * The operation that another process prepared on the graph of that hash, from what its `takeRecipe` gave. Throws where it
   * cannot be made. Absent: operations stay where they were prepared.
   */
  readonly revive?: (recipe: string, graphHash: string) => PreparedOperation;
  /** Recipes of another version must not be revived. */
  readonly version?: string;
}

/** One supergraph, ready to plan. Costs megabytes; it may be dropped while operations prepared on it go on. */
export interface LoadedGraph {
  /** What clients may see of it, without federation's own directives and types. */
  readonly apiSdl: string;
  /** Roughly what it holds of the heap, for the budget of the cache of graphs. */
  readonly heapBytes: number;
  /**
   * Validates and plans. Answers the validation errors (code GRAPHQL_VALIDATION_FAILED) instead of throwing.
   * Blocking, about 1 ms; the caller caches what it gets by (graph hash, operation name, query text).
   */
  prepare(parsed: ParsedOperation): PreparedOperation | { readonly errors: readonly GraphQLError[] };
}

/** An operation as a client names it. */
export interface OperationText {
  readonly query: string;
  readonly operationName: string | null;
}

/** An operation read, within its limits of size and depth, before any graph is known. See parse-operation.ts. */
export interface ParsedOperation extends OperationSummary {
  readonly query: string;
  readonly document: DocumentNode;
}

export interface OperationSummary {
  readonly kind: `${OperationTypeNode}`;
  /** The chosen operation's own name, or null. */
  readonly operationName: string | null;
  /** Names (not aliases) of the root fields asked for, fragments expanded, each once. */
  readonly rootFields: readonly string[];
}

/** A planned operation. Its methods never reject for what a caller, subgraph or client did: that is in the result. */
export interface PreparedOperation {
  readonly summary: OperationSummary;
  /** Roughly what it holds of the heap, for the budget of the cache of operations. */
  readonly heapBytes: number;
  /** What `GraphEngine.revive` makes the same operation of elsewhere; given once, to hold it no longer. */
  takeRecipe?(): string | null;
  /** Runs a query or mutation. Variables that do not coerce answer errors (BAD_USER_INPUT) and no `data` member. */
  execute(request: ExecutionRequest): Promise<ExecutionResult>;
  /** Opens a subscription, or answers why not. Resolves once the upstream has taken its position. */
  subscribe(request: ExecutionRequest): Promise<LiveSubscription | ExecutionResult>;
  /** Of a subscription: who is asked, and how it is resumed. Absent where an engine does not tell. */
  readonly stream?: StreamFacts | null;
}

/** What sharing a subscription among equal subscribers rests on. */
export interface StreamFacts {
  /** The subgraph whose events these are. */
  readonly source: string;
  /** Every subgraph that may take part in an answer, the source among them. */
  readonly subgraphs: ReadonlySet<string>;
  /** The variable that says after which place events are wanted, and nothing else; null where there is none. */
  readonly resumeVariable: string | null;
}

export interface ExecutionRequest {
  /** As the client sent them; coerced by the operation. */
  readonly variables: Readonly<Record<string, unknown>>;
  readonly claims: Claims;
  /** Of the tenant whose graph this is; null without one. Passed on to the subgraphs. */
  readonly definitionsVersion: number | null;
  readonly requestId: string;
  readonly clientAddress: string | null;
  /** The client's headers that may reach subgraphs which are not ours. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** What the caller may see of a supergraph with `@authenticated`, `@requiresScopes`, `@policy`; absent: nothing of it. */
  readonly grants?: Grants | undefined;
  /** Subscriptions: whether the upstream is asked for its places (`LiveSubscription.place`). Default false. */
  readonly tellsPlace?: boolean | undefined;
  /**
   * Subscriptions: the cursor to begin after, whatever the operation says; from now on where its upstream cannot. It is for
   * going on with what was already open.
   */
  readonly after?: string | undefined;
  /** See `SubgraphRequest.event`. */
  readonly event?: string | undefined;
  /** Aborts when the client goes; subgraph calls end, and the result is of no use any more. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A running subscription. `return()` ends it and its upstream, also while a `next()` is pending (which then answers
 * `{ done: true }`); a slow consumer holds back the upstream, nothing is buffered here.
 */
export interface LiveSubscription extends AsyncIterableIterator<ExecutionResult> {
  /**
   * Where it was when `next()` answered last; null until the upstream told. A result without `data` and `errors` is no
   * event: it tells a place alone.
   */
  readonly place?: StreamPlace | null;
  return(): Promise<IteratorResult<ExecutionResult>>;
  /**
   * Goes on with another operation (prepared on the tenant's new graph) or other claims: events from now on run on it,
   * none is lost or doubled. Answers the errors that end it where that cannot be (variables that no longer coerce, a
   * different upstream subscription); the caller then passes them to the client and calls `return()`.
   */
  continueWith(operation: PreparedOperation, request: ExecutionRequest): readonly GraphQLError[] | null;
}
