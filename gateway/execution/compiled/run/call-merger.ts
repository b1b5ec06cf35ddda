/**
 * Sends the `_entities` calls that one run makes to one subgraph in the same turn as a single call. Between processes a
 * call costs more than its content; in process nothing is gained, so there every call goes by itself.
 */
import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { mergedNames, mergeDocuments } from './merged-document.ts';
import type { MergedDocument } from './merged-document.ts';

/** An entity call that waits for the turn to end. `id` tells the fetches of an operation apart. */
interface WaitingCall {
  readonly id: number;
  readonly request: SubgraphRequest;
  readonly answer: PromiseWithResolvers<ExecutionResult>;
}

/** One for a run and a subgraph. */
export interface CallMerger {
  execute(id: number, request: SubgraphRequest): Promise<ExecutionResult>;
}

/** What was merged before, by the ids of the fetches; one for an operation and a subgraph. */
export type MergedDocuments = Map<string, MergedDocument>;

/** Which calls meet in a turn depends on conditions and data, yet operations have few fetches: more is not kept. */
const maxMergedDocuments = 50;

export function createCallMerger(service: SubgraphService, documents: MergedDocuments): CallMerger {
  let waiting: WaitingCall[] = [];
  // Async, so that what is thrown at once is a rejection too.
  const call = async (request: SubgraphRequest) => service.execute(request);

  const flush = (): void => {
    const calls = waiting;
    waiting = [];
    const [first] = calls;
    if (calls.length === 1 && first) {
      call(first.request).then(first.answer.resolve, first.answer.reject);
      return;
    }
    call(mergedRequest(calls, documents)).then(
      (result) => {
        for (const [index, { answer }] of calls.entries())
          answer.resolve(partOf(result, index, calls.length));
      },
      (error: unknown) => {
        for (const { answer } of calls) answer.reject(error);
      },
    );
  };

  return {
    execute(id, request) {
      const answer = Promise.withResolvers<ExecutionResult>();
      if (waiting.push({ id, request, answer }) === 1) queueMicrotask(flush);
      return answer.promise;
    },
  };
}

function mergedRequest(calls: readonly WaitingCall[], documents: MergedDocuments): SubgraphRequest {
  const key = calls.map(({ id }) => id).join();
  let document = documents.get(key);
  if (!document) {
    document = mergeDocuments(calls.map(({ request }) => request.query));
    if (documents.size < maxMergedDocuments) documents.set(key, document);
  }
  const variables: Record<string, unknown> = {};
  for (const [index, { request }] of calls.entries()) {
    const { representations, ...others } = request.variables ?? {};
    Object.assign(variables, others, { [mergedNames.representations(index)]: representations });
  }
  const { query, operationName } = document;
  return {
    ...(calls[0] as WaitingCall).request,
    query,
    operationName: operationName ?? undefined,
    variables,
  };
}

/**
 * The n-th call's share of the answer, as if it had been asked alone. Errors go to the call at whose member they are; all
 * of them, without their paths, to one whose data is lost because of another's.
 */
function partOf({ data, errors }: ExecutionResult, index: number, count: number): ExecutionResult {
  const member = mergedNames.entities(index);
  const own: GraphQLError[] = [];
  const others: GraphQLError[] = [];
  const wide: GraphQLError[] = [];
  for (const error of errors ?? []) {
    const [head, ...below] = error.path ?? [];
    if (head === member) own.push(withPath(error, ['_entities', ...below]));
    else if (isMember(head, count)) others.push(error);
    else wide.push(error);
  }
  const entities = data?.[member];
  if (entities !== undefined && entities !== null) {
    // What concerns no call in particular is told once.
    return { data: { _entities: entities }, errors: index === 0 ? [...own, ...wide] : own };
  }
  const mine = [...own, ...wide];
  const lost = mine.length > 0 ? mine : others.map((error) => withPath(error, undefined));
  return { data: null, errors: lost };
}

function withPath(
  { message, extensions }: GraphQLError,
  path: (string | number)[] | undefined,
): GraphQLError {
  return new GraphQLError(message, { path, extensions });
}

function isMember(head: string | number | undefined, count: number): boolean {
  for (let index = 0; index < count; index++) if (head === mergedNames.entities(index)) return true;
  return false;
}
