/** A part of an SDL: some root fields, and the types that they reach. */
import {
  type DefinitionNode,
  type DocumentNode,
  Kind,
  type ObjectTypeDefinitionNode,
  parse,
  print,
  visit,
} from 'graphql';

function namedTypesOf(node: DefinitionNode): string[] {
  const names: string[] = [];
  visit(node, { NamedType: (named) => void names.push(named.name.value) });
  return names;
}

/** The root type with only those fields; null where none is left. */
function narrow(root: ObjectTypeDefinitionNode, fields: readonly string[]): ObjectTypeDefinitionNode | null {
  const kept = (root.fields ?? []).filter((field) => fields.includes(field.name.value));
  return kept.length === 0 ? null : { ...root, fields: kept };
}

/**
 * The SDL of `fields` (root type → field names) alone. Types that they do not reach are left out, so that introspection shows
 * nothing of them; schema extensions (`@link`) stay.
 */
export function pickRootFields(sdl: string, fields: Readonly<Record<string, readonly string[]>>): string {
  const document = parse(sdl, { noLocation: true });
  const types = new Map<string, DefinitionNode>();
  const kept: DefinitionNode[] = [];
  const reached: DefinitionNode[] = [];
  for (const definition of document.definitions) {
    if (!('name' in definition) || !definition.name) {
      kept.push(definition);
      continue;
    }
    const picked = fields[definition.name.value];
    const isRoot = ['Query', 'Mutation', 'Subscription'].includes(definition.name.value);
    if (definition.kind !== Kind.OBJECT_TYPE_DEFINITION || !isRoot)
      types.set(definition.name.value, definition);
    else {
      const root = narrow(definition, picked ?? []);
      if (root) reached.push(root);
    }
  }
  for (const definition of reached) {
    for (const name of namedTypesOf(definition)) {
      const type = types.get(name);
      if (!type) continue;
      types.delete(name);
      reached.push(type);
    }
  }
  const result: DocumentNode = { kind: Kind.DOCUMENT, definitions: [...kept, ...reached] };
  return print(result);
}
