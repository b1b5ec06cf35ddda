/** What a field's definition may be, by its type. Names that clash: clashes.ts; default values: default-value.ts. */
import type { FieldDefinition, FieldType, FieldValidation } from '#subgraphs/model/definition.ts';
import { type ComparisonKind, fieldTypeRules } from '#subgraphs/model/field-types.ts';
import { readDate, readDateTime } from '#subgraphs/model/values/date.ts';
import { compilePattern } from '#subgraphs/model/values/text.ts';
import type { BrokenRules } from './broken-rules.ts';
import {
  checkEnumValue,
  checkJson,
  checkName,
  checkText,
  maxDescriptionLength,
  maxLabelLength,
  maxUiConfigLength,
} from './name-rules.ts';

export const maxOptions = 500;
export const maxPatternLength = 500;

const kindOf = (type: FieldType): ComparisonKind => fieldTypeRules[type].comparisonKind;
export const hasOptions = (type: FieldType): boolean =>
  kindOf(type) === 'CHOICE' || kindOf(type) === 'CHOICES';
/** Whether lists can be ordered by it; by a relation, through the other record's fields. */
export const isSortableType = (type: FieldType): boolean =>
  type === 'RELATION' || fieldTypeRules[type].isOrderable;

/** Adds every broken rule of a field as it would become; paths are those of `FieldInput`. */
export function checkField(rules: BrokenRules, field: FieldDefinition): void {
  checkName(rules, 'name', field.name);
  checkText(rules, 'label', field.label, maxLabelLength);
  checkText(rules, 'description', field.description, maxDescriptionLength);
  checkJson(rules, 'uiConfig', field.uiConfig, maxUiConfigLength);
  checkFlags(rules, field);
  checkOptions(rules, field);
  checkRelation(rules, field);
  if (field.validation) checkValidation(rules.below('validation.'), field.type, field.validation);
}

function checkFlags(rules: BrokenRules, field: FieldDefinition): void {
  const { canBeUnique, canBeSearched } = fieldTypeRules[field.type];
  const refuse = (flag: string): void =>
    rules.add(flag, 'type', `${flag} is not possible for a ${field.type} field`);
  if (field.isUnique && !canBeUnique) refuse('isUnique');
  if (field.isSearchable && !canBeSearched) refuse('isSearchable');
  if (field.isSortable && !isSortableType(field.type)) refuse('isSortable');
}

function checkOptions(rules: BrokenRules, field: FieldDefinition): void {
  if (!hasOptions(field.type)) {
    if (field.options)
      rules.add('options', 'type', `options are for SELECT and MULTI_SELECT, not for ${field.type}`);
    return;
  }
  const options = field.options ?? [];
  if (options.length === 0)
    rules.add('options', 'required', `a ${field.type} field needs at least one option`);
  if (options.length > maxOptions)
    rules.add(
      'options',
      'maxLength',
      `a field has at most ${maxOptions} options; these are ${options.length}`,
    );
  const values = new Set<string>();
  for (const [index, option] of options.entries()) {
    checkEnumValue(rules, `options.${index}.value`, option.value);
    checkText(rules, `options.${index}.label`, option.label, maxLabelLength);
    if (values.has(option.value))
      rules.add(`options.${index}.value`, 'unique', `the option "${option.value}" is there twice`);
    values.add(option.value);
  }
}

function checkRelation(rules: BrokenRules, field: FieldDefinition): void {
  if (field.type !== 'RELATION') {
    for (const member of ['inverseName', 'onDelete'] as const) {
      if (field[member] !== null)
        rules.add(member, 'type', `${member} is for RELATION, not for ${field.type}`);
    }
    return;
  }
  if (field.inverseName !== null) checkName(rules, 'inverseName', field.inverseName);
  if (field.isRequired && field.onDelete === 'SET_NULL') {
    rules.add(
      'onDelete',
      'required',
      'onDelete cannot be SET_NULL where the relation is required: choose RESTRICT or CASCADE',
    );
  }
}

function checkValidation(rules: BrokenRules, type: FieldType, validation: FieldValidation): void {
  const { minLength, maxLength, min, max, pattern } = validation;
  const given = (value: unknown): boolean => value !== null && value !== undefined;
  const isText = kindOf(type) === 'TEXT';
  for (const [name, value] of Object.entries({ minLength, maxLength })) {
    if (!given(value)) continue;
    if (!isText && type !== 'MULTI_SELECT')
      rules.add(name, 'type', `${name} is for texts and MULTI_SELECT, not for ${type}`);
    else if (!Number.isInteger(value) || Number(value) < 0) {
      rules.add(name, 'integer', `${name} must be a whole number from 0 up; it was ${JSON.stringify(value)}`);
    }
  }
  if (given(minLength) && given(maxLength) && Number(minLength) > Number(maxLength)) {
    rules.add('minLength', 'max', `minLength (${minLength}) is above maxLength (${maxLength})`);
  }
  if (given(pattern)) {
    if (isText) checkPattern(rules, String(pattern));
    else rules.add('pattern', 'type', `pattern is for texts, not for ${type}`);
  }
  const limits = Object.entries({ min, max }).filter(([, value]) => given(value));
  const places = limits.map(([name, value]) => checkLimit(rules, type, name, value));
  const [least, greatest] = places;
  if (typeof least === 'number' && typeof greatest === 'number' && least > greatest) {
    rules.add('min', 'max', `min (${min}) is above max (${max})`);
  }
}

/** A limit of a number field is a number, of a date field a date. Answers where it lies, null where it is none. */
function checkLimit(rules: BrokenRules, type: FieldType, name: string, value: unknown): number | null {
  if (kindOf(type) === 'NUMBER') {
    if (typeof value === 'number') return value;
    rules.add(name, 'number', `${name} must be a number; it was ${JSON.stringify(value)}`);
  } else if (kindOf(type) === 'TIME') {
    const read = type === 'DATE' ? readDate : readDateTime;
    const time = typeof value === 'string' ? read(value) : null;
    if (time !== null) return Date.parse(time);
    const form =
      type === 'DATE' ? 'a day ("2026-11-21")' : 'a date and time with its offset ("2026-11-21T08:30:00Z")';
    rules.add(name, 'date', `${name} must be ${form}; it was ${JSON.stringify(value)}`);
  } else {
    rules.add(name, 'type', `${name} is for numbers and dates, not for ${type}`);
  }
  return null;
}

function checkPattern(rules: BrokenRules, pattern: string): void {
  if (pattern.length > maxPatternLength) {
    rules.add(
      'pattern',
      'maxLength',
      `pattern must have at most ${maxPatternLength} characters; it has ${pattern.length}`,
    );
    return;
  }
  checkText(rules, 'pattern', pattern, maxPatternLength);
  try {
    compilePattern(pattern);
  } catch (error) {
    rules.add(
      'pattern',
      'pattern',
      `pattern is not a regular expression of RE2: ${(error as Error).message}`,
    );
  }
}
