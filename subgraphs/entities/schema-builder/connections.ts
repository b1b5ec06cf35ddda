/** An entity's lists: `ContactConnection` and `ContactEdge`. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { connectionTypeName, edgeTypeName, typeName } from '#subgraphs/model/names.ts';

export function connectionSdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  return `"A page of ${type} records."
type ${connectionTypeName(entity)} {
  "The records with their cursors."
  edges: [${edgeTypeName(entity)}!]!
  "The records."
  nodes: [${type}!]!
  "Where this page stands."
  pageInfo: PageInfo!
  "How many records match in all; counted only when asked."
  totalCount: Int!
}

"A ${type} in a list."
type ${edgeTypeName(entity)} {
  "Its place in the list, for \`after\` and \`before\`."
  cursor: String!
  "The record."
  node: ${type}!
}`;
}
