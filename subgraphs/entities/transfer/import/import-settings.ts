/** What an import was asked to do; kept with its transfer. */
import type { ColumnMapping } from './column-mapping.ts';

export const importModes = ['CREATE', 'UPSERT'] as const;
export type ImportMode = (typeof importModes)[number];

/** CONTINUE: rows that are refused are reported, the others written. STOP: the import ends at the first of them. */
export const errorRules = ['CONTINUE', 'STOP'] as const;
export type ErrorRule = (typeof errorRules)[number];

export interface ImportSettings {
  readonly mode: ImportMode;
  /** UPSERT: the unique field by which a record is known. */
  readonly upsertOn: string | null;
  readonly columns: readonly ColumnMapping[];
  /** Texts that mean no value, in any column. */
  readonly nullTexts: readonly string[];
  readonly onError: ErrorRule;
  /** Everything is checked and nothing is written. */
  readonly isDryRun: boolean;
  /** CSV; null: found out. */
  readonly delimiter: string | null;
}

export const defaultImportSettings: ImportSettings = {
  mode: 'CREATE',
  upsertOn: null,
  columns: [],
  nullTexts: [],
  onError: 'CONTINUE',
  isDryRun: false,
  delimiter: null,
};
