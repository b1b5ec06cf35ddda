/** What is wrong with an operation on a client's schema. */
import { GraphQLError, NoSchemaIntrospectionCustomRule, specifiedRules, validate, visit } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';

const maxMistakes = 20;

/** With the code GRAPHQL_VALIDATION_FAILED each. */
export function findMistakes(
  schema: GraphQLSchema,
  document: DocumentNode,
  introspection: boolean,
): GraphQLError[] {
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  const mistakes = validate(schema, document, rules, { maxErrors: maxMistakes });
  return [...mistakes, ...unsafeResponseNames(document)].map(validationError);
}

/** `__proto__` as a response name would set a prototype wherever an answer passes; nobody means it. */
function unsafeResponseNames(document: DocumentNode): GraphQLError[] {
  const errors: GraphQLError[] = [];
  visit(document, {
    Field(node) {
      if (node.alias?.value !== '__proto__') return;
      errors.push(new GraphQLError('A response name cannot be "__proto__".', { nodes: node }));
    },
  });
  return errors;
}

export function validationError(error: GraphQLError): GraphQLError {
  return new GraphQLError(error.message, {
    nodes: error.nodes,
    extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
  });
}
