/** Errors as they leave a subgraph: what is meant for the caller keeps its message and code, anything else is masked. */
import { type ExecutionResult, GraphQLError, type GraphQLErrorExtensions } from 'graphql';
import { DomainError } from '#schema/errors.ts';
import type { Logger } from './logger.ts';

/** The DomainError that a resolver threw, under however many wrappings. */
function findDomainError(error: unknown): DomainError | null {
  let current: unknown = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth += 1) {
    if (current instanceof DomainError) return current;
    current = current instanceof GraphQLError ? current.originalError : undefined;
  }
  return null;
}

/** The deepest error that is not GraphQL's own wrapping. */
function causeOf(error: unknown): unknown {
  let current: unknown = error;
  while (current instanceof GraphQLError && current.originalError) current = current.originalError;
  return current;
}

/** Whether the engine itself refused a variable or an argument, before or instead of calling a resolver. */
function isInputRefusal(error: GraphQLError): boolean {
  if (!error.path) return true;
  return causeOf(error) instanceof GraphQLError && error.message.startsWith('Argument "');
}

function publicError(error: GraphQLError, message: string, extensions: GraphQLErrorExtensions): GraphQLError {
  return new GraphQLError(message, { path: error.path, extensions });
}

function formatError(error: GraphQLError, logger: Logger, requestId: string): GraphQLError {
  const domain = findDomainError(error);
  if (domain) return publicError(error, domain.message, domain.extensions);
  const cause = causeOf(error);
  if (cause instanceof GraphQLError) {
    // graphql-jit leaves `extensions` out where there are none.
    if (typeof cause.extensions?.code === 'string')
      return publicError(error, error.message, cause.extensions);
    if (isInputRefusal(error)) return publicError(error, error.message, { code: 'BAD_USER_INPUT' });
  }
  logger.error({ err: cause, requestId, path: error.path }, 'a resolver failed');
  return publicError(error, `Internal error (request ${requestId})`, {
    code: 'INTERNAL_SERVER_ERROR',
  });
}

/**
 * The same result with errors fit for the caller: each has `extensions.code` and, from a resolver, its `path`.
 * A `DomainError` keeps message and extensions; variables and arguments that the engine refused are BAD_USER_INPUT; all
 * else is "Internal error (request <id>)" and logged with its cause.
 */
export function formatErrors(result: ExecutionResult, logger: Logger, requestId: string): ExecutionResult {
  if (!result.errors) return result;
  return {
    ...result,
    errors: result.errors.map((error) => formatError(error, logger, requestId)),
  };
}

/** The result of a request that failed before anything was executed (claims, schema, document). */
export function failedResult(error: unknown, logger: Logger, requestId: string): ExecutionResult {
  const original = error instanceof Error ? error : new Error(String(error));
  if (original instanceof GraphQLError && original.extensions?.code) return { errors: [original] };
  if (original instanceof DomainError) {
    return {
      errors: [new GraphQLError(original.message, { extensions: original.extensions })],
    };
  }
  logger.error({ err: original, requestId }, 'a request failed');
  const extensions = { code: 'INTERNAL_SERVER_ERROR' };
  return {
    errors: [new GraphQLError(`Internal error (request ${requestId})`, { extensions })],
  };
}
