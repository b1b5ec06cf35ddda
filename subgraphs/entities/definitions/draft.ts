/**
 * A tenant's definitions while they are being changed: pure, over one version of the model. Whoever changes them calls the
 * operations; `finish` checks every name against every other and says what has to be written.
 */
import { DomainError, invalidField } from '#schema/errors.ts';
import { joinFields, splitFields } from '#subgraphs/model/activation.ts';
import type { EntityDefinition, EntityLimits, FieldDefinition } from '#subgraphs/model/definition.ts';
import { mayPointAt } from '#subgraphs/model/union-relations.ts';
import { type BrokenRules, createBrokenRules } from './broken-rules.ts';
import { refuseClashes } from './clashes.ts';
import {
  type DefinitionChange,
  type DraftBase,
  type DraftEntity,
  type DraftField,
  diffDefinitions,
  type Retype,
} from './definition-change.ts';
import type {
  CreateEntityInput,
  FieldInput,
  RetypeErrorRule,
  RetypeInput,
  UpdateEntityInput,
  UpdateFieldInput,
} from './definition-input.ts';
import { createDraftBackfills, type DraftBackfills } from './draft-backfills.ts';
import { refuseMember, setUniqueGroups } from './draft-groups.ts';
import { createDraftNames, type DraftNames } from './draft-names.ts';
import { createDraftPermissions, type DraftPermissions, keepPermissions } from './draft-permissions.ts';
import { createDraftStorage } from './draft-storage.ts';
import { checkEntity } from './entity-rules.ts';
import { changeField, changeType, newField } from './field-draft.ts';
import { checkField } from './field-rules.ts';
import { pluralOf } from './plural.ts';
import { findSlot } from './slots.ts';

export const maxEntities = 200;
export const maxFields = 200;
/** Of all entities together: composing and loading a tenant's graph costs time and memory by its fields. */
export const maxFieldsOfTenant = 4000;

export interface DefinitionDraft extends DraftNames, DraftPermissions, DraftBackfills {
  /** As they stand in the draft. */
  readonly entities: readonly EntityDefinition[];
  findEntity(name: string): EntityDefinition | undefined;
  /** BAD_USER_INPUT with every broken rule, or CONFLICT. Relations may point at entities made before in the same draft, or at itself. */
  createEntity(input: CreateEntityInput): EntityDefinition;
  updateEntity(name: string, input: UpdateEntityInput): EntityDefinition;
  /** CONFLICT while relations of other entities point at it. */
  deleteEntity(name: string): void;
  createField(entityName: string, input: FieldInput): FieldDefinition;
  updateField(entityName: string, name: string, input: UpdateFieldInput): FieldDefinition;
  deleteField(entityName: string, name: string): void;
  /** Another type: its values are converted, under a key of their own. */
  retypeField(
    entityName: string,
    name: string,
    input: RetypeInput,
    onError: RetypeErrorRule,
  ): FieldDefinition;
  /** Whether stored values would go with it; also for entities that the draft deleted. */
  hasRecords(entityId: string): boolean;
  /** Throws CONFLICT where names clash, or a permission's row filter would not fit any more. */
  finish(): DefinitionChange;
}

/** NOT_FOUND for an entity or field that is not there, in every operation. */
export function createDraft(base: DraftBase): DefinitionDraft {
  const before = base.model.allEntities.map(joinFields);
  const entities: DraftEntity[] = before.map((entity) => ({
    ...entity,
    fields: entity.fields.map((field) => ({ ...field })),
  }));
  const known = new Set(before.flatMap((entity) => entity.fields).map((field) => field.id));
  const { freeKey, takenSlots, assignSlot } = createDraftStorage(base, before);
  const needsEveryValue = new Map<string, FieldDefinition>();
  const retypes = new Map<string, Retype>();
  const { outcome, ...backfills } = createDraftBackfills(entities, base.filledFields ?? new Set());

  function getEntity(name: string): DraftEntity {
    const found = entities.find((entity) => entity.name === name);
    if (!found) throw new DomainError('NOT_FOUND', `There is no entity "${name.slice(0, 80)}"`);
    return found;
  }

  function getField(entity: DraftEntity, name: string): DraftField {
    const found = entity.fields.find((field) => field.name === name);
    if (!found)
      throw new DomainError('NOT_FOUND', `The entity "${entity.name}" has no field "${name.slice(0, 80)}"`);
    return found;
  }

  function addField(rules: BrokenRules, entity: DraftEntity, input: FieldInput): DraftField {
    if (entity.fields.length >= maxFields) {
      throw invalidField('fields', 'maxLength', `An entity has at most ${maxFields} fields`);
    }
    if (entities.reduce((total, { fields }) => total + fields.length, 0) >= maxFieldsOfTenant) {
      throw invalidField('fields', 'maxLength', `A tenant has at most ${maxFieldsOfTenant} fields in all`);
    }
    const field = newField(rules, { entities, entity, input });
    checkField(rules, field);
    const hasRecords = base.entitiesWithRecords.has(entity.id);
    if (hasRecords && field.isRequired && field.defaultValue === null) {
      rules.add(
        'isRequired',
        'required',
        `the entity "${entity.name}" has records: a required field needs a defaultValue that they get (a computed one is for new records)`,
      );
    }
    if (hasRecords && field.isUnique && field.isRequired) {
      rules.add(
        'isUnique',
        'unique',
        `the entity "${entity.name}" has records: they cannot all get the same value of a unique field`,
      );
    }
    field.key = freeKey(entity, field.name);
    field.slot = findSlot(field, takenSlots(entity));
    entity.fields.push(field);
    return field;
  }

  function sortFields(entity: DraftEntity): void {
    entity.fields.sort((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1));
  }

  return {
    entities,
    findEntity: (name) => entities.find((entity) => entity.name === name),

    createEntity(input) {
      if (entities.length >= maxEntities)
        throw invalidField('name', 'maxLength', `A tenant has at most ${maxEntities} entities`);
      const rules = createBrokenRules();
      const pluralName = input.pluralName ?? pluralOf(input.name);
      const entity: DraftEntity = {
        id: crypto.randomUUID(),
        name: input.name,
        pluralName,
        label: input.label ?? null,
        description: input.description ?? null,
        icon: input.icon ?? null,
        position: Math.max(-1, ...entities.map((other) => other.position)) + 1,
        aliases: [],
        isActive: true,
        uniqueGroups: [],
        limits: completeLimits(input.limits),
        fields: [],
        inactiveFields: [],
        permissions: new Map(),
      };
      checkEntity(rules, entity);
      // Known before its fields are read: a relation may point at it.
      entities.push(entity);
      for (const [index, field] of (input.fields ?? []).entries())
        addField(rules.below(`fields.${index}.`), entity, field);
      rules.throwAny();
      setUniqueGroups(rules, entity, input.uniqueGroups ?? [], false);
      rules.throwAny();
      sortFields(entity);
      return entity;
    },

    updateEntity(name, input) {
      const entity = getEntity(name);
      const rules = createBrokenRules();
      if (input.name === null) rules.add('name', 'required', 'name cannot be null');
      if (input.pluralName === null) rules.add('pluralName', 'required', 'pluralName cannot be null');
      rules.throwAny();
      entity.name = input.name ?? entity.name;
      entity.pluralName = input.pluralName ?? entity.pluralName;
      for (const text of ['label', 'description', 'icon'] as const)
        if (input[text] !== undefined) entity[text] = input[text];
      entity.position = input.position ?? entity.position;
      entity.isActive = input.isActive ?? entity.isActive;
      if (input.limits !== undefined) entity.limits = completeLimits(input.limits);
      if (input.uniqueGroups)
        setUniqueGroups(rules, entity, input.uniqueGroups, base.entitiesWithRecords.has(entity.id));
      checkEntity(rules, entity);
      rules.throwAny();
      return entity;
    },

    deleteEntity(name) {
      const entity = getEntity(name);
      const pointing = entities
        .filter((other) => other !== entity)
        .flatMap((other) =>
          other.fields
            .filter((field) => mayPointAt(field, entity.id))
            .map((field) => `${other.name}.${field.name}`),
        );
      if (pointing.length > 0) {
        throw new DomainError(
          'CONFLICT',
          `Other entities refer to "${name}": delete ${pointing.map((path) => `"${path}"`).join(', ')} first`,
        );
      }
      entities.splice(entities.indexOf(entity), 1);
    },

    createField(entityName, input) {
      const entity = getEntity(entityName);
      const rules = createBrokenRules();
      const field = addField(rules, entity, input);
      rules.throwAny();
      sortFields(entity);
      return field;
    },

    updateField(entityName, name, input) {
      const entity = getEntity(entityName);
      const field = getField(entity, name);
      if (field.becomes !== null) {
        throw new DomainError(
          'CONFLICT',
          `The values of "${name}" are still being converted (backfill): try again after that`,
        );
      }
      const before = { ...field };
      const rules = createBrokenRules();
      const hasRecords = base.entitiesWithRecords.has(entity.id);
      changeField(rules, { entities, field, input, hasRecords });
      checkField(rules, field);
      rules.throwAny();
      assignSlot(entity, field);
      if (field.isRequired && !before.isRequired && hasRecords) needsEveryValue.set(field.id, field);
      sortFields(entity);
      return field;
    },

    deleteField(entityName, name) {
      const entity = getEntity(entityName);
      const field = getField(entity, name);
      refuseMember(entity, field, 'cannot be deleted');
      entity.fields.splice(entity.fields.indexOf(field), 1);
    },

    retypeField(entityName, name, input, onError) {
      const entity = getEntity(entityName);
      const field = getField(entity, name);
      refuseMember(entity, field, 'cannot get another type');
      const before = { ...field };
      const rules = createBrokenRules();
      const isLarge = base.largeEntities?.has(entity.id) === true;
      // Of many records, the field stays what it is until all are converted.
      const becoming = isLarge ? { ...field } : field;
      changeType(rules, becoming, input);
      rules.throwAny();
      checkField(rules, becoming);
      rules.throwAny();
      const isBusy = field.pendingSlot !== null || field.isPendingUnique || field.becomes !== null;
      if (isBusy || retypes.has(field.id)) {
        throw new DomainError(
          'CONFLICT',
          `"${name}" is still being changed (backfill): try again after that`,
        );
      }
      if (isLarge) {
        const { type, options, validation, defaultValue, defaultFrom, isSearchable, isSortable } = becoming;
        const key = freeKey(entity, before.key);
        const slot = findSlot(becoming, takenSlots(entity));
        const flags = { isSearchable, isSortable };
        field.becomes = {
          type,
          key,
          slot,
          options,
          validation,
          defaultValue,
          defaultFrom,
          ...flags,
          onError,
        };
        return field;
      }
      field.key = freeKey(entity, before.key);
      // Every record is written anew, so its own slot serves at once.
      field.slot = null;
      const taken = takenSlots(entity);
      if (before.slot !== null) taken.delete(before.slot);
      field.slot = findSlot(field, taken);
      const hasRecords = base.entitiesWithRecords.has(entity.id);
      retypes.set(field.id, { before, after: field, entity, onError, hasRecords });
      return field;
    },

    ...createDraftNames({ getEntity, getField, sortFields }),
    ...createDraftPermissions(entities, getEntity),
    ...backfills,

    hasRecords: (entityId) => base.entitiesWithRecords.has(entityId),

    finish() {
      refuseClashes(before, entities);
      keepPermissions(entities);
      const [was, becomes] = [activeFields(before), activeFields(entities)];
      for (const field of becomes.values()) {
        // Records that were created while it was not in the graph have no value in it.
        if (field.isRequired && !was.has(field.id) && known.has(field.id))
          needsEveryValue.set(field.id, field);
      }
      return diffDefinitions(base, entities, {
        needsEveryValue: [...needsEveryValue.values()],
        retypes: [...retypes.values()].map((retype) => ({
          ...retype,
          entity: splitFields(retype.entity, (id) => entities.some((one) => one.id === id && one.isActive)),
        })),
        ...outcome,
      });
    },
  };
}

/** No limit at all is null. */
function completeLimits(input: CreateEntityInput['limits']): EntityLimits | null {
  const createsPerHour = input?.createsPerHour ?? null;
  return createsPerHour === null ? null : { createsPerHour };
}

/** Fields that are in the graph, by id. */
function activeFields(entities: readonly EntityDefinition[]): Map<string, FieldDefinition> {
  const active = new Set(entities.filter((entity) => entity.isActive).map((entity) => entity.id));
  const fields = entities
    .filter((entity) => entity.isActive)
    .flatMap((entity) => splitFields(entity, (id) => active.has(id)).fields);
  return new Map(fields.map((field) => [field.id, field]));
}
