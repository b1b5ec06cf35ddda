/** Answers `__schema` and `__type` while an operation is compiled; those that read variables are kept as an operation of their own. */
import { executeSync, Kind, OperationTypeNode, print, visit } from 'graphql';
import type {
  DirectiveNode,
  DocumentNode,
  FragmentDefinitionNode,
  GraphQLSchema,
  OperationDefinitionNode,
  SelectionNode,
} from 'graphql';
import type { Conjunction, IntrospectionRecipe } from '../recipe.ts';
import type { Occurrence } from './selections.ts';

/** `fields` are the root's introspection fields by response name. */
export function buildIntrospection(
  schema: GraphQLSchema,
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
  fields: ReadonlyMap<string, readonly Occurrence[]>,
): IntrospectionRecipe[] {
  return [...fields].map(([key, occurrences]) => {
    const selections = occurrences.map(({ node, when }) => under(when, node));
    const used = namesBelow(selections, fragments);
    const document: DocumentNode = {
      kind: Kind.DOCUMENT,
      definitions: [
        {
          kind: Kind.OPERATION_DEFINITION,
          operation: OperationTypeNode.QUERY,
          variableDefinitions: (operation.variableDefinitions ?? []).filter((definition) =>
            used.variables.has(definition.variable.name.value),
          ),
          selectionSet: { kind: Kind.SELECTION_SET, selections },
        },
        ...[...fragments.values()].filter((fragment) => used.fragments.has(fragment.name.value)),
      ],
    };
    if (used.variables.size > 0) {
      return { key, json: null, query: print(document), variables: [...used.variables] };
    }
    const answer = executeSync({ schema, document });
    return { key, json: JSON.stringify(answer.data?.[key] ?? null), query: null, variables: [] };
  });
}

/** The selection, included only when `when` holds. */
function under(when: Conjunction, selection: SelectionNode): SelectionNode {
  if (when.length === 0) return selection;
  return when.reduce<SelectionNode>((inner, literal) => {
    const directive: DirectiveNode = {
      kind: Kind.DIRECTIVE,
      name: { kind: Kind.NAME, value: literal.is ? 'include' : 'skip' },
      arguments: [
        {
          kind: Kind.ARGUMENT,
          name: { kind: Kind.NAME, value: 'if' },
          value: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: literal.variable } },
        },
      ],
    };
    return {
      kind: Kind.INLINE_FRAGMENT,
      directives: [directive],
      selectionSet: { kind: Kind.SELECTION_SET, selections: [inner] },
    };
  }, selection);
}

function namesBelow(
  selections: readonly SelectionNode[],
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
) {
  const used = { variables: new Set<string>(), fragments: new Set<string>() };
  const read = (node: SelectionNode | FragmentDefinitionNode) => {
    visit(node, {
      Variable: (variable) => {
        used.variables.add(variable.name.value);
      },
      FragmentSpread: (spread) => {
        const name = spread.name.value;
        const fragment = fragments.get(name);
        if (!fragment || used.fragments.has(name)) return;
        used.fragments.add(name);
        read(fragment);
      },
    });
  };
  for (const selection of selections) read(selection);
  return used;
}
