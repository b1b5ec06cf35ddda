/** What callers hand in to start and resume transfers: the input types of schema/transfers.graphql, checked. */
import { type FieldError, invalidInput } from '#schema/errors.ts';
import { defaultExportSettings, type ExportSettings } from './export/export-settings.ts';
import type { TransferFormat } from './formats/source-row.ts';
import type { ColumnMapping } from './import/column-mapping.ts';
import {
  defaultImportSettings,
  type ErrorRule,
  type ImportMode,
  type ImportSettings,
} from './import/import-settings.ts';
import { type DateFormat, dateFormats } from './values/date-formats.ts';

export interface ColumnMappingInput {
  readonly column: string;
  readonly field?: string | null;
  readonly dateFormat?: string | null;
  readonly nullTexts?: readonly string[] | null;
}

export interface ImportOptionsInput {
  readonly entity?: string | null;
  readonly columns?: readonly ColumnMappingInput[] | null;
  readonly mode?: ImportMode | null;
  readonly upsertOn?: string | null;
  readonly onError?: ErrorRule | null;
  readonly dryRun?: boolean | null;
  readonly nullTexts?: readonly string[] | null;
  readonly delimiter?: string | null;
}

export interface StartImportInput extends ImportOptionsInput {
  readonly format?: TransferFormat | null;
  readonly fileName?: string | null;
}

export interface StartExportInput {
  readonly entity: string;
  readonly format: TransferFormat;
  readonly fields?: readonly string[] | null;
  readonly filter?: Readonly<Record<string, unknown>> | null;
  readonly search?: string | null;
  readonly labels?: boolean | null;
  readonly delimiter?: string | null;
}

const maxTexts = 50;
const maxTextLength = 200;
const maxMappings = 1_000;

/** The settings `before` with what the input says; what is absent stays. Throws BAD_USER_INPUT. */
export function readImportSettings(
  input: ImportOptionsInput,
  before: Partial<ImportSettings> = {},
): ImportSettings {
  const errors: FieldError[] = [];
  const columns = input.columns?.map((mapping, index) => readMapping(mapping, `columns.${index}`, errors));
  if ((columns?.length ?? 0) > maxMappings)
    complain(errors, 'columns', 'maxLength', `must hold at most ${maxMappings}`);
  checkTexts(errors, 'nullTexts', input.nullTexts);
  checkDelimiter(errors, input.delimiter);
  const base = { ...defaultImportSettings, ...before };
  const settings: ImportSettings = {
    mode: input.mode ?? base.mode,
    upsertOn: input.upsertOn === undefined ? base.upsertOn : input.upsertOn,
    columns: columns ?? base.columns,
    nullTexts: input.nullTexts ?? base.nullTexts,
    onError: input.onError ?? base.onError,
    isDryRun: input.dryRun ?? base.isDryRun,
    delimiter: input.delimiter === undefined ? base.delimiter : input.delimiter,
  };
  if (settings.mode === 'UPSERT' && settings.upsertOn === null) {
    complain(
      errors,
      'upsertOn',
      'required',
      'is required with the mode UPSERT: the unique field or group by which a record is known',
    );
  }
  checkStorable(errors, input);
  if (errors.length > 0) throw invalidInput(errors);
  return settings;
}

/** Throws BAD_USER_INPUT. */
export function readExportSettings(input: StartExportInput): ExportSettings {
  const errors: FieldError[] = [];
  checkDelimiter(errors, input.delimiter);
  if ((input.fields?.length ?? 0) > maxMappings)
    complain(errors, 'fields', 'maxLength', `must hold at most ${maxMappings}`);
  const { filter = null } = input;
  if (filter !== null && (typeof filter !== 'object' || Array.isArray(filter))) {
    complain(errors, 'filter', 'type', "must be an object, as the entity's own filter input");
  }
  checkStorable(errors, input);
  if (errors.length > 0) throw invalidInput(errors);
  return {
    ...defaultExportSettings,
    fields: input.fields ?? [],
    filter,
    search: input.search ?? null,
    usesLabels: input.labels ?? false,
    delimiter: input.delimiter ?? null,
  };
}

/** From `movies.csv.gz` to CSV; null where the name tells nothing. */
export function formatOfName(fileName: string | null | undefined): TransferFormat | null {
  const ending = /\.([a-z]+)(?:\.gz)?$/i.exec(fileName ?? '')?.[1]?.toLowerCase();
  if (ending === 'csv' || ending === 'tsv' || ending === 'txt') return 'CSV';
  if (ending === 'json') return 'JSON';
  return ending === 'ndjson' || ending === 'jsonl' ? 'NDJSON' : null;
}

function readMapping(mapping: ColumnMappingInput, path: string, errors: FieldError[]): ColumnMapping {
  const { column, field = null, dateFormat = null, nullTexts = null } = mapping;
  if (dateFormat !== null && !(dateFormats as readonly string[]).includes(dateFormat)) {
    complain(errors, `${path}.dateFormat`, 'format', `must be one of ${dateFormats.join(', ')}`);
  }
  checkTexts(errors, `${path}.nullTexts`, nullTexts);
  return {
    column,
    field,
    ...(dateFormat === null ? {} : { dateFormat: dateFormat as DateFormat }),
    ...(nullTexts === null ? {} : { nullTexts }),
  };
}

function checkTexts(errors: FieldError[], path: string, texts: readonly string[] | null | undefined): void {
  if (!texts) return;
  if (texts.length > maxTexts) complain(errors, path, 'maxLength', `must hold at most ${maxTexts} texts`);
  if (texts.some((text) => text.length > maxTextLength || text.includes('\0'))) {
    complain(errors, path, 'text', `must hold texts of at most ${maxTextLength} characters`);
  }
}

function checkDelimiter(errors: FieldError[], delimiter: string | null | undefined): void {
  if (delimiter === null || delimiter === undefined) return;
  if (delimiter.length === 1 && !/["\r\n\0]/.test(delimiter)) return;
  complain(errors, 'delimiter', 'length', 'must be one character, and no quote or line end');
}

/** Settings are kept as JSON, which holds no U+0000 and no half of a surrogate pair. */
function checkStorable(errors: FieldError[], input: object): void {
  for (const [name, value] of Object.entries(input)) {
    let isGood = true;
    JSON.stringify(value, (key, member: unknown) => {
      for (const text of [key, member]) {
        if (typeof text === 'string' && (text.includes('\0') || !text.isWellFormed())) isGood = false;
      }
      return member;
    });
    if (!isGood) complain(errors, name, 'characters', 'holds a character that cannot be stored');
  }
}

function complain(errors: FieldError[], field: string, rule: string, sentence: string): void {
  errors.push({ field, rule, message: `${field} ${sentence}` });
}
