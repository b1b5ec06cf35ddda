import {
  getNamedType,
  isCompositeType,
  isUnionType,
  Kind,
  visit,
  type DocumentNode,
  type FieldNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  type SelectionSetNode,
} from 'graphql';
import type { ParsedOperation } from '../../executor.ts';
import { definitionsOf } from '../plan/build-recipe.ts';
import type { Requirement, Requirements } from './requirements.ts';

/** A selected field that asks for something; one of a fragment is there once for each place it is spread at. */
export interface GuardedField {
  readonly node: FieldNode;
  /** Response names from the root. */
  readonly path: readonly string[];
  readonly requirements: ReadonlyMap<string, Requirement>;
}

/** Every guarded field of a validated operation. */
export function findGuardedFields(
  parsed: ParsedOperation,
  schema: GraphQLSchema,
  requirements: Requirements,
): GuardedField[] {
  const { operation, fragments } = definitionsOf(parsed);
  const guarded: GuardedField[] = [];
  const walk = (
    { selections }: SelectionSetNode,
    type: GraphQLNamedType | null | undefined,
    path: readonly string[],
  ): void => {
    if (!type || !isCompositeType(type)) return;
    for (const selection of selections) {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const fragment = fragments.get(selection.name.value);
        if (fragment) walk(fragment.selectionSet, schema.getType(fragment.typeCondition.name.value), path);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        const condition = selection.typeCondition?.name.value;
        walk(selection.selectionSet, condition === undefined ? type : schema.getType(condition), path);
      } else {
        const name = selection.name.value;
        const field = isUnionType(type) ? undefined : type.getFields()[name];
        if (!field) continue;
        const here = [...path, selection.alias?.value ?? name];
        const asked = requirements.of(type.name, name);
        if (asked.size > 0) guarded.push({ node: selection, path: here, requirements: asked });
        if (selection.selectionSet) walk(selection.selectionSet, getNamedType(field.type), here);
      }
    }
  };
  walk(operation.selectionSet, schema.getRootType(operation.operation), []);
  return guarded;
}

const typenameOnly: FieldNode = { kind: Kind.FIELD, name: { kind: Kind.NAME, value: '__typename' } };

/** The document without these fields; a selection that loses all of them keeps `__typename`, so that it stays one. */
export function withoutFields(document: DocumentNode, denied: ReadonlySet<FieldNode>): DocumentNode {
  return visit(document, {
    Field: (node) => (denied.has(node) ? null : undefined),
    SelectionSet: {
      leave: (node) => (node.selections.length === 0 ? { ...node, selections: [typenameOnly] } : undefined),
    },
  });
}
