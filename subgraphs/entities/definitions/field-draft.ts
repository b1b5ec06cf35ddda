/** From an input to a field's definition: what is absent gets its default, or stays. */
import { computedDefaultTypes } from '#subgraphs/model/computed-defaults.ts';
import type {
  ComputedDefault,
  EntityDefinition,
  FieldDefinition,
  FieldOption,
  FieldValidation,
} from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import type { BrokenRules } from './broken-rules.ts';
import { isFreeMember } from './clashes.ts';
import type { DraftField } from './definition-change.ts';
import type {
  ComputedDefaultInput,
  FieldInput,
  FieldOptionInput,
  RetypeInput,
  UpdateFieldInput,
} from './definition-input.ts';
import { isRelationType, isSortableType } from './field-rules.ts';
import { asTarget, changeTargets, findTargets } from './field-targets.ts';
import { convertValue } from './value-conversion.ts';

export interface NewField {
  /** All of the draft. */
  entities: readonly EntityDefinition[];
  entity: EntityDefinition;
  input: FieldInput;
}

/** A new field, unchecked; its key and slot are for the caller to choose. */
export function newField(rules: BrokenRules, { entities, entity, input }: NewField): DraftField {
  const isRelation = isRelationType(input.type);
  const isRequired = input.isRequired ?? false;
  const targets = findTargets(rules, entities, input);
  const target = targets.length === 1 ? targets[0] : undefined;
  const field: DraftField = {
    id: crypto.randomUUID(),
    entityId: entity.id,
    name: input.name,
    key: input.name,
    type: input.type,
    label: input.label ?? null,
    description: input.description ?? null,
    isRequired,
    isUnique: input.isUnique ?? false,
    isSearchable: input.isSearchable ?? input.type === 'TEXT',
    isFilterable: input.isFilterable ?? true,
    isSortable: input.isSortable ?? isSortableType(input.type, targets.length > 1),
    defaultValue: input.defaultValue ?? null,
    defaultFrom: completeDefault(input.defaultFrom),
    validation: compactValidation(input.validation),
    options: completeOptions(input.options),
    targetEntityId: target?.id ?? null,
    ...(targets.length > 1 ? { targets: targets.map(asTarget) } : {}),
    inverseName: input.inverseName ?? null,
    onDelete: input.onDelete ?? (isRelation ? (isRequired ? 'RESTRICT' : 'SET_NULL') : null),
    uiConfig: input.uiConfig ?? null,
    position: input.position ?? Math.max(-1, ...entity.fields.map((other) => other.position)) + 1,
    slot: null,
    pendingSlot: null,
    isPendingUnique: false,
    becomes: null,
    aliases: [],
    isActive: true,
  };
  // Only where nothing was said: null is a wish for none.
  const inverse = field.isUnique ? entity.name : entity.pluralName;
  const isFree = targets.every((one) => isFreeMember(entities, one, inverse));
  if (targets.length > 0 && input.inverseName === undefined && isFree) {
    field.inverseName = inverse;
  }
  return field;
}

export interface ChangedField {
  /** All of the draft. */
  entities: readonly EntityDefinition[];
  /** Changed in place. */
  field: DraftField;
  input: UpdateFieldInput;
  hasRecords: boolean;
}

/**
 * Adds to `rules` what is not possible. With records, a field becomes unique only once the keys of all of them are made:
 * until then it is pending. Its slot is for the caller.
 */
export function changeField(rules: BrokenRules, { entities, field, input, hasRecords }: ChangedField): void {
  const before: FieldDefinition = { ...field };
  for (const member of [
    'name',
    'type',
    'isRequired',
    'isUnique',
    'isSearchable',
    'isFilterable',
    'isSortable',
    'isActive',
    'position',
  ] as const) {
    if (input[member] === null) rules.add(member, 'required', `${member} cannot be null`);
  }
  if (input.type && input.type !== field.type) {
    rules.add(
      'type',
      'unchanged',
      `the type of "${field.name}" is ${field.type} and is changed by retypeField, which converts its values`,
    );
  }
  field.name = input.name ?? field.name;
  field.position = input.position ?? field.position;
  field.isActive = input.isActive ?? field.isActive;
  for (const flag of ['isRequired', 'isUnique', 'isSearchable', 'isFilterable', 'isSortable'] as const)
    field[flag] = input[flag] ?? field[flag];
  for (const text of ['label', 'description', 'inverseName'] as const)
    if (input[text] !== undefined) field[text] = input[text];
  if (input.uiConfig !== undefined) field.uiConfig = input.uiConfig;
  // Of the two the one that is given replaces the other.
  if (input.defaultValue !== undefined) {
    field.defaultValue = input.defaultValue;
    if (input.defaultValue !== null) field.defaultFrom = null;
  }
  if (input.defaultFrom !== undefined) {
    field.defaultFrom = completeDefault(input.defaultFrom);
    if (field.defaultFrom !== null && (input.defaultValue ?? null) === null) field.defaultValue = null;
  }
  if (input.onDelete !== undefined) field.onDelete = input.onDelete ?? field.onDelete;
  if (input.validation !== undefined) field.validation = compactValidation(input.validation);
  if (input.options !== undefined) field.options = completeOptions(input.options);
  if (input.targetEntities) changeTargets(rules, entities, field, input.targetEntities);
  if (hasRecords) refuseMoves(rules, before, field);
  if (field.isUnique && !before.isUnique && hasRecords) {
    field.isUnique = false;
    field.isPendingUnique = true;
  } else if (input.isUnique === false) {
    field.isPendingUnique = false;
  }
}

/** Gives the field its new type; flags that the type cannot have are turned off, but not uniqueness. Unchecked. */
export function changeType(rules: BrokenRules, field: DraftField, input: RetypeInput): void {
  const before: FieldDefinition = { ...field };
  if (isRelationType(input.type) || isRelationType(before.type)) {
    rules.add('type', 'unchanged', `a RELATION cannot become another type, nor another type a RELATION`);
    return;
  }
  if (input.type === 'FILE' || before.type === 'FILE') {
    rules.add('type', 'unchanged', 'a FILE cannot become another type, nor another type a FILE');
    return;
  }
  field.type = input.type;
  field.options = completeOptions(input.options);
  field.validation = compactValidation(input.validation);
  field.isSearchable &&= ruleOf(field).canBeSearched;
  field.isSortable &&= isSortableType(field.type);
  const { defaultFrom: from } = before;
  const isComputed = from !== null && computedDefaultTypes[from.kind].includes(field.type);
  if (!isComputed || (input.defaultValue ?? null) !== null) field.defaultFrom = null;
  else if (from.kind === 'SEQUENCE')
    field.defaultFrom = completeDefault({ kind: from.kind, start: from.start ?? 1 });
  field.defaultValue = input.defaultValue ?? null;
  if (input.defaultValue !== undefined || before.defaultValue === null) return;
  const conversion = convertValue(before, field, before.defaultValue);
  if ('stored' in conversion) field.defaultValue = conversion.stored;
  else rules.add('defaultValue', 'convertible', `${conversion.problem}: give the defaultValue anew`);
}

/** Values would be lost. */
function refuseMoves(rules: BrokenRules, before: FieldDefinition, after: FieldDefinition): void {
  const kept = new Set(after.options?.map((option) => option.value));
  const lost = (before.options ?? []).filter((option) => !kept.has(option.value));
  if (lost.length === 0) return;
  const names = lost.map((option) => option.value).join(', ');
  rules.add('options', 'unchanged', `the entity has records: some may hold ${names}`);
}

/** Null members mean the same as absent ones. */
function compactValidation(validation: FieldValidation | null | undefined): FieldValidation | null {
  const given = Object.entries(validation ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return given.length === 0 ? null : Object.fromEntries(given);
}

/** In the one form in which it is kept: only members that mean something. */
export function completeDefault(input: ComputedDefaultInput | null | undefined): ComputedDefault | null {
  if (!input) return null;
  const { kind, start, prefix, digits } = input;
  return {
    kind,
    ...(kind === 'SEQUENCE' || typeof start === 'number' ? { start: start ?? 1 } : {}),
    ...(typeof prefix === 'string' && prefix !== '' ? { prefix } : {}),
    ...(typeof digits === 'number' ? { digits } : {}),
  };
}

function completeOptions(options: readonly FieldOptionInput[] | null | undefined): FieldOption[] | null {
  if (!options || options.length === 0) return null;
  return options.map(({ value, label }) => ({ value, label: label ?? value }));
}
