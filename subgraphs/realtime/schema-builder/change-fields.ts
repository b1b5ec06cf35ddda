import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { relationIdName } from '#subgraphs/model/names.ts';

/** Members that every generated change type has. */
const ownFields: ReadonlySet<string> = new Set(['cursor', 'operation', 'changedFields', 'actor', 'at']);

/**
 * How a generated change type names its record and the record's id: `contact` and `contactId`; where that is a name of
 * the change's own (an entity `actor`), `actorRecord` and `actorRecordId`.
 */
export function changeFields(entity: Pick<EntityDefinition, 'name'>): { record: string; id: string } {
  const { name } = entity;
  const record = ownFields.has(name) || ownFields.has(relationIdName(name)) ? `${name}Record` : name;
  return { record, id: relationIdName(record) };
}
