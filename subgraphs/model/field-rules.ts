/** Whether a field's own definition makes sense: its options, its limits, its default. */
import type { FieldError } from '#schema/errors.ts';
import type { FieldDefinition } from './definition.ts';
import { checkComputedDefault } from './computed-defaults.ts';
import { ruleOf } from './field-types.ts';
import { isUnion } from './union-relations.ts';
import { readDate, readDateTime } from './values/date.ts';
import { compareDecimals, maxDecimalPrecision, readLimit } from './values/decimal.ts';
import { contentTypePattern } from './values/file.ts';
import { parseFieldValue } from './values/input.ts';
import { compilePattern, textLimits } from './values/text.ts';

const graphqlName = /^[_A-Za-z][_0-9A-Za-z]*$/;
const maxOptions = 500;
const maxPatternLength = 1_000;
const maxLabelLength = 200;
const maxContentTypes = 100;

/**
 * Broken rules of a field's type, flags, options, validation and default; names and relations are not looked at.
 * `path` is put before each ("fields.0").
 */
export function checkFieldRules(field: FieldDefinition, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const complain = (member: string, rule: string, sentence: string): void => {
    const at = path === '' ? member : `${path}.${member}`;
    errors.push({ field: at, rule, message: `${at} ${sentence}` });
  };
  checkFlags(field, complain);
  checkOptions(field, complain);
  checkLimits(field, complain);
  checkComputedDefault(field, complain);
  if (errors.length > 0 || field.defaultValue === null || field.defaultValue === undefined) return errors;
  if (field.targetEntityId !== null || field.type === 'FILE' || isUnion(field))
    complain('defaultValue', 'type', `is not possible for a ${field.type}`);
  else
    errors.push(
      ...parseFieldValue(field, field.defaultValue, path === '' ? 'defaultValue' : `${path}.defaultValue`)
        .errors,
    );
  return errors;
}

type Complain = (member: string, rule: string, sentence: string) => void;

function checkFlags(field: FieldDefinition, complain: Complain): void {
  const rule = ruleOf(field);
  if (field.isUnique && !rule.canBeUnique)
    complain('isUnique', 'type', `is not possible for a field of type ${field.type}`);
  if (field.isSearchable && !rule.canBeSearched) {
    complain('isSearchable', 'type', `is not possible for a field of type ${field.type}`);
  }
}

function checkOptions(field: FieldDefinition, complain: Complain): void {
  const hasOptions = field.type === 'SELECT' || field.type === 'MULTI_SELECT';
  if (!hasOptions) {
    if (field.options !== null)
      complain('options', 'type', `are only for SELECT and MULTI_SELECT, not for ${field.type}`);
    return;
  }
  const options = field.options ?? [];
  if (options.length === 0) complain('options', 'required', 'must hold at least one option');
  if (options.length > maxOptions) complain('options', 'maxLength', `must be at most ${maxOptions}`);
  const seen = new Set<string>();
  for (const [index, { value, label }] of options.entries()) {
    const member = `options.${index}`;
    if (!graphqlName.test(value) || value.startsWith('__') || ['true', 'false', 'null'].includes(value)) {
      complain(
        `${member}.value`,
        'name',
        'must be a GraphQL name (letters, digits and _), and not true, false, null or __…',
      );
    } else if (value.length > 100)
      complain(`${member}.value`, 'maxLength', 'must have at most 100 characters');
    if (seen.has(value)) complain(`${member}.value`, 'duplicate', `is given twice: ${value}`);
    seen.add(value);
    if (typeof label !== 'string' || label.includes('\0') || !label.isWellFormed()) {
      complain(`${member}.label`, 'characters', 'must be text without U+0000');
    } else if (label.length > maxLabelLength) {
      complain(`${member}.label`, 'maxLength', `must have at most ${maxLabelLength} characters`);
    }
  }
}

function checkLimits(field: FieldDefinition, complain: Complain): void {
  const { minLength, maxLength, min, max, pattern } = field.validation ?? {};
  const isText = field.type in textLimits;
  const hasLength = isText || field.type === 'MULTI_SELECT';
  for (const [member, value] of Object.entries({ minLength, maxLength })) {
    if (value === null || value === undefined) continue;
    if (!hasLength) complain(`validation.${member}`, 'type', `has no meaning for ${field.type}`);
    else if (!Number.isInteger(value) || value < 0)
      complain(`validation.${member}`, 'type', 'must be a whole number from 0');
  }
  if (typeof minLength === 'number' && typeof maxLength === 'number' && minLength > maxLength) {
    complain('validation.minLength', 'max', `must not be above maxLength (${maxLength})`);
  }
  const readLimitOf = limitReader(field);
  for (const [member, value] of Object.entries({ min, max })) {
    if (value === null || value === undefined) continue;
    if (!readLimitOf) complain(`validation.${member}`, 'type', `has no meaning for ${field.type}`);
    else if (readLimitOf(value) === null)
      complain(`validation.${member}`, 'type', `must be a ${field.type} value`);
  }
  checkDigits(field, complain);
  checkFileLimits(field, complain);
  const [low, high] = [readLimitOf?.(min) ?? null, readLimitOf?.(max) ?? null];
  if (low !== null && high !== null && isAbove(field, low, high))
    complain('validation.min', 'max', `must not be above max (${max})`);
  if (pattern !== null && pattern !== undefined) checkPattern(pattern, isText, field.type, complain);
}

function isAbove(field: FieldDefinition, low: number | string, high: number | string): boolean {
  if (field.type === 'DECIMAL') return compareDecimals(String(low), String(high)) > 0;
  return low > high;
}

function checkDigits(field: FieldDefinition, complain: Complain): void {
  const { precision, scale } = field.validation ?? {};
  const least = { precision: 1, scale: 0 } as const;
  for (const [member, value] of [
    ['precision', precision],
    ['scale', scale],
  ] as const) {
    if (value === null || value === undefined) continue;
    const isGood = Number.isInteger(value) && value >= least[member] && value <= maxDecimalPrecision;
    if (field.type !== 'DECIMAL')
      complain(`validation.${member}`, 'type', `has no meaning for ${field.type}`);
    else if (!isGood) {
      const range = `must be a whole number from ${least[member]} to ${maxDecimalPrecision}`;
      complain(`validation.${member}`, 'range', range);
    }
  }
  if (typeof scale === 'number' && typeof precision === 'number' && scale > precision)
    complain('validation.scale', 'max', `must not be above precision (${precision})`);
}

function checkFileLimits(field: FieldDefinition, complain: Complain): void {
  const { maxBytes, contentTypes } = field.validation ?? {};
  for (const [member, value] of Object.entries({ maxBytes, contentTypes })) {
    if (value === null || value === undefined || field.type === 'FILE') continue;
    complain(`validation.${member}`, 'type', `has no meaning for ${field.type}`);
  }
  if (field.type !== 'FILE') return;
  if (maxBytes !== null && maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= 1))
    complain('validation.maxBytes', 'range', 'must be a whole number from 1');
  if (contentTypes === null || contentTypes === undefined) return;
  if (contentTypes.length === 0 || contentTypes.length > maxContentTypes)
    complain('validation.contentTypes', 'maxLength', `must hold 1 to ${maxContentTypes} media types`);
  for (const [index, type] of contentTypes.entries()) {
    if (typeof type === 'string' && contentTypePattern.test(type)) continue;
    complain(
      `validation.contentTypes.${index}`,
      'contentType',
      'must be a media type in lower case, such as image/png, or image/* for all of a kind',
    );
  }
}

function limitReader(field: FieldDefinition): ((value: unknown) => number | string | null) | null {
  if (field.type === 'INTEGER' || field.type === 'NUMBER') {
    return (value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  }
  if (field.type === 'DECIMAL') return readLimit;
  if (field.type === 'DATE') return (value) => (typeof value === 'string' ? readDate(value) : null);
  if (field.type === 'DATETIME') return (value) => (typeof value === 'string' ? readDateTime(value) : null);
  return null;
}

function checkPattern(pattern: unknown, isText: boolean, type: string, complain: Complain): void {
  if (!isText) return complain('validation.pattern', 'type', `has no meaning for ${type}`);
  if (
    typeof pattern !== 'string' ||
    pattern.length > maxPatternLength ||
    pattern.includes('\0') ||
    !pattern.isWellFormed()
  ) {
    return complain('validation.pattern', 'type', `must be text of at most ${maxPatternLength} characters`);
  }
  try {
    compilePattern(pattern);
  } catch (error) {
    complain(
      'validation.pattern',
      'pattern',
      `is not in RE2's syntax: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
