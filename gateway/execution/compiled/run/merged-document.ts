/** Writes several `_entities` queries of one subgraph as one, so that they cost one round trip. */
import { Kind, parse, print, stripIgnoredCharacters, visit } from 'graphql';
import type {
  DefinitionNode,
  FieldNode,
  OperationDefinitionNode,
  SelectionNode,
  VariableDefinitionNode,
} from 'graphql';

export interface MergedDocument {
  readonly query: string;
  readonly operationName: string | null;
}

/** The n-th query's representations are the variable `representations_n`, its answer the member `entities_n`. */
export const mergedNames = {
  representations: (index: number) => `representations_${index}`,
  entities: (index: number) => `entities_${index}`,
} as const;

/** `queries` are of the planner's making: one operation each, `_entities(representations: $representations)` its only field. */
export function mergeDocuments(queries: readonly string[]): MergedDocument {
  const variables = new Map<string, VariableDefinitionNode>();
  const selections: SelectionNode[] = [];
  const fragments: DefinitionNode[] = [];
  let operationName: string | null = null;
  for (const [index, query] of queries.entries()) {
    for (const definition of renamed(query, index)) {
      if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.push(definition);
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
      operationName ??= definition.name?.value ?? null;
      for (const variable of definition.variableDefinitions ?? [])
        variables.set(variable.variable.name.value, variable);
      for (const selection of definition.selectionSet.selections) selections.push(asMember(selection, index));
    }
  }
  const operation: OperationDefinitionNode = {
    kind: Kind.OPERATION_DEFINITION,
    operation: 'query' as OperationDefinitionNode['operation'],
    name: operationName === null ? undefined : { kind: Kind.NAME, value: operationName },
    variableDefinitions: [...variables.values()],
    selectionSet: { kind: Kind.SELECTION_SET, selections },
  };
  const document = { kind: Kind.DOCUMENT, definitions: [operation, ...fragments] } as const;
  return { query: stripIgnoredCharacters(print(document)), operationName };
}

/** Fragments and representations get names of their own; the client's variables are the same in every query. */
function renamed(query: string, index: number): readonly DefinitionNode[] {
  const document = parse(query, { noLocation: true });
  return visit(document, {
    Variable(node) {
      if (node.name.value !== 'representations') return undefined;
      return { ...node, name: { ...node.name, value: mergedNames.representations(index) } };
    },
    FragmentSpread: (node) => ({ ...node, name: { ...node.name, value: `${node.name.value}_${index}` } }),
    FragmentDefinition: (node) => ({ ...node, name: { ...node.name, value: `${node.name.value}_${index}` } }),
  }).definitions;
}

function asMember(selection: SelectionNode, index: number): FieldNode {
  if (selection.kind !== Kind.FIELD || selection.name.value !== '_entities') {
    throw new Error('A query for entities asks for nothing beside them');
  }
  return { ...selection, alias: { kind: Kind.NAME, value: mergedNames.entities(index) } };
}
