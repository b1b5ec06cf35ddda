import { GraphQLError, getVariableValues } from 'graphql';
import type { GraphQLSchema, VariableDefinitionNode } from 'graphql';
import type { FieldError } from '#schema/errors.ts';

/**
 * Coerces a request's variables. Errors carry BAD_USER_INPUT and, in `extensions.fields`, the path inside the variable
 * ("input.name") with the rule "type" or "required".
 */
export function coerceVariables(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  variables: Readonly<Record<string, unknown>>,
): { readonly errors: readonly GraphQLError[] } | { readonly coerced: Record<string, unknown> } {
  const result = getVariableValues(schema, definitions, variables, {
    maxErrors: 20,
  });
  return result.errors ? { errors: result.errors.map(inputError) } : { coerced: result.coerced };
}

/** An error of graphql-js' variable coercion as the contract wants it. */
export function inputError(error: GraphQLError): GraphQLError {
  const variable = /^Variable "\$([^"]+)"/.exec(error.message)?.[1];
  const path = / at "([^"]+)";/.exec(error.message)?.[1];
  const missing = /Field "([^"]+)" of required type/.exec(error.message)?.[1];
  const field = [path ?? variable, missing].filter(Boolean).join('.');
  const required = missing !== undefined || /was not provided|must not be null/.test(error.message);
  const fields: FieldError[] = field
    ? [{ field, rule: required ? 'required' : 'type', message: error.message }]
    : [];
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    extensions: {
      code: 'BAD_USER_INPUT',
      ...(fields.length > 0 ? { fields } : {}),
    },
  });
}
