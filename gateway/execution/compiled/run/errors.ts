/** The errors of an answer: those of subgraphs passed on at the client's paths, those of failed calls, those of nulls in the wrong place. */
import { GraphQLError } from 'graphql';
import type { GraphQLFormattedError } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { ResponsePath } from './response-paths.ts';

/** A place where an answer breaks the schema; `path` is built from the inside out, so its last part comes first. */
export interface Completion {
  readonly message: string;
  readonly path: (string | number)[];
}

/** Members of a subgraph's `extensions` that tell of its insides. */
const internals = new Set(['stacktrace', 'exception', 'serviceName']);

/** A subgraph's error at the client's path. Its code and public extensions are kept. */
export function subgraphError(
  error: Pick<GraphQLFormattedError, 'message' | 'extensions'>,
  path: ResponsePath | undefined,
): GraphQLError {
  const extensions: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error.extensions ?? {})) {
    if (!internals.has(key)) extensions[key] = value;
  }
  extensions.code ??= 'DOWNSTREAM_SERVICE_ERROR';
  return new GraphQLError(error.message || 'A part of the answer could not be fetched', {
    path: path as (string | number)[] | undefined,
    extensions,
  });
}

/** A call that failed as a whole. What is not meant for callers is masked; the cause stays for logs. */
export function failedCall(subgraph: string, cause: unknown): GraphQLError {
  if (cause instanceof DomainError) {
    return new GraphQLError(cause.message, { originalError: cause, extensions: cause.extensions });
  }
  const originalError = cause instanceof Error ? cause : new Error(String(cause));
  return new GraphQLError(`The part of the answer that "${subgraph}" gives could not be fetched`, {
    originalError,
    extensions: { code: 'SUBGRAPH_UNAVAILABLE' },
  });
}

/** Why an execution ended early. */
export function stoppedError(reason: unknown): GraphQLError {
  if (reason instanceof DomainError) return failedCall('', reason);
  const timedOut = reason instanceof Error && reason.name === 'TimeoutError';
  return timedOut
    ? new GraphQLError('The operation took too long', { extensions: { code: 'GATEWAY_TIMEOUT' } })
    : new GraphQLError('The operation was cancelled', { extensions: { code: 'INTERNAL_SERVER_ERROR' } });
}

export function badRequest(message: string, extensions: Record<string, unknown> = {}): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', ...extensions } });
}

/**
 * The nulls in the wrong place that no reported error accounts for. An error accounts for those at its path, below it
 * (the part was not fetched) and above it (the null went up); one without a path for all of them. Where a null went up as far
 * as a subgraph's whole answer, the fields beside it are missing too: `unanswered` are the objects that they belong to.
 */
export function unexplained(
  completions: readonly Completion[],
  errors: readonly GraphQLError[],
  unanswered: readonly ResponsePath[],
): GraphQLError[] {
  if (errors.some((error) => !error.path?.length)) return [];
  const explained = createPathTree(errors.map((error) => error.path as ResponsePath));
  const found: GraphQLError[] = [];
  for (const { message, path } of completions) {
    const outward = path.toReversed();
    if (explained(outward) || unanswered.some((object) => isMember(outward, object))) continue;
    found.push(new GraphQLError(message, { path: outward, extensions: { code: 'INTERNAL_SERVER_ERROR' } }));
  }
  return found;
}

function isMember(path: ResponsePath, object: ResponsePath): boolean {
  return path.length === object.length + 1 && object.every((part, index) => part === path[index]);
}

interface PathNode {
  ends: boolean;
  readonly below: Map<string | number, PathNode>;
}

/** Tells whether a path leads to, through or on from one of `paths`. */
function createPathTree(paths: readonly ResponsePath[]): (path: ResponsePath) => boolean {
  const root: PathNode = { ends: false, below: new Map() };
  for (const path of paths) {
    let node = root;
    for (const part of path) {
      let next = node.below.get(part);
      if (!next) node.below.set(part, (next = { ends: false, below: new Map() }));
      node = next;
    }
    node.ends = true;
  }
  return (path) => {
    if (root.below.size === 0) return false;
    let node: PathNode = root;
    for (const part of path) {
      if (node.ends) return true;
      const next = node.below.get(part);
      if (!next) return false;
      node = next;
    }
    return true;
  };
}
