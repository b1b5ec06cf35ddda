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

/**
 * A refused variable as BAD_USER_INPUT with its place in `fields`, and without the value, which may be long or a secret.
 * graphql-js says `Variable "$input" got invalid value … at "input.fields[0].name"; <the refusal itself>`.
 */
function inputRefusal(error: GraphQLError): GraphQLError {
  const code = 'BAD_USER_INPUT';
  const refusal = error.originalError?.message ?? '';
  const variable = /^Variable "\$(\w+)" got invalid value /.exec(error.message)?.[1];
  if (variable === undefined || refusal === '' || !error.message.endsWith(`; ${refusal}`))
    return publicError(error, error.message, { code });
  const place = / at "([^"]+)"$/.exec(error.message.slice(0, -refusal.length - 2))?.[1] ?? variable;
  const message = `Variable "$${variable}" got an invalid value at "${place}"; ${refusal}`;
  const field = place.replace(/\[(\d+)\]/g, '.$1');
  return publicError(error, message, { code, fields: [{ field, rule: 'type', message }] });
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
    const code = cause.extensions?.code;
    if ((code === undefined || code === 'BAD_USER_INPUT') && isInputRefusal(error))
      return inputRefusal(error);
    if (typeof code === 'string') return publicError(error, error.message, cause.extensions);
  }
  logger.error({ err: cause, requestId, path: error.path }, 'a resolver failed');
  return publicError(error, `Internal error (request ${requestId})`, {
    code: 'INTERNAL_SERVER_ERROR',
  });
}

/**
 * The same result with errors fit for the caller: each has `extensions.code` and, from a resolver, its `path`.
 * A `DomainError` keeps message and extensions (QUERY_TOO_COMPLEX stands for the whole result); variables and arguments that the engine refused are BAD_USER_INPUT; all
 * else is "Internal error (request <id>)" and logged with its cause.
 */
export function formatErrors(result: ExecutionResult, logger: Logger, requestId: string): ExecutionResult {
  if (!result.errors) return result;
  // The limit that one place broke, a hundred thousand others broke as well.
  const tooComplex = result.errors.map(findDomainError).find((error) => error?.code === 'QUERY_TOO_COMPLEX');
  if (tooComplex) {
    return {
      data: null,
      errors: [new GraphQLError(tooComplex.message, { extensions: tooComplex.extensions })],
    };
  }
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
