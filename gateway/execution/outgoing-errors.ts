import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { Logger } from '#gateway/logger.ts';

/** Members of an error's extensions that tell of the inside. */
const internalExtensions = new Set(['serviceName', 'http', 'exception', 'stacktrace', 'stack']);

/**
 * The result as it may leave: every error has a code; what no one meant for the caller is replaced by a sentence with the
 * request's id, and logged with its cause.
 */
export function publishResult(result: ExecutionResult, logger: Logger, requestId: string): ExecutionResult {
  if (!result.errors) return result;
  return { ...result, errors: publishErrors(result.errors, logger, requestId) };
}

export function publishErrors(errors: readonly unknown[], logger: Logger, requestId: string): GraphQLError[] {
  return errors.map((error) => publishError(error, logger, requestId));
}

function publishError(error: unknown, logger: Logger, requestId: string): GraphQLError {
  const known = error instanceof GraphQLError ? error : undefined;
  const code = known?.extensions.code;
  if (!known || (code === undefined && isAccident(known.originalError)) || code === 'INTERNAL_SERVER_ERROR') {
    logger.error({ err: known?.originalError ?? error, requestId }, 'a request failed');
    // A subgraph has masked its own accidents already, with the same request id.
    const message = code === 'INTERNAL_SERVER_ERROR' ? known?.message : undefined;
    return new GraphQLError(message ?? `Internal error (request ${requestId})`, {
      path: known?.path,
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  }
  const extensions: Record<string, unknown> = { code: code ?? 'INTERNAL_SERVER_ERROR' };
  for (const [name, value] of Object.entries(known.extensions)) {
    if (!internalExtensions.has(name)) extensions[name] = value;
  }
  return new GraphQLError(known.message, {
    nodes: known.nodes,
    source: known.source,
    positions: known.positions,
    path: known.path,
    extensions,
  });
}

/** Thrown by code rather than said by GraphQL. */
function isAccident(original: unknown): boolean {
  return original instanceof Error && !(original instanceof GraphQLError);
}
