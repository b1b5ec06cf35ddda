/** Makes a failing operation smaller as long as it goes on failing. */
import { Kind, parse, print, validate, visit } from 'graphql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import type { GeneratedOperation } from './operation-generator.ts';

const maxSteps = 400;

/** Tries to leave out each selection and directive in turn, until nothing more can go. */
export async function shrinkOperation(
  schema: GraphQLSchema,
  operation: GeneratedOperation,
  fails: (operation: GeneratedOperation) => Promise<boolean>,
): Promise<GeneratedOperation> {
  let smallest = operation;
  let steps = 0;
  for (let position = 0; steps < maxSteps; steps++) {
    const document = without(parse(smallest.query), position);
    if (!document) break;
    const isValid =
      validate(schema, document).length === 0 && document.definitions[0]?.kind === Kind.OPERATION_DEFINITION;
    const candidate = isValid ? { ...smallest, query: print(document) } : null;
    if (candidate && (await fails(candidate).catch(() => false))) smallest = candidate;
    else position++;
  }
  return smallest;
}

/** The document without its n-th selection, directive or fragment; what is then unused goes too. Null: there is no n-th. */
function without(document: DocumentNode, position: number): DocumentNode | null {
  let seen = 0;
  let isFound = false;
  const remove = () => {
    if (seen++ !== position) return undefined;
    isFound = true;
    return null;
  };
  const smaller = visit(document, {
    // Type names stay: without them the failure could become one of those that the generator avoids.
    Field: (node) => (node.name.value === '__typename' ? undefined : remove()),
    InlineFragment: remove,
    FragmentSpread: remove,
    Directive: remove,
  });
  return isFound ? withoutUnused(smaller) : null;
}

function withoutUnused(document: DocumentNode): DocumentNode {
  const spreads = new Set<string>();
  const variables = new Set<string>();
  visit(document, {
    FragmentSpread: (node) => {
      spreads.add(node.name.value);
    },
    VariableDefinition: () => false,
    Variable: (node) => {
      variables.add(node.name.value);
    },
  });
  return visit(document, {
    Field: { leave: (node) => (node.selectionSet?.selections.length === 0 ? null : undefined) },
    InlineFragment: { leave: (node) => (node.selectionSet.selections.length === 0 ? null : undefined) },
    FragmentDefinition: {
      leave: (node) =>
        spreads.has(node.name.value) && node.selectionSet.selections.length > 0 ? undefined : null,
    },
    OperationDefinition: {
      leave: (node) => {
        if (node.selectionSet.selections.length === 0) return null;
        const used = (node.variableDefinitions ?? []).filter((definition) =>
          variables.has(definition.variable.name.value),
        );
        return { ...node, variableDefinitions: used };
      },
    },
  });
}
