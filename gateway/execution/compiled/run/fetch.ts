/** One call of a subgraph: what to ask it, and where its answer goes. */
import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import { DomainError } from '#schema/errors.ts';
import type { FetchStep } from '../recipe.ts';
import type { Caller } from './callers.ts';
import { collectGroups } from './contexts.ts';
import { failedCall, subgraphError } from './errors.ts';
import { isObject, mergeInto } from './merge.ts';
import type { OperationRun, ResponseObject, Step } from './operation-run.ts';
import { createRepresentationBuilder } from './representations.ts';
import type { Representations } from './representations.ts';
import { collectObjects, collectPlaces, fixedPath } from './response-paths.ts';
import type { ResponsePath } from './response-paths.ts';
import { applyRewrites, rewrittenPath } from './rewrites.ts';

/** Calls a subgraph and merges its answer; errors are kept in the run. */
export function createFetch(step: FetchStep, caller: Caller): Step {
  const send = createSender(step, caller);
  if (!step.requires) {
    const prepare = createRootFetch(step);
    return (run) => send(run, prepare(run));
  }
  const prepare = createEntityFetch(step);
  const { contexts, path } = step;
  if (!contexts) return (run) => send(run, prepare(run, collectObjects(run.data, path)));
  return (run) => {
    const pending = collectGroups(run.data, path, contexts).flatMap(
      ({ objects, variables }) => send(run, prepare(run, objects), variables) ?? [],
    );
    return pending.length > 0 ? Promise.all(pending).then(() => undefined) : undefined;
  };
}

type Sender = (
  run: OperationRun,
  call: Call | undefined,
  extraVariables?: Readonly<Record<string, unknown>>,
) => Promise<void> | undefined;

function createSender(step: FetchStep, caller: Caller): Sender {
  return (run, call, extraVariables) => {
    if (!call) return undefined;
    const fail = (cause: unknown) => {
      if (!run.stopped) run.errors.push(failedCall(step.subgraph, cause));
    };
    try {
      return caller(run, subgraphRequest(step, run, call.representations, extraVariables)).then((answer) => {
        if (run.stopped) return;
        try {
          call.take(answer);
        } catch (cause) {
          fail(cause);
        }
      }, fail);
    } catch (cause) {
      fail(cause);
      return undefined;
    }
  };
}

/** A call that is to be made, and what to do with its answer. */
interface Call {
  readonly representations: ResponseObject[] | null;
  take(answer: ExecutionResult): void;
}

/** Undefined: there is nothing to ask. */
function createRootFetch(step: FetchStep): (run: OperationRun) => Call | undefined {
  const prefix = fixedPath(step.path);
  return (run) => {
    if (run.stopped) return undefined;
    const objects = collectObjects(run.data, step.path);
    if (objects.length === 0) return undefined;
    return {
      representations: null,
      take(answer) {
        for (const error of answer.errors ?? []) {
          run.errors.push(
            subgraphError(
              error,
              error.path && [...prefix, ...rewrittenPath(step.outputRewrites, error.path)],
            ),
          );
        }
        if (!isObject(answer.data)) {
          if (answer.errors?.length) run.unanswered.push(prefix);
          return;
        }
        applyRewrites(step.outputRewrites, answer.data);
        for (const object of objects) mergeInto(object, answer.data);
      },
    };
  };
}

/** Undefined: none of the objects is to be asked for. */
function createEntityFetch(
  step: FetchStep,
): (run: OperationRun, objects: readonly ResponseObject[]) => Call | undefined {
  const represent = createRepresentationBuilder(step.requires ?? [], step.inputRewrites);
  const assumedTypes = assumedTypesOf(step);
  return (run, objects) => {
    if (run.stopped || objects.length === 0) return undefined;
    const representations = represent(objects);
    if (representations.values.length === 0) return undefined;
    return {
      representations: representations.values,
      take(answer) {
        if (answer.errors?.length) takeEntityErrors(run, step, objects, representations, answer.errors);
        if (answer.data) mergeEntities(step, assumedTypes, objects, representations, answer.data);
      },
    };
  };
}

/** The names under which objects of known types are presented to a subgraph that knows only their interface. */
function assumedTypesOf(step: FetchStep): readonly unknown[] {
  return step.inputRewrites.flatMap((rewrite) =>
    rewrite.kind === 'set' && rewrite.key === '__typename' ? [rewrite.value] : [],
  );
}

function mergeEntities(
  step: FetchStep,
  assumedTypes: readonly unknown[],
  objects: readonly ResponseObject[],
  { values, indexes }: Representations,
  data: Record<string, unknown>,
): void {
  const entities = data._entities;
  if (!Array.isArray(entities) || entities.length !== values.length) {
    const message = `"${step.subgraph}" did not answer ${values.length} entities to ${values.length} representations`;
    throw new DomainError('SUBGRAPH_UNAVAILABLE', message);
  }
  const rewritten = step.outputRewrites.length > 0 ? new Set<unknown>() : null;
  const taken = step.isIsolated ? new Set<unknown>() : null;
  for (let index = 0; index < objects.length; index++) {
    const object = objects[index] as ResponseObject;
    const entity: unknown = entities[indexes[index] as number];
    if (!isObject(entity)) continue;
    // The type that was known stays: undefined is not merged.
    if (assumedTypes.includes(entity.__typename)) entity.__typename = undefined;
    if (rewritten && !rewritten.has(entity)) {
      // The rewrites' type conditions read it.
      entity.__typename ??= object.__typename;
      applyRewrites(step.outputRewrites, entity);
      rewritten.add(entity);
    }
    mergeInto(object, taken?.has(entity) ? structuredClone(entity) : entity);
    taken?.add(entity);
  }
}

/** An error at `_entities.3.name` goes to every place of every object that the fourth representation stands for. */
function takeEntityErrors(
  run: OperationRun,
  step: FetchStep,
  objects: readonly ResponseObject[],
  { indexes }: Representations,
  errors: readonly GraphQLFormattedError[],
): void {
  const prefix = fixedPath(step.path);
  let places: Map<number, ResponsePath[]> | undefined;
  for (const error of errors) {
    const position = error.path?.[1];
    if (typeof position !== 'number') {
      run.errors.push(subgraphError(error, error.path && prefix));
      continue;
    }
    places ??= placesByRepresentation(run.data, step, objects, indexes);
    const below = rewrittenPath(step.outputRewrites, (error.path ?? []).slice(2));
    const paths = places.get(position);
    if (!paths) run.errors.push(subgraphError(error, prefix));
    else for (const path of paths) run.errors.push(subgraphError(error, [...path, ...below]));
  }
}

function placesByRepresentation(
  data: ResponseObject,
  step: FetchStep,
  objects: readonly ResponseObject[],
  indexes: readonly number[],
): Map<number, ResponsePath[]> {
  const representations = new Map(objects.map((object, index) => [object, indexes[index] ?? -1]));
  const places = new Map<number, ResponsePath[]>();
  for (const { object, path } of collectPlaces(data, step.path)) {
    const representation = representations.get(object) ?? -1;
    const known = places.get(representation);
    if (known) known.push(path);
    else places.set(representation, [path]);
  }
  return places;
}

/** Also for the fetch that opens a subscription. */
export function subgraphRequest(
  step: FetchStep,
  { request, variables }: Pick<OperationRun, 'request' | 'variables'>,
  representations: ResponseObject[] | null,
  extraVariables?: Readonly<Record<string, unknown>>,
): SubgraphRequest {
  const passed: Record<string, unknown> = {};
  for (const name of step.variables) {
    if (Object.hasOwn(variables, name)) passed[name] = variables[name];
  }
  Object.assign(passed, extraVariables);
  if (representations) passed.representations = representations;
  return {
    query: step.query,
    operationName: step.operationName ?? undefined,
    variables: passed,
    claims: request.claims,
    definitionsVersion: request.definitionsVersion,
    requestId: request.requestId,
    clientAddress: request.clientAddress,
    headers: request.headers,
    event: request.event,
    signal: request.signal,
  };
}
