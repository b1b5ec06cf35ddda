/** Reads what a supergraph's SDL says of who owns what (`@join__…`), without building a schema of it. */
import { Kind, parse, print, valueFromASTUntyped } from 'graphql';
import type { ConstDirectiveNode, FieldDefinitionNode, TypeDefinitionNode } from 'graphql';

/** A field's or type's part in one subgraph; `text` is all that is said of it. */
export interface JoinEntry {
  /** The subgraph's name; null where the field comes with an interface object. */
  readonly graph: string | null;
  readonly text: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface SupergraphTypes {
  /** Without those of the federation itself. */
  readonly types: ReadonlyMap<string, TypeDefinitionNode>;
  typeEntries(type: TypeDefinitionNode): readonly JoinEntry[];
  /** A field without entries of its own is in every subgraph that has its type. */
  fieldEntries(type: TypeDefinitionNode, field: FieldDefinitionNode): readonly JoinEntry[];
}

type Directed = { readonly directives?: readonly ConstDirectiveNode[] | undefined };

export function readSupergraphTypes(supergraphSdl: string): SupergraphTypes {
  const types = new Map<string, TypeDefinitionNode>();
  const graphNames = new Map<string, string>();
  for (const node of parse(supergraphSdl, { noLocation: true }).definitions) {
    if (!('name' in node) || !node.name || !node.kind.endsWith('TypeDefinition')) continue;
    const type = node as TypeDefinitionNode;
    if (type.name.value === 'join__Graph' && type.kind === Kind.ENUM_TYPE_DEFINITION) {
      for (const value of type.values ?? []) {
        const [graph] = applications(value, 'join__graph');
        graphNames.set(value.name.value, String(graph?.['name']));
      }
    }
    if (!/^(join|link|core)__/.test(type.name.value)) types.set(type.name.value, type);
  }

  const entries = (node: Directed, directive: string): JoinEntry[] =>
    applications(node, directive).map(({ graph, ...args }) => ({
      graph: typeof graph === 'string' ? (graphNames.get(graph) ?? graph) : null,
      text: JSON.stringify(Object.entries(args).toSorted(([one], [other]) => (one < other ? -1 : 1))),
      args,
    }));
  const typeEntries = (type: TypeDefinitionNode): JoinEntry[] => entries(type, 'join__type');

  return {
    types,
    typeEntries,
    fieldEntries(type, field) {
      const own = entries(field, 'join__field');
      if (own.length > 0) return own;
      const graphs = new Set(typeEntries(type).map((entry) => entry.graph));
      return [...graphs].map((graph) => ({ graph, text: '[]', args: {} }));
    },
  };
}

/** What an element says beside its parts in subgraphs: `@deprecated`, `@inaccessible` and the like; labels apart. */
export function readMarks(node: Directed): string {
  const marks = (node.directives ?? []).filter(({ name }) => !/^(join__|tag$)/.test(name.value));
  return marks
    .map((mark) => print(mark))
    .toSorted()
    .join(' ');
}

function applications(node: Directed, directive: string): Record<string, unknown>[] {
  return (node.directives ?? [])
    .filter(({ name }) => name.value === directive)
    .map(({ arguments: args = [] }) =>
      Object.fromEntries(args.map(({ name, value }) => [name.value, valueFromASTUntyped(value)])),
    );
}
