/** Which type names satisfy a type condition in the supergraph, with what clients do not see. */
import { isInterfaceType, isUnionType } from '@apollo/federation-internals';
import type { Schema } from '@apollo/federation-internals';

/** The names, as `__typename` may hold them, of objects that are of type `condition`. An unknown type has only itself. */
export function typenamesOf(supergraph: Schema, condition: string): string[] {
  const type = supergraph.type(condition);
  const names = new Set([condition]);
  if (type && isInterfaceType(type)) {
    for (const implementation of type.allImplementations()) names.add(implementation.name);
  } else if (type && isUnionType(type)) {
    for (const member of type.types()) names.add(member.name);
  }
  return [...names];
}
