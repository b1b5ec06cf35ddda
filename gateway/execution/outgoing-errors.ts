import { GraphQLError } from 'graphql';
import type { ExecutionResult } from 'graphql';
import type { Logger } from '#gateway/logger.ts';
import { DomainError } from '#schema/errors.ts';
import { accidentMessage, toGraphQLError } from './subgraph-call.ts';

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
  const known = error instanceof GraphQLError ? error : toGraphQLError(error);
  const code = known.extensions.code ?? 'INTERNAL_SERVER_ERROR';
  const accident = findAccident(known);
  if (accident || code === 'INTERNAL_SERVER_ERROR')
    logger.error({ err: accident ?? known, requestId }, 'a request failed');
  if (accident || known.message === accidentMessage) {
    return new GraphQLError(`${accidentMessage} (request ${requestId})`, {
      path: known.path,
      extensions: { code: 'INTERNAL_SERVER_ERROR' },
    });
  }
  const extensions: Record<string, unknown> = { code };
  for (const [name, value] of Object.entries(known.extensions)) {
    if (!internalExtensions.has(name)) extensions[name] = value;
  }
  const { nodes, source, positions, path } = known;
  return new GraphQLError(known.message, { nodes, source, positions, path, extensions });
}

/** What code threw, rather than what GraphQL or the platform said: its text may tell of anything. */
function findAccident(error: GraphQLError): Error | undefined {
  const original = error.originalError;
  if (original instanceof GraphQLError) return findAccident(original);
  return original instanceof Error && !(original instanceof DomainError) ? original : undefined;
}
