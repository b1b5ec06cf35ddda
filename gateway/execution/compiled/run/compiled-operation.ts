/** A recipe made runnable. Holds functions and strings, never a schema, so that it outlives the graph it was made on. */
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type {
  ExecutionRequest,
  LiveSubscription,
  PreparedOperation,
  StreamFacts,
  SubgraphMap,
} from '../../executor.ts';
import { toGraphQLError } from '../../subgraph-call.ts';
import type { FetchStep, InputTypes, OperationRecipe } from '../recipe.ts';
import { badRequest, failedCall, stoppedError, subgraphError, unexplained } from './errors.ts';
import type { Completion } from './errors.ts';
import { subgraphRequest } from './fetch.ts';
import { createLiveSubscription } from './live-subscription.ts';
import { isObject, mergeInto } from './merge.ts';
import { createResumption, readStreamFacts, type Resumption } from './stream-facts.ts';
import { createIntrospectionAnswers } from './introspection-answers.ts';
import type { Introspect, IntrospectionAnswers } from './introspection-answers.ts';
import { createRun, settled } from './operation-run.ts';
import type { Answer, OperationRun, Step } from './operation-run.ts';
import { recipeBytes } from './recipe-bytes.ts';
import { applyRewrites } from './rewrites.ts';
import { createShaper } from './shaper.ts';
import type { Shaper } from './shaper.ts';
import { createStep } from './steps.ts';
import { coerceVariables } from './variables.ts';
import type { CoercedVariables } from './variables.ts';

export type { Introspect };

export interface CompiledOperationOptions {
  readonly recipe: OperationRecipe;
  readonly inputTypes: InputTypes;
  readonly subgraphs: SubgraphMap;
  readonly introspect: Introspect;
  /** What `takeRecipe` gives. */
  readonly portable?: string | null;
}

type OpenedStream = ReturnType<SubgraphService['subscribe']>;

/** What opens a subscription's upstream. Two of equal `key` are one and the same upstream. */
export interface Upstream {
  readonly key: string;
  readonly service: SubgraphService | undefined;
  readonly request: SubgraphRequest;
}

export class CompiledOperation implements PreparedOperation {
  readonly summary: PreparedOperation['summary'];
  readonly heapBytes: number;
  readonly stream: StreamFacts | null;
  readonly #resumption: Resumption | null;
  readonly #shape: Shaper;
  readonly #step: Step | null;
  readonly #source: FetchStep | null;
  readonly #subgraphs: SubgraphMap;
  readonly #introspection: IntrospectionAnswers | null;
  readonly #coerce: (provided: Readonly<Record<string, unknown>>) => CoercedVariables;

  #portable: string | null;

  constructor({ recipe, inputTypes, subgraphs, introspect, portable = null }: CompiledOperationOptions) {
    this.#portable = portable;
    const { variables, conditionVariables } = recipe;
    this.summary = recipe.summary;
    this.#shape = createShaper(recipe);
    this.#step = recipe.plan && createStep(recipe.plan, subgraphs);
    this.#source = recipe.source;
    this.#resumption = recipe.source && createResumption(recipe.source);
    this.stream =
      recipe.source && this.#resumption && readStreamFacts(recipe, recipe.source, this.#resumption);
    this.#subgraphs = subgraphs;
    this.#introspection =
      recipe.introspection.length > 0 ? createIntrospectionAnswers(recipe.introspection, introspect) : null;
    this.heapBytes = recipeBytes(recipe) + (this.#introspection?.bytes ?? 0);
    this.#coerce = (provided) => coerceVariables(variables, inputTypes, conditionVariables, provided);
  }

  takeRecipe(): string | null {
    const recipe = this.#portable;
    this.#portable = null;
    return recipe;
  }

  execute(request: ExecutionRequest): Promise<ExecutionResult> {
    return neverRejecting(() => {
      const coerced = this.#coerce(request.variables);
      if (coerced.errors) return Promise.resolve({ errors: coerced.errors });
      if (this.#source) {
        return Promise.resolve({ errors: [badRequest('Subscriptions run over a subscription transport')] });
      }
      return this.#complete(createRun(request, coerced.values));
    });
  }

  async subscribe(request: ExecutionRequest): Promise<LiveSubscription | ExecutionResult> {
    const upstream = this.upstream(request);
    if ('errors' in upstream) return upstream;
    const source = this.#source as FetchStep;
    try {
      if (!upstream.service) throw new Error(`There is no subgraph "${source.subgraph}"`);
      const events = await this.#open(upstream.service, upstream.request, request.after);
      if (Symbol.asyncIterator in events) {
        return createLiveSubscription(events, upstream.key, this, request, (other) =>
          other instanceof CompiledOperation ? other : null,
        );
      }
      return { errors: (events.errors ?? []).map((error) => subgraphError(error, error.path)) };
    } catch (cause) {
      return { errors: [failedCall(source.subgraph, cause)] };
    }
  }

  async #open(service: SubgraphService, asked: SubgraphRequest, after: string | undefined): OpenedStream {
    const resumed = after === undefined ? null : this.#resumption?.from(asked, after);
    if (!resumed) return service.subscribe(asked);
    const events = await service.subscribe(resumed);
    if (Symbol.asyncIterator in events) return events;
    // This field takes no `after`.
    const isUnfit = events.errors?.some(({ extensions }) => extensions.code === 'GRAPHQL_VALIDATION_FAILED');
    return isUnfit ? service.subscribe(asked) : events;
  }

  /** What this subscription asks of its upstream, or why it cannot. */
  upstream(request: ExecutionRequest): Upstream | { readonly errors: readonly GraphQLError[] } {
    const source = this.#source;
    if (!source) return { errors: [badRequest('Queries and mutations are not subscribed to')] };
    const coerced = this.#coerce(request.variables);
    if (coerced.errors) return { errors: coerced.errors };
    const { tellsPlace } = request;
    const asked = {
      ...subgraphRequest(source, { request, variables: coerced.values }, null),
      ...(tellsPlace ? { tellsPlace } : {}),
    };
    const key = JSON.stringify([source.subgraph, asked.query, asked.operationName, asked.variables]);
    return { key, service: this.#subgraphs.get(source.subgraph), request: asked };
  }

  /** Completes one event of the upstream. The event belongs to the answer from then on. */
  completeEvent(event: Answer, request: ExecutionRequest): Promise<ExecutionResult> {
    return neverRejecting(() => {
      const coerced = this.#coerce(request.variables);
      if (coerced.errors) return Promise.resolve({ errors: coerced.errors });
      const run = createRun(request, coerced.values);
      for (const error of event.errors ?? []) run.errors.push(subgraphError(error, error.path));
      if (!isObject(event.data)) return this.#complete(run, null);
      applyRewrites(this.#source?.outputRewrites ?? [], event.data);
      mergeInto(run.data, event.data);
      return this.#complete(run);
    });
  }

  #complete(run: OperationRun, step: Step | null = this.#step): Promise<ExecutionResult> {
    const pending = step?.(run);
    if (!pending) return Promise.resolve(this.#result(run));
    return settled(run, pending).then(() => this.#result(run));
  }

  #result(run: OperationRun): ExecutionResult {
    const { variables, errors } = run;
    if (run.stopped) errors.push(stoppedError(run.request.signal?.reason));
    const completions: Completion[] = [];
    const introspection = this.#introspection?.answer(variables) ?? {};
    const data = this.#shape({ variables, introspection, completions }, run.data) ?? null;
    if (completions.length > 0) errors.push(...unexplained(completions, errors, run.unanswered));
    return errors.length > 0 ? { errors, data } : { data };
  }
}

/** What goes wrong in here (an answer that nothing foresaw) is an answer too: masked and logged where errors leave. */
async function neverRejecting(run: () => Promise<ExecutionResult>): Promise<ExecutionResult> {
  try {
    return await run();
  } catch (cause) {
    return { errors: [toGraphQLError(cause)], data: null };
  }
}
