/** Makes a tenant's definitions those of a document: what differs is created, changed, renamed and deleted, in one draft. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { restrictableRoles } from '#subgraphs/model/permissions/access.ts';
import { isUnion, mayPointAt } from '#subgraphs/model/union-relations.ts';
import { parseFieldValue } from '#subgraphs/model/values/input.ts';
import { isSameJson } from '#subgraphs/model/values/json.ts';
import type { UpdateFieldInput } from './definition-input.ts';
import { type DocumentEntity, type DocumentField, writeGroups } from './document.ts';
import type { DefinitionDraft } from './draft.ts';
import { isRelationType } from './field-rules.ts';
import { pluralOf } from './plural.ts';

export interface DocumentStep {
  kind: 'CREATE' | 'UPDATE' | 'RENAME' | 'RETYPE' | 'DELETE';
  entity: string;
  /** Null: of the entity itself. */
  field: string | null;
  /** "isUnique: false → true". */
  changes: string[];
  /** Of what is deleted or converted, for counting what is lost. Null where nothing can be. */
  lostId: string | null;
}

/** The steps that were taken on the draft; none where it says what the document says. Throws what the operations throw. */
export function applyDocument(
  draft: DefinitionDraft,
  document: readonly DocumentEntity[],
  onError: 'REFUSE' | 'SET_NULL',
): DocumentStep[] {
  const steps: DocumentStep[] = [];
  const step = (
    kind: DocumentStep['kind'],
    entity: string,
    field: string | null,
    changes: string[] = [],
    lostId: string | null = null,
  ): void => {
    steps.push({ kind, entity, field, changes, lostId });
  };
  const wanted = new Set(document.map((entity) => entity.name));

  for (const entity of document) {
    if (draft.findEntity(entity.name)) continue;
    // A name that it gave up, and nobody else in the document has.
    const old = entity.aliases.find(({ name }) => !wanted.has(name) && draft.findEntity(name))?.name;
    if (old === undefined) continue;
    draft.renameEntity(old, { to: entity.name, pluralName: pluralNameOf(entity), keepAlias: false });
    step('RENAME', entity.name, null, [`name: ${old} → ${entity.name}`]);
  }
  const deleteLast = deleteAbsent(draft, document, step);
  for (const entity of document) applyEntity(draft, entity, step);
  for (const wantsRelations of [false, true]) {
    for (const entity of document) {
      for (const field of entity.fields)
        if (isRelationType(field.type) === wantsRelations) applyField(draft, entity, field, onError, step);
    }
  }
  deleteLast();
  for (const entity of document) applyGroups(draft, entity, step);
  arrange(draft, document, step);
  for (const entity of document) applyPermissions(draft, entity, step);
  return steps;
}

type Step = (
  kind: DocumentStep['kind'],
  entity: string,
  field: string | null,
  changes?: string[],
  lostId?: string | null,
) => void;

const pluralNameOf = (entity: DocumentEntity): string => entity.pluralName ?? pluralOf(entity.name);

/**
 * Fields are renamed on the way: what only has another name is not absent. Answers the deletion of entities that relations
 * to several still name: it comes once these were changed.
 */
function deleteAbsent(draft: DefinitionDraft, document: readonly DocumentEntity[], step: Step): () => void {
  const byName = new Map(document.map((entity) => [entity.name, entity]));
  const gone = draft.entities.filter((entity) => !byName.has(entity.name));
  for (const known of draft.entities) {
    const entity = byName.get(known.name);
    const names = new Set(entity?.fields.map((field) => field.name));
    for (const field of entity?.fields ?? []) {
      if (known.fields.some((candidate) => candidate.name === field.name)) continue;
      const old = field.aliases.find(
        (name) => !names.has(name) && known.fields.some((candidate) => candidate.name === name),
      );
      if (old === undefined) continue;
      draft.renameField(known.name, old, { to: field.name, keepAlias: false });
      step('RENAME', known.name, field.name, [`name: ${old} → ${field.name}`]);
    }
    if (entity) loosenGroups(draft, known, entity);
    for (const field of [...known.fields]) {
      // Those of an entity that goes too, so that no order of deletion stands in another's way.
      const isInTheWay = !entity && isRelationType(field.type);
      if (entity ? names.has(field.name) : !isInTheWay) continue;
      draft.deleteField(known.name, field.name);
      if (entity) step('DELETE', known.name, field.name, [], field.id);
    }
  }
  const isNamed = ({ id }: EntityDefinition): boolean =>
    draft.entities.some(({ fields }) => fields.some((field) => isUnion(field) && mayPointAt(field, id)));
  const deleteAll = (entities: readonly EntityDefinition[]): void => {
    for (const { name, id } of entities) {
      draft.deleteEntity(name);
      step('DELETE', name, null, [], id);
    }
  };
  const later = gone.filter(isNamed);
  deleteAll(gone.filter((entity) => !later.includes(entity)));
  return () => deleteAll(later);
}

function applyEntity(draft: DefinitionDraft, entity: DocumentEntity, step: Step): void {
  const { name, label, description, icon, isActive, aliases, limits } = entity;
  const pluralName = pluralNameOf(entity);
  const known = draft.findEntity(name);
  if (!known) {
    at(name, () => draft.createEntity({ name, pluralName, label, description, icon, limits, fields: [] }));
    if (!isActive) draft.updateEntity(name, { isActive });
    step('CREATE', name, null);
  } else {
    const wanted = { pluralName, label, description, icon, isActive, limits };
    const changes = differences(known, wanted);
    if (changes.length > 0) at(name, () => draft.updateEntity(name, wanted));
    if (!isSameJson(known.aliases, aliases))
      changes.push(`aliases: ${show(known.aliases)} → ${show(aliases)}`);
    if (changes.length > 0) step('UPDATE', name, null, changes);
  }
  at(name, () => draft.setAliases(name, null, aliases));
}

/** Groups stand in the way of what happens to their fields: only those stay of which no field goes or gets another type. */
function loosenGroups(draft: DefinitionDraft, known: EntityDefinition, entity: DocumentEntity): void {
  const fields = new Map(entity.fields.map((field) => [field.name, field]));
  const stays = (name: string): boolean => {
    const [was, becomes] = [findField(draft, known.name, name), fields.get(name)];
    return was?.type === becomes?.type && (!was || targetOf(draft, was) === becomes?.targetEntity);
  };
  const groups = writeGroups(known);
  const kept = groups.filter((group) => group.fields.every(stays));
  if (kept.length < groups.length) draft.updateEntity(known.name, { uniqueGroups: kept });
}

/** After the fields: they are there now. */
function applyGroups(draft: DefinitionDraft, { name, uniqueGroups }: DocumentEntity, step: Step): void {
  const known = draft.findEntity(name);
  const before = known ? writeGroups(known) : [];
  if (isSameJson(before, uniqueGroups)) return;
  at(name, () => draft.updateEntity(name, { uniqueGroups }));
  step('UPDATE', name, null, [`uniqueGroups: ${show(before)} → ${show(uniqueGroups)}`]);
}

function applyField(
  draft: DefinitionDraft,
  { name: entityName }: DocumentEntity,
  field: DocumentField,
  onError: 'REFUSE' | 'SET_NULL',
  step: Step,
): void {
  const { name, aliases } = field;
  const path = `${entityName}.${name}`;
  let known = findField(draft, entityName, name);
  const isOtherRelation = known && isUnion(known) !== (field.targetEntities !== null);
  if (known && (isOtherRelation || targetOf(draft, known) !== field.targetEntity)) {
    const { id } = known;
    draft.deleteField(entityName, name);
    step('DELETE', entityName, name, [], id);
    known = undefined;
  }
  if (!known) {
    const { aliases: _aliases, isActive, ...input } = field;
    at(path, () => draft.createField(entityName, input));
    if (!isActive) draft.updateField(entityName, name, { isActive });
    at(path, () => draft.setAliases(entityName, name, aliases));
    step('CREATE', entityName, name);
    return;
  }
  // Its values are on the way already.
  if (known.becomes?.type === field.type) return;
  if (known.type !== field.type) {
    const { type, options, validation, defaultValue } = field;
    const change = `type: ${known.type} → ${type}`;
    at(path, () => draft.retypeField(entityName, name, { type, options, validation, defaultValue }, onError));
    step('RETYPE', entityName, name, [change], known.id);
    known = findField(draft, entityName, name) as FieldDefinition;
  }
  const wanted = wantedOf(known, field);
  const changes = differences({ ...known, isUnique: known.isUnique || known.isPendingUnique }, wanted);
  const targets = targetsOf(draft, known);
  let lostId: string | null = null;
  if (targets !== null && field.targetEntities !== null && !isSameJson(targets, field.targetEntities)) {
    changes.push(`targetEntities: ${show(targets)} → ${show(field.targetEntities)}`);
    // Records may point at what it cannot point at any more: then the change is refused.
    lostId = known.id;
  }
  if (changes.length > 0)
    at(path, () => draft.updateField(entityName, name, { ...wanted, targetEntities: field.targetEntities }));
  if (!isSameJson(known.aliases, aliases)) changes.push(`aliases: ${show(known.aliases)} → ${show(aliases)}`);
  at(path, () => draft.setAliases(entityName, name, aliases));
  if (changes.length > 0) step('UPDATE', entityName, name, changes, lostId);
}

/** Everything that an update may say, in the form in which it is kept. */
function wantedOf(known: FieldDefinition, field: DocumentField): UpdateFieldInput {
  const { label, description, isRequired, isUnique, isSearchable, isFilterable, isSortable, isActive } =
    field;
  const limits = Object.entries(field.validation ?? {}).filter(([, limit]) => limit !== null);
  const parsed = parseFieldValue({ ...known, validation: null }, field.defaultValue, 'defaultValue');
  return {
    ...{ label, description, isRequired, isUnique, isSearchable, isFilterable, isSortable, isActive },
    defaultValue: parsed.errors.length > 0 ? field.defaultValue : parsed.stored,
    defaultFrom: field.defaultFrom,
    validation: limits.length === 0 ? null : Object.fromEntries(limits),
    options: field.options?.map(({ value, label: shown }) => ({ value, label: shown ?? value })) ?? null,
    ...(field.inverseName === undefined ? {} : { inverseName: field.inverseName }),
    ...(field.onDelete === undefined || field.onDelete === null ? {} : { onDelete: field.onDelete }),
    uiConfig: field.uiConfig,
  };
}

/** Last: row filters may speak of whatever else the document says. */
function applyPermissions(draft: DefinitionDraft, { name, permissions }: DocumentEntity, step: Step): void {
  if (permissions === undefined) return;
  const before = draft.showPermissions(name);
  at(name, () => draft.setPermissions(name, permissions));
  const after = draft.showPermissions(name);
  const changes = restrictableRoles.flatMap((role) => {
    const [old, wanted] = [before, after].map((shown) => shown.find((one) => one.role === role) ?? null);
    return isSameJson(old, wanted) ? [] : [`permission of ${role}: ${show(old)} → ${show(wanted)}`];
  });
  if (changes.length > 0) step('UPDATE', name, null, changes);
}

/** Only where the order is another: positions themselves say nothing. */
function arrange(draft: DefinitionDraft, document: readonly DocumentEntity[], step: Step): void {
  const names = document.map((entity) => entity.name);
  const sorted = draft.entities.toSorted((a, b) => a.position - b.position || (a.name < b.name ? -1 : 1));
  if (
    !isSameJson(
      names,
      sorted.map((entity) => entity.name),
    )
  ) {
    for (const [position, name] of names.entries()) draft.updateEntity(name, { position });
    if (names.length > 1) step('UPDATE', names[0] ?? '', null, ['order of entities']);
  }
  for (const { name, fields } of document) {
    const order = fields.map((field) => field.name);
    const known = draft.findEntity(name)?.fields.map((field) => field.name) ?? [];
    if (isSameJson(order, known)) continue;
    for (const [position, field] of order.entries()) draft.updateField(name, field, { position });
    step('UPDATE', name, null, ['order of fields']);
  }
}

function findField(draft: DefinitionDraft, entity: string, name: string): FieldDefinition | undefined {
  return draft.findEntity(entity)?.fields.find((field) => field.name === name);
}

function targetOf(draft: DefinitionDraft, field: FieldDefinition): string | null {
  return draft.entities.find((entity) => entity.id === field.targetEntityId)?.name ?? null;
}

/** The names of a union's targets; null for every other field. */
function targetsOf(draft: DefinitionDraft, field: FieldDefinition): string[] | null {
  if (!isUnion(field)) return null;
  return field.targets.map(
    ({ entityId }) => draft.entities.find((entity) => entity.id === entityId)?.name ?? '',
  );
}

function differences(known: object, wanted: object): string[] {
  return Object.entries(wanted).flatMap(([member, value]) => {
    const old = (known as Record<string, unknown>)[member] ?? null;
    return isSameJson(old, value ?? null) ? [] : [`${member}: ${show(old)} → ${show(value ?? null)}`];
  });
}

const show = (value: unknown): string => JSON.stringify(value).slice(0, 200).toWellFormed();

/** Says where in the document it is that breaks a rule. */
function at<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const fields = error.fields?.map((one) => ({ ...one, field: `${path}.${one.field}` }));
    throw new DomainError(error.code, `${path}: ${error.message}`, {
      ...(fields ? { fields } : {}),
      cause: error,
    });
  }
}
