import type { LogRecord } from '#schema/events.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { outputMembers } from '#subgraphs/model/output-members.ts';

/** A logged record by the names that its fields have now: as the graph's own type shows it, a relation as its id. What may not be read is left out. */
export function recordJson(
  entity: EntityDefinition,
  id: string,
  record: LogRecord,
  mayRead: (field: FieldDefinition) => boolean,
): Record<string, unknown> {
  const json: Record<string, unknown> = { id };
  for (const field of entity.fields.filter(mayRead)) {
    for (const { name, read } of outputMembers(field)) json[name] = read(record.data[field.key]);
  }
  json.version = record.version;
  json.createdAt = record.createdAt;
  json.updatedAt = record.updatedAt;
  json.createdBy = record.createdBy;
  json.deletedAt = record.deletedAt;
  return json;
}

/** Names of fields by their keys, in the definition's order; keys of fields that are gone, or may not be read, are dropped. */
export function fieldNames(
  entity: EntityDefinition,
  keys: readonly string[],
  mayRead: (field: FieldDefinition) => boolean,
): string[] {
  if (keys.length === 0) return [];
  const changed = new Set(keys);
  return entity.fields.filter((field) => changed.has(field.key) && mayRead(field)).map((field) => field.name);
}
