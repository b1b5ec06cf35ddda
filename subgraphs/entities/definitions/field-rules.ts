/** What a field's definition may be, whatever else there is. Names that clash: clashes.ts. */
import type { FieldDefinition, FieldType } from '#subgraphs/model/definition.ts';
import { checkFieldRules } from '#subgraphs/model/field-rules.ts';
import { fieldTypeRules, ruleOf } from '#subgraphs/model/field-types.ts';
import { isUnion } from '#subgraphs/model/union-relations.ts';
import type { BrokenRules } from './broken-rules.ts';
import {
  checkJson,
  checkName,
  checkText,
  maxDescriptionLength,
  maxLabelLength,
  maxUiConfigLength,
} from './name-rules.ts';

/** Whether the field points at records. */
export function isRelationType(type: FieldType): boolean {
  return type === 'RELATION' || type === 'MULTI_RELATION';
}

/** Whether lists can be ordered by it; by a relation, through the other record's fields, so not by one to several entities. */
export function isSortableType(type: FieldType, hasSeveralTargets = false): boolean {
  return (type === 'RELATION' && !hasSeveralTargets) || fieldTypeRules[type].isOrderable;
}

/**
 * Adds every broken rule of a field as it would become; paths are those of `FieldInput`. A good default value gets its
 * stored form.
 */
export function checkField(rules: BrokenRules, field: { defaultValue: unknown } & FieldDefinition): void {
  checkName(rules, 'name', field.name);
  checkText(rules, 'label', field.label, maxLabelLength);
  checkText(rules, 'description', field.description, maxDescriptionLength);
  checkJson(rules, 'uiConfig', field.uiConfig, maxUiConfigLength);
  if (field.isSortable && !isSortableType(field.type, isUnion(field))) {
    const what = isUnion(field) ? 'relation to several entities' : `field of type ${field.type}`;
    rules.add('isSortable', 'type', `isSortable is not possible for a ${what}`);
  }
  checkRelation(rules, field);
  const broken = checkFieldRules(field, '');
  for (const { field: path, rule, message } of broken) rules.add(path, rule, message);
  if (broken.length === 0 && field.defaultValue !== null) {
    field.defaultValue = ruleOf(field).parse(field.defaultValue, field, () => undefined) ?? null;
  }
}

function checkRelation(rules: BrokenRules, field: FieldDefinition): void {
  if (!isRelationType(field.type)) {
    for (const member of ['inverseName', 'onDelete'] as const) {
      if (field[member] !== null)
        rules.add(member, 'type', `${member} is for RELATION and MULTI_RELATION, not for ${field.type}`);
    }
    return;
  }
  if (field.inverseName !== null) checkName(rules, 'inverseName', field.inverseName);
  if (field.type === 'MULTI_RELATION') {
    if (field.isRequired)
      rules.add('isRequired', 'type', 'isRequired is not possible for a field of type MULTI_RELATION');
    if (field.onDelete !== null && field.onDelete !== 'SET_NULL')
      rules.add(
        'onDelete',
        'type',
        'onDelete of a MULTI_RELATION is SET_NULL: its links go, its records stay',
      );
    return;
  }
  if (field.isRequired && field.onDelete === 'SET_NULL') {
    rules.add(
      'onDelete',
      'required',
      'onDelete cannot be SET_NULL where the relation is required: choose RESTRICT or CASCADE',
    );
  }
}
