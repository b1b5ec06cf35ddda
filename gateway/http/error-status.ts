import { GraphQLError } from 'graphql';
import type { DomainError } from '#schema/errors.ts';

/** Of requests that were refused before anything ran. What ran answers 200, with its errors beside the data. */
const statusByCode: Readonly<Record<string, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  TENANT_SUSPENDED: 403,
  TENANT_NOT_FOUND: 404,
  RATE_LIMITED: 429,
  QUOTA_EXCEEDED: 429,
  INTERNAL_SERVER_ERROR: 500,
  SUBGRAPH_UNAVAILABLE: 503,
  GATEWAY_TIMEOUT: 504,
};

/** The HTTP status of a refusal; 400 for what GraphQL itself refuses. */
export function statusOf(code: unknown): number {
  return (typeof code === 'string' ? statusByCode[code] : undefined) ?? 400;
}

/** The status of the first error of a request that did not run. */
export function statusOfErrors(errors: readonly GraphQLError[]): number {
  return statusOf(errors[0]?.extensions.code);
}

/** A refusal as Apollo Server answers it with its status. */
export function toHttpError(error: DomainError): GraphQLError {
  return new GraphQLError(error.message, {
    originalError: error,
    extensions: { ...error.extensions, http: { status: statusOf(error.code) } },
  });
}

/** The body of an answer that no operation gave. */
export function errorBody(message: string, code: string): string {
  return JSON.stringify({ errors: [{ message, extensions: { code } }] });
}
