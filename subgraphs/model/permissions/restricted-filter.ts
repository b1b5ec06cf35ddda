/** A caller's own filter held to permissions: it asks of no hidden field, and sees no record that the caller may not see. */
import type { EntityDefinition } from '../definition.ts';
import type { FilterNode } from '../filter/node.ts';
import type { ModelAccess } from './access.ts';

/** Throws FORBIDDEN for whatever the filter may not ask. Through relations the row filters of their ends apply. */
export function restrictFilter(access: ModelAccess, entity: EntityDefinition, node: FilterNode): FilterNode {
  return access.isRestricted ? restrict(access, entity, node) : node;
}

function restrict(access: ModelAccess, entity: EntityDefinition, node: FilterNode): FilterNode {
  switch (node.kind) {
    case 'all':
    case 'any':
      return { ...node, nodes: node.nodes.map((inner) => restrict(access, entity, inner)) };
    case 'not':
      return { ...node, node: restrict(access, entity, node.node) };
    case 'comparison':
      // What every record has is hidden from nobody.
      if (typeof node.subject !== 'string') access.of(entity).assertReadable(node.subject);
      return node;
    case 'to-one':
      access.of(entity).assertReadable(node.field);
      return { ...node, node: visible(access, node.target, node.node) };
    case 'to-many':
      // Who points here is told by the field that points.
      access.of(node.link === 'forward' ? entity : node.entity).assertReadable(node.field);
      return { ...node, node: visible(access, node.entity, node.node) };
  }
}

/** The records of the other end that may be seen and match. */
function visible(access: ModelAccess, entity: EntityDefinition, node: FilterNode): FilterNode {
  const target = access.of(entity);
  target.assertAllows('READ');
  const inner = restrict(access, entity, node);
  const { rowFilter } = target;
  return rowFilter === null ? inner : { kind: 'all', nodes: [rowFilter, inner] };
}
