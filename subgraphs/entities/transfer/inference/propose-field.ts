/** From what was seen of a column to a field that holds all of it. */
import type { FieldInput } from '../../definitions/definition-input.ts';
import type { FieldOption, FieldType } from '#subgraphs/model/definition.ts';
import { fieldTypeRules } from '#subgraphs/model/field-types.ts';
import { textLimits } from '#subgraphs/model/values/text.ts';
import type { DateFormat } from '../values/date-formats.ts';
import type { ColumnProfile } from './column-profile.ts';
import { proposeOptions } from './select-options.ts';

export interface FieldProposal {
  readonly field: FieldInput;
  /** How the column's days are written; null where they are ISO 8601, or none. */
  readonly dateFormat: DateFormat | null;
  /** Texts in the column that mean no value. */
  readonly nullTexts: readonly string[];
}

/** Longer texts are prose. UTF-16 units. */
const maxShortText = 500;
/** Fewer rows with different values may be chance. */
const minKeyRows = 20;
/** A column that is called so is a key also where there are few rows. */
const keyName = /(?:^|[^a-z])(?:id|key|code|number|nr|no|sku|ean|isbn|uuid|slug)$/i;

/** `rows`: of the whole file, also those without a value in the column. */
export function proposeField(profile: ColumnProfile, name: string, rows: number): FieldProposal {
  const { type, options, dateFormat, usesNullTexts } = chooseType(profile);
  const nullTexts = usesNullTexts ? profile.nullTexts : [];
  const isFull = profile.values === rows && nullTexts.length === 0;
  const isUnique = isFull && profile.isDistinct && looksLikeKey(profile, type, rows);
  return {
    field: {
      name,
      label: labelOf(profile.column),
      type,
      isRequired: rows > 0 && isFull,
      isUnique,
      ...(options ? { options } : {}),
    },
    dateFormat: dateFormat === 'YYYY-MM-DD' ? null : dateFormat,
    nullTexts,
  };
}

function labelOf(column: string): string | null {
  const label = column.replaceAll('\0', '').toWellFormed().trim();
  return label !== '' && label.length <= 200 ? label : null;
}

/** Of a column whose values are all different. Measurements and names are so by chance, and other rows will come. */
function looksLikeKey(profile: ColumnProfile, type: FieldType, rows: number): boolean {
  if (!fieldTypeRules[type].canBeUnique || rows < 2) return false;
  const isNamedSo = keyName.test(profile.column) || /[a-z](?:Id|ID|Key|Code)$/.test(profile.column);
  if (type === 'INTEGER') return isNamedSo;
  if (type === 'TEXT') return isNamedSo || (rows >= minKeyRows && !profile.hasSpaces);
  return (type === 'EMAIL' || type === 'URL' || type === 'PHONE') && rows >= minKeyRows;
}

interface Choice {
  type: FieldType;
  options: FieldOption[] | null;
  dateFormat: DateFormat | null;
  /** Whether "NA" and the like are no values here: they are where all else is of a type that has no such word. */
  usesNullTexts: boolean;
}

function chooseType(profile: ColumnProfile): Choice {
  const choose = (type: FieldType, more: Partial<Choice> = {}): Choice => ({
    type,
    options: null,
    dateFormat: null,
    usesNullTexts: false,
    ...more,
  });
  const { values, numbers, integers, booleans, textLists, structures, texts } = profile;
  if (values === 0) return choose('TEXT');
  if (structures > 0) return choose('JSON');
  if (textLists > 0) {
    const options = textLists === values && profile.choices ? proposeOptions(profile.choices) : null;
    return options ? choose('MULTI_SELECT', { options }) : choose('JSON');
  }
  const hasNullTexts = profile.nullTexts.length > 0;
  const [fitting] = profile.candidates;
  const hasOnlyNullTexts = texts > 0 && hasNullTexts && countNullTexts(profile) === texts;
  if (texts === 0 || hasOnlyNullTexts) {
    const usesNullTexts = hasOnlyNullTexts;
    if (booleans === values - (hasOnlyNullTexts ? texts : 0) && booleans > 0)
      return choose('BOOLEAN', { usesNullTexts });
    if (numbers > 0 && booleans === 0)
      return choose(integers === numbers ? 'INTEGER' : 'NUMBER', { usesNullTexts });
    return choose('TEXT');
  }
  if (texts === values && fitting) {
    return choose(fitting.type, { dateFormat: fitting.dateFormat, usesNullTexts: hasNullTexts });
  }
  const options = texts === values && profile.choices ? proposeOptions(profile.choices) : null;
  if (options) return choose('SELECT', { options });
  const isProse = profile.hasLineEnds || profile.maxLength > Math.min(maxShortText, textLimits.TEXT);
  return choose(isProse ? 'LONG_TEXT' : 'TEXT');
}

/** How many of the texts say "no value", as far as it is known. */
function countNullTexts(profile: ColumnProfile): number {
  if (!profile.choices) return 0;
  let count = 0;
  for (const [text, times] of profile.choices) if (profile.nullTexts.includes(text.trim())) count += times;
  return count;
}
