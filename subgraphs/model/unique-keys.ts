/** Uniqueness: the keys of an entity, and the hash by which two records' values of one are the same. */
import { createHash } from 'node:crypto';
import { storedFields } from './activation.ts';
import type { EntityDefinition, FieldDefinition, UniqueGroup } from './definition.ts';
import { relationIdName } from './names.ts';

/** What no two live records of an entity share: the value of a unique field, or the values of a group of fields. */
export interface UniqueKey {
  /** The field's id or the group's: `record_keys.key_id`. */
  readonly id: string;
  readonly entityId: string;
  /** The field's name or the group's. */
  readonly name: string;
  readonly isGroup: boolean;
  /** One, or the members of a group in the order in which they were declared. */
  readonly fields: readonly FieldDefinition[];
}

const written = new WeakMap<EntityDefinition, readonly UniqueKey[]>();
const settled = new WeakMap<EntityDefinition, readonly UniqueKey[]>();

/** The key of a field that is unique, or is to become so. */
export function fieldKey(field: FieldDefinition): UniqueKey {
  return { id: field.id, entityId: field.entityId, name: field.name, isGroup: false, fields: [field] };
}

/** Null where a member is not among the entity's fields any more, or, of `activeOnly`, not in the graph. */
export function groupKey(entity: EntityDefinition, group: UniqueGroup, activeOnly = false): UniqueKey | null {
  const candidates = activeOnly ? entity.fields : storedFields(entity);
  const fields = group.fieldIds.flatMap((id) => candidates.find((field) => field.id === id) ?? []);
  if (fields.length < group.fieldIds.length) return null;
  return { id: group.id, entityId: entity.id, name: group.name, isGroup: true, fields };
}

/** The keys that writers keep: those of inactive fields and those that are being made included. */
export function writtenKeys(entity: EntityDefinition): readonly UniqueKey[] {
  let keys = written.get(entity);
  if (!keys) {
    const fields = storedFields(entity).filter((field) => field.isUnique || field.isPendingUnique);
    const groups = entity.uniqueGroups
      .filter((group) => group.state !== 'FAILED')
      .flatMap((group) => groupKey(entity, group) ?? []);
    keys = [...fields.map(fieldKey), ...groups];
    written.set(entity, keys);
  }
  return keys;
}

/** The keys by which every record that has one can be found. */
export function uniqueKeys(entity: EntityDefinition): readonly UniqueKey[] {
  let keys = settled.get(entity);
  if (!keys) {
    keys = [
      ...entity.fields.filter((field) => field.isUnique).map(fieldKey),
      ...uniqueGroupsOf(entity).map(({ key }) => key),
    ];
    settled.set(entity, keys);
  }
  return keys;
}

/** The groups by which records can be found: all made, and every member in the graph. */
export function uniqueGroupsOf(entity: EntityDefinition): { group: UniqueGroup; key: UniqueKey }[] {
  return entity.uniqueGroups.flatMap((group) => {
    const key = group.state === 'DONE' ? groupKey(entity, group, true) : null;
    return key ? [{ group, key }] : [];
  });
}

/** A key by the name of its field (or an old one, or a relation's with `Id`), or of its group. */
export function findUniqueKey(entity: EntityDefinition, name: string): UniqueKey | undefined {
  return uniqueKeys(entity).find((key) => {
    const [field] = key.fields;
    if (key.isGroup || !field) return key.name === name;
    const names = [field.name, ...field.aliases];
    return names.includes(name) || (field.type === 'RELATION' && names.map(relationIdName).includes(name));
  });
}

/** How inputs and errors name a member: a relation by its id. */
export function memberName(field: Pick<FieldDefinition, 'type' | 'name'>): string {
  return field.type === 'RELATION' ? relationIdName(field.name) : field.name;
}

/** The hash of a record's values by field key; null where any of them is none: such a record has no key. */
export function keyHash(key: UniqueKey, data: Readonly<Record<string, unknown>>): string | null {
  if (!key.isGroup) {
    const [field] = key.fields;
    const value = field && (data[field.key] ?? null);
    return field && value !== null ? uniqueHash(field, value) : null;
  }
  const values: [string, string][] = [];
  for (const field of key.fields) {
    const value = data[field.key] ?? null;
    if (value === null) return null;
    values.push([field.id, normalise(field.type, value)]);
  }
  // By the members' ids: in which order they were declared makes no difference.
  values.sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify(values.map(([, value]) => value)));
}

/**
 * SHA-256 of the field's value, as hexadecimal. Text counts in its composed form (NFC), e-mail addresses without
 * regard to case; everything else exactly. `stored` is not null: what has no value has no key.
 */
export function uniqueHash(field: Pick<FieldDefinition, 'type'>, stored: unknown): string {
  return sha256(normalise(field.type, stored));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function normalise(type: FieldDefinition['type'], stored: unknown): string {
  if (typeof stored !== 'string') return JSON.stringify(stored);
  const text = stored.normalize('NFC');
  return type === 'EMAIL' ? text.toLowerCase() : text;
}
