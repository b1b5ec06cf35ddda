/** From an input to a field's definition: what is absent gets its default, or stays. */
import type {
  EntityDefinition,
  FieldDefinition,
  FieldOption,
  FieldValidation,
} from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import type { BrokenRules } from './broken-rules.ts';
import { isFreeMember } from './clashes.ts';
import type { DraftField } from './definition-change.ts';
import type { FieldInput, FieldOptionInput, UpdateFieldInput } from './definition-input.ts';
import { isSortableType } from './field-rules.ts';

export interface NewField {
  /** All of the draft. */
  entities: readonly EntityDefinition[];
  entity: EntityDefinition;
  input: FieldInput;
}

/** A new field, unchecked; its key and slot are for the caller to choose. */
export function newField(rules: BrokenRules, { entities, entity, input }: NewField): DraftField {
  const isRelation = input.type === 'RELATION';
  const isRequired = input.isRequired ?? false;
  const target = findTarget(rules, entities, input);
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
    isSortable: input.isSortable ?? isSortableType(input.type),
    defaultValue: input.defaultValue ?? null,
    validation: compactValidation(input.validation),
    options: completeOptions(input.options),
    targetEntityId: target?.id ?? null,
    inverseName: input.inverseName ?? null,
    onDelete: input.onDelete ?? (isRelation ? (isRequired ? 'RESTRICT' : 'SET_NULL') : null),
    uiConfig: input.uiConfig ?? null,
    position: input.position ?? Math.max(-1, ...entity.fields.map((other) => other.position)) + 1,
    slot: null,
  };
  // Only where nothing was said: null is a wish for none.
  if (target && input.inverseName === undefined && isFreeMember(entities, target, entity.pluralName)) {
    field.inverseName = entity.pluralName;
  }
  return field;
}

function findTarget(
  rules: BrokenRules,
  entities: readonly EntityDefinition[],
  input: FieldInput,
): EntityDefinition | undefined {
  const name = input.targetEntity ?? null;
  if (input.type !== 'RELATION') {
    if (name !== null)
      rules.add('targetEntity', 'type', `targetEntity is for RELATION, not for ${input.type}`);
    return undefined;
  }
  if (name === null) {
    rules.add('targetEntity', 'required', 'a RELATION field needs a targetEntity');
    return undefined;
  }
  const target = entities.find((entity) => entity.name === name);
  if (!target) rules.add('targetEntity', 'exists', `there is no entity "${name.slice(0, 80)}"`);
  return target;
}

export interface ChangedField {
  /** Changed in place. */
  field: DraftField;
  input: UpdateFieldInput;
  hasRecords: boolean;
}

/** Adds to `rules` what would need stored values to move. */
export function changeField(rules: BrokenRules, { field, input, hasRecords }: ChangedField): void {
  const before: FieldDefinition = { ...field };
  for (const member of [
    'name',
    'type',
    'isRequired',
    'isUnique',
    'isSearchable',
    'isFilterable',
    'isSortable',
    'position',
  ] as const) {
    if (input[member] === null) rules.add(member, 'required', `${member} cannot be null`);
  }
  if (input.type && input.type !== field.type) {
    rules.add(
      'type',
      'unchanged',
      `the type of "${field.name}" is ${field.type} and cannot change: its values would have to be converted. Create another field`,
    );
  }
  field.name = input.name ?? field.name;
  field.position = input.position ?? field.position;
  for (const flag of ['isRequired', 'isUnique', 'isSearchable', 'isFilterable', 'isSortable'] as const)
    field[flag] = input[flag] ?? field[flag];
  for (const text of ['label', 'description', 'inverseName'] as const)
    if (input[text] !== undefined) field[text] = input[text];
  if (input.uiConfig !== undefined) field.uiConfig = input.uiConfig;
  if (input.defaultValue !== undefined) field.defaultValue = input.defaultValue;
  if (input.onDelete !== undefined) field.onDelete = input.onDelete ?? field.onDelete;
  if (input.validation !== undefined) field.validation = compactValidation(input.validation);
  if (input.options !== undefined) field.options = completeOptions(input.options);
  if (hasRecords) refuseMoves(rules, before, field);
}

/** What is kept beside `data` (keys, slots, folded text, search text) or in it (options) would have to be made or changed for every record. */
function refuseMoves(rules: BrokenRules, before: FieldDefinition, after: FieldDefinition): void {
  const refuse = (member: string, what: string): void =>
    rules.add(member, 'unchanged', `the entity has records: ${what}. That is not possible yet`);
  if (after.isUnique && !before.isUnique)
    refuse('isUnique', `the keys of "${before.name}" would have to be made`);
  if (after.isSearchable !== before.isSearchable)
    refuse('isSearchable', 'their search text would have to be made anew');
  const isLookedUp = (field: FieldDefinition): boolean => field.isFilterable || field.isSortable;
  if (isLookedUp(after) && !isLookedUp(before) && before.slot === null && ruleOf(before).slotKind !== null) {
    refuse(
      after.isFilterable ? 'isFilterable' : 'isSortable',
      `the values of "${before.name}" would have to be indexed`,
    );
  }
  const labels = new Map(after.options?.map((option) => [option.value, option.label]));
  const lost = (before.options ?? [])
    .filter((option) => !labels.has(option.value))
    .map((option) => option.value);
  if (lost.length > 0) refuse('options', `some may hold ${lost.join(', ')}`);
  const isRelabelled = (before.options ?? []).some((option) => labels.get(option.value) !== option.label);
  if (isRelabelled && before.isSearchable && lost.length === 0)
    refuse('options', 'their search text holds the labels');
}

/** Null members mean the same as absent ones. */
function compactValidation(validation: FieldValidation | null | undefined): FieldValidation | null {
  const given = Object.entries(validation ?? {}).filter(([, value]) => value !== null && value !== undefined);
  return given.length === 0 ? null : Object.fromEntries(given);
}

function completeOptions(options: readonly FieldOptionInput[] | null | undefined): FieldOption[] | null {
  if (!options || options.length === 0) return null;
  return options.map(({ value, label }) => ({ value, label: label ?? value }));
}
