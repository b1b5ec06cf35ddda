import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { deprecateMembers, graphEntities, withFieldAliases } from '#subgraphs/model/aliases.ts';
import { comparisonInputsSdl, filterSdl } from '#subgraphs/model/filter/sdl.ts';
import { changeTypeName, filterTypeName, rootNames, typeName } from '#subgraphs/model/names.ts';
import { fieldEnumsSdl } from '#subgraphs/model/sdl.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';
import { changeFields } from './change-fields.ts';

/** What every tenant has, and all that an operator without a tenant has. */
export const staticRealtimeSdl: string = `${readStaticSdl('realtime')}\n${sharedSdl}`;

/** The subgraph's SDL for one tenant. Equal definitions give equal text; it holds names only, no ids. */
export function buildRealtimeSdl(model: TenantModel): string {
  if (model.entities.length === 0) return staticRealtimeSdl;
  const parts = [staticRealtimeSdl, comparisonInputsSdl()];
  for (const entity of graphEntities(model)) {
    const named = withFieldAliases(entity);
    parts.push(deprecateMembers(entity, entitySdl(entity)), filterSdl(model, named));
    const enums = fieldEnumsSdl(named);
    if (enums) parts.push(enums);
  }
  return parts.join('\n\n');
}

function entitySdl(entity: EntityDefinition): string {
  const type = typeName(entity);
  const fields = changeFields(entity);
  return `type ${type} @key(fields: "id", resolvable: false) {
  id: ID!
}

"One change of a ${type} record."
type ${changeTypeName(entity)} {
  "The change's place in the log, for \`after\`."
  cursor: String!
  "What happened."
  operation: ChangeOperation!
  "The record's id."
  ${fields.id}: ID!
  "The record as it is now, not as it was at the change. Null where it was deleted or left the filter."
  ${fields.record}: ${type}
  "Names of the fields whose values changed. Fields that were deleted since are left out."
  changedFields: [String!]!
  "Who changed it; null where it was not a user (an API key, the platform)."
  actor: User
  "When it was changed."
  at: DateTime!
}

extend type Subscription {
  """
  Changes of ${type} records, each once and in the log's order. Ends with NOT_FOUND when the entity is deleted. A consumer
  that cannot keep up is ended with SUBSCRIBER_TOO_SLOW, and \`extensions.cursor\` to go on from.
  """
  ${rootNames(entity).changed}(
    "Only these records. Absent: all."
    ids: [ID!]
    """
    Only these operations. Absent: all, and with a filter its edges as well (ENTERED, LEFT). Where UPDATED is asked for and
    ENTERED is not, an update that makes a record match the filter is told as UPDATED; one that makes it not match any
    more is told only to who asks for LEFT.
    """
    operations: [ChangeOperation!]
    """
    Only records that match. A created or restored record must match after the change, a deleted one before it; an update
    is UPDATED where the record matches before and after, ENTERED or LEFT where only one of the two. What the filter says
    of related records is judged by their current state; a change of theirs alone is no change of this record.
    """
    filter: ${filterTypeName(entity)}
    """
    A cursor to resume from: everything since then is delivered first. Absent: from now on. CURSOR_EXPIRED where it is
    older than what is kept (7 days).
    """
    after: String
  ): ${changeTypeName(entity)}!
}`;
}
