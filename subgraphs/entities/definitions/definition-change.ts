/** What a finished draft asks of the store: the difference between two versions, and what must hold of stored records. */
import { joinFields } from '#subgraphs/model/activation.ts';
import type { SequenceField } from '#subgraphs/model/computed-defaults.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { fieldKey, groupKey, type UniqueKey } from '#subgraphs/model/unique-keys.ts';
import { becomingOf, type Becoming } from './becoming.ts';
import type { RetypeErrorRule } from './definition-input.ts';

type Mutable<T> = { -readonly [Member in keyof T]: T[Member] };
export type DraftField = Mutable<FieldDefinition>;
export type DraftEntity = Omit<Mutable<EntityDefinition>, 'fields'> & { fields: DraftField[] };

/** What deleted fields left behind: keys are never used again, slots not before they were cleared. */
export interface RetiredField {
  entityId: string;
  key: string;
  /** Null once it was cleared, or where there was none. */
  slot: string | null;
}

export interface DraftBase {
  model: TenantModel;
  retired: readonly RetiredField[];
  /** Ids of entities that have records, softly deleted ones included. */
  entitiesWithRecords: ReadonlySet<string>;
  /** Ids of fields whose backfill has gone through every record: what is pending of them holds. */
  filledFields?: ReadonlySet<string>;
  /** Ids of entities with more records than are converted at once. */
  largeEntities?: ReadonlySet<string>;
}

/** Values that several records have, where each may have its own. At most a few of each. */
export interface Duplicate {
  value: unknown;
  recordIds: string[];
}

/** What records are gone through for: a field, or a unique group. */
export type BackfillSubject = Pick<FieldDefinition, 'id' | 'entityId' | 'pendingSlot'>;

/** What keys are kept under. */
export type KeySubject = Pick<UniqueKey, 'id' | 'entityId'>;

/** Why a field or group did not become unique. */
export interface BackfillFailure {
  message: string;
  duplicates: Duplicate[];
}

export interface DefinitionChange {
  readonly createdEntities: readonly EntityDefinition[];
  readonly updatedEntities: readonly EntityDefinition[];
  readonly deletedEntities: readonly EntityDefinition[];
  /** Those of created entities included. */
  readonly createdFields: readonly FieldDefinition[];
  readonly updatedFields: readonly FieldDefinition[];
  /** Those of deleted entities not included. */
  readonly deletedFields: readonly FieldDefinition[];
  /** Their permissions are other ones, or the first. */
  readonly permitted: readonly EntityDefinition[];
  /** Every record must have a value in these, or the change is refused. */
  readonly needsEveryValue: readonly FieldDefinition[];
  /** Records that exist get the default value of these. */
  readonly backfills: readonly FieldDefinition[];
  /** Records have to be gone through for these, in the background: something of them became pending, or their search text is another. */
  readonly rebuilds: readonly KeySubject[];
  /** No two live records may have the same values in these, or the change is refused. */
  readonly needsNoDuplicates: readonly UniqueKey[];
  /** Not unique any more, nor becoming so: their keys go. */
  readonly droppedKeys: readonly KeySubject[];
  /** Groups that are gone: nothing is known of their backfills any more. */
  readonly deletedGroups: readonly KeySubject[];
  /** Sequences that begin, or begin anew, in fields that records may have values in. */
  readonly sequences: readonly SequenceField[];
  /** Relations that cannot point at these entities any more, or the change is refused. */
  readonly droppedTargets: readonly DroppedTargets[];
  /** Values to convert. */
  readonly retypes: readonly Retype[];
  /** Conversions that began with this change, in the background. */
  readonly conversions: readonly Becoming[];
  /** Those that are done with it: no record may have a value that did not convert. */
  readonly converted: readonly Becoming[];
  /** Where values stood that nothing reads any more, beside deleted fields: cleared in the background. */
  readonly leftKeys: readonly RetiredField[];
  /** Their backfill has done its work with this change. */
  readonly settled: readonly BackfillSubject[];
  /** Their backfill found that they cannot be unique. */
  readonly failed: readonly { subject: BackfillSubject; failure: BackfillFailure }[];
}

/** A union that has some targets less. */
export interface DroppedTargets {
  readonly field: FieldDefinition;
  readonly entityIds: readonly string[];
}

/** A field that gets another type, and with it another key. */
export interface Retype {
  readonly before: FieldDefinition;
  readonly after: FieldDefinition;
  /** As it is after the whole change. */
  readonly entity: EntityDefinition;
  readonly onError: RetypeErrorRule;
  readonly hasRecords: boolean;
}

/** What only the draft's operations know. */
export interface DraftNotes {
  readonly converted: readonly Becoming[];
  readonly leftKeys: readonly RetiredField[];
  readonly retypes: readonly Retype[];
  readonly needsEveryValue: readonly FieldDefinition[];
  readonly settled: readonly BackfillSubject[];
  readonly failed: readonly { subject: BackfillSubject; failure: BackfillFailure }[];
}

export function diffDefinitions(
  base: DraftBase,
  after: readonly EntityDefinition[],
  notes: DraftNotes,
): DefinitionChange {
  const old = base.model.allEntities.map(joinFields);
  const before = new Map(old.map((entity) => [entity.id, entity]));
  const kept = new Map(after.map((entity) => [entity.id, entity]));
  const oldFields = new Map(old.flatMap((entity) => entity.fields.map((field) => [field.id, field])));
  const newFields = new Map(after.flatMap((entity) => entity.fields.map((field) => [field.id, field])));
  const changedPairs = [...newFields.values()].flatMap((field) => {
    const known = oldFields.get(field.id);
    return known === undefined || isSame(known, field) ? [] : [{ old: known, field }];
  });
  // Its conversion writes the search text anew.
  const isRetyped = (field: FieldDefinition): boolean =>
    notes.retypes.some(({ after: retyped }) => retyped.id === field.id);
  const groups = diffGroups(old, after);
  // What was unique becomes so anew, by the keys of the converted values; the search text is of those too.
  const isConverted = (field: FieldDefinition): boolean =>
    notes.converted.some(({ after: one }) => one.id === field.id) &&
    (field.isPendingUnique || field.isSearchable);
  const createdFields = [...newFields.values()].filter((field) => !oldFields.has(field.id));
  return {
    createdEntities: after.filter((entity) => !before.has(entity.id)),
    updatedEntities: after.filter((entity) => {
      const known = before.get(entity.id);
      return known !== undefined && !isSame({ ...known, fields: [] }, { ...entity, fields: [] });
    }),
    deletedEntities: old.filter((entity) => !kept.has(entity.id)),
    createdFields,
    updatedFields: changedPairs.map(({ field }) => field),
    deletedFields: [...oldFields.values()].filter(
      (field) => !newFields.has(field.id) && kept.has(field.entityId),
    ),
    permitted: after.filter((entity) => {
      const known = before.get(entity.id);
      return !isSame(permissionsOf(known), permissionsOf(entity));
    }),
    needsEveryValue: notes.needsEveryValue.filter((field) => newFields.has(field.id)),
    backfills: createdFields.filter(
      (field) => field.isRequired && base.entitiesWithRecords.has(field.entityId),
    ),
    rebuilds: [
      ...changedPairs
        .filter(
          ({ old: known, field }) =>
            base.entitiesWithRecords.has(field.entityId) &&
            (becomesPending(known, field) ||
              isConverted(field) ||
              (!isRetyped(field) && isSearchedAnew(known, field))),
        )
        .map(({ field }) => field),
      ...groups.started,
    ],
    needsNoDuplicates: [
      ...changedPairs
        .filter(({ old: known, field }) => field.isPendingUnique && !known.isPendingUnique)
        .map(({ field }) => fieldKey(field)),
      ...groups.started,
    ],
    droppedKeys: [
      ...changedPairs
        .filter(({ old: known, field }) => hasKeys(known) && !hasKeys(field))
        .map(({ field }) => field),
      ...groups.dropped,
      ...notes.converted.filter(({ before: was }) => was.isUnique).map(({ after: field }) => field),
    ],
    deletedGroups: groups.gone,
    sequences: changedPairs.flatMap(({ old: known, field }) =>
      field.defaultFrom?.kind === 'SEQUENCE' && !isSame(known.defaultFrom ?? {}, field.defaultFrom)
        ? [{ field, sequence: field.defaultFrom }]
        : [],
    ),
    droppedTargets: changedPairs.flatMap(({ old: known, field }) => {
      const left = new Set(field.targets?.map((target) => target.entityId));
      const entityIds = (known.targets ?? []).flatMap(({ entityId }) => (left.has(entityId) ? [] : entityId));
      return entityIds.length === 0 ? [] : [{ field, entityIds }];
    }),
    retypes: notes.retypes.filter(({ after: field }) => newFields.has(field.id)),
    conversions: changedPairs.flatMap(({ old: known, field }) =>
      known.becomes === null ? (becomingOf(field) ?? []) : [],
    ),
    converted: notes.converted,
    leftKeys: [
      ...notes.leftKeys,
      ...[...oldFields.values()].flatMap(({ id, entityId, becomes }) =>
        becomes !== null && !newFields.has(id) && kept.has(entityId) ? [{ entityId, ...becomes }] : [],
      ),
    ],
    settled: notes.settled,
    failed: notes.failed,
  };
}

/** Of entities that stay: groups whose keys are to be made, those that have no keys any more, those that are gone. */
function diffGroups(
  before: readonly EntityDefinition[],
  after: readonly EntityDefinition[],
): { started: UniqueKey[]; dropped: KeySubject[]; gone: KeySubject[] } {
  const kept = new Map(after.map((entity) => [entity.id, entity]));
  const old = before.flatMap((entity) =>
    kept.has(entity.id) ? entity.uniqueGroups.map((group) => ({ entityId: entity.id, ...group })) : [],
  );
  const known = new Set(old.map((group) => group.id));
  const groups = new Map(after.flatMap((entity) => entity.uniqueGroups.map((group) => [group.id, group])));
  return {
    started: after.flatMap((entity) =>
      entity.uniqueGroups
        .filter((group) => group.state === 'RUNNING' && !known.has(group.id))
        .flatMap((group) => groupKey(entity, group) ?? []),
    ),
    dropped: old.filter((group) => {
      const state = groups.get(group.id)?.state ?? 'FAILED';
      return group.state !== 'FAILED' && state === 'FAILED';
    }),
    gone: old.filter((group) => !groups.has(group.id)),
  };
}

/** Whether somebody is to be allowed or refused what they are not now; a new entity's permissions are nobody's loss or gain. */
export function changesPermissions(base: DraftBase, change: DefinitionChange): boolean {
  const gone = new Set(change.deletedFields.map((field) => field.id));
  return change.permitted.some((entity) => {
    const known = base.model.allEntities.find((candidate) => candidate.id === entity.id);
    return known !== undefined && !isSame(permissionsOf(known, gone), permissionsOf(entity));
  });
}

/** Permissions as data, without fields that are gone. */
function permissionsOf(entity: EntityDefinition | undefined, gone?: ReadonlySet<string>): object[] {
  const idsOf = (ids: ReadonlySet<string> | null): string[] | null =>
    ids && [...ids].filter((id) => !gone?.has(id)).toSorted();
  return [...(entity?.permissions.values() ?? [])]
    .map(({ role, operations, readable, writable, rowFilter }) => ({
      ...{ role, operations: [...operations].toSorted() },
      ...{ readable: idsOf(readable), writable: idsOf(writable), rowFilter },
    }))
    .toSorted((a, b) => (a.role < b.role ? -1 : 1));
}

const hasKeys = (field: FieldDefinition): boolean => field.isUnique || field.isPendingUnique;

function becomesPending(before: FieldDefinition, after: FieldDefinition): boolean {
  if (after.pendingSlot !== null && after.pendingSlot !== before.pendingSlot) return true;
  if (after.becomes !== null && before.becomes === null) return true;
  return after.isPendingUnique && !before.isPendingUnique;
}

/** Whether records have another search text now. */
function isSearchedAnew(before: FieldDefinition, after: FieldDefinition): boolean {
  const isSearched = (field: FieldDefinition): boolean => field.isSearchable && field.isActive;
  if (isSearched(after) !== isSearched(before)) return true;
  return after.isSearchable && !isSame(before.options ?? [], after.options ?? []);
}

/** Whether there is nothing to write. */
export function isEmptyChange(change: DefinitionChange): boolean {
  return Object.values(change).every((list: readonly unknown[]) => list.length === 0);
}

/** What the change touches, for the event log. */
export function touchedEntityIds(change: DefinitionChange): string[] {
  const entities = [
    ...change.createdEntities,
    ...change.updatedEntities,
    ...change.deletedEntities,
    ...change.permitted,
  ].map((entity) => entity.id);
  const fields = [
    ...change.createdFields,
    ...change.updatedFields,
    ...change.deletedFields,
    ...change.settled,
  ].map((field) => field.entityId);
  return [...new Set([...entities, ...fields])];
}

const isSame = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);
