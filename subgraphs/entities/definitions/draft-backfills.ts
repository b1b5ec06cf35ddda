/** What the backfills of a draft's fields and groups came to: what was pending holds, or is given up. */
import type { UniqueGroup } from '#subgraphs/model/definition.ts';
import { type Becoming, becomingOf } from './becoming.ts';
import type {
  BackfillFailure,
  BackfillSubject,
  DraftEntity,
  DraftField,
  RetiredField,
} from './definition-change.ts';

export interface DraftBackfills {
  /** What is pending of fields whose backfill went through all records holds from now on. */
  settleBackfills(): void;
  /** A value that does not convert: the field stays what it is. */
  failConversion(fieldId: string, failure: BackfillFailure): void;
  /** A backfill found records that keep the field or group from becoming unique: it does not. */
  failUnique(id: string, failure: BackfillFailure): void;
}

/** What `finish` tells of it. Filled by the operations. */
interface BackfillOutcome {
  readonly settled: BackfillSubject[];
  readonly failed: { subject: BackfillSubject; failure: BackfillFailure }[];
  readonly converted: Becoming[];
  /** Under which there are values that no field has any more. */
  readonly leftKeys: RetiredField[];
}

/** `filledFields`: ids of fields and groups that every record was gone through for. */
export function createDraftBackfills(
  entities: readonly DraftEntity[],
  filledFields: ReadonlySet<string>,
): DraftBackfills & { readonly outcome: BackfillOutcome } {
  const outcome: BackfillOutcome = { settled: [], failed: [], converted: [], leftKeys: [] };
  const { settled, failed, converted, leftKeys } = outcome;

  function findFieldById(id: string): DraftField | undefined {
    return entities.flatMap((entity) => entity.fields).find((field) => field.id === id);
  }

  /** All values are converted: the field is what it was to become. */
  function convert(field: DraftField): void {
    const becoming = becomingOf(field);
    if (!becoming) return;
    const before = { ...field };
    Object.assign(field, becoming.after);
    field.isPendingUnique = before.isUnique;
    field.isUnique = false;
    leftKeys.push({ entityId: before.entityId, key: before.key, slot: before.slot });
    converted.push({ ...becoming, before });
  }

  /** What the backfill of a group that is still being made came to; undefined where there is none with this id. */
  function setGroupState(id: string, state: 'DONE' | 'FAILED'): BackfillSubject | undefined {
    const isMeant = (group: UniqueGroup): boolean => group.id === id && group.state === 'RUNNING';
    const entity = entities.find((one) => one.uniqueGroups.some(isMeant));
    if (!entity) return undefined;
    entity.uniqueGroups = entity.uniqueGroups.map((group) => (isMeant(group) ? { ...group, state } : group));
    return { id, entityId: entity.id, pendingSlot: null };
  }

  return {
    outcome,

    settleBackfills() {
      for (const id of filledFields) {
        const ofGroup = setGroupState(id, 'DONE');
        if (ofGroup) settled.push(ofGroup);
        const field = findFieldById(id);
        if (!field) continue;
        settled.push(field);
        if (field.becomes !== null) {
          convert(field);
          continue;
        }
        field.slot ??= field.pendingSlot;
        field.pendingSlot = null;
        field.isUnique ||= field.isPendingUnique;
        field.isPendingUnique = false;
      }
    },

    failConversion(id, failure) {
      const field = findFieldById(id);
      if (!field?.becomes) return;
      leftKeys.push({ entityId: field.entityId, ...field.becomes });
      field.becomes = null;
      failed.push({ subject: field, failure });
    },

    failUnique(id, failure) {
      const ofGroup = setGroupState(id, 'FAILED');
      if (ofGroup) failed.push({ subject: ofGroup, failure });
      const field = findFieldById(id);
      if (!field?.isPendingUnique) return;
      field.isPendingUnique = false;
      failed.push({ subject: field, failure });
    },
  };
}
