import type { ExecutionResult } from 'graphql';

/** Whether a parsed body is a GraphQL answer: data, errors, or both. */
export function isResult(body: unknown): body is ExecutionResult {
  if (typeof body !== 'object' || body === null) return false;
  const { data, errors } = body as { data?: unknown; errors?: unknown };
  const isData = typeof data === 'object' && data !== null && !Array.isArray(data);
  return isData || (Array.isArray(errors) && errors.length > 0);
}
