/** What is seen of one column while a file is read: enough to propose a field, in bounded memory. */
import { createHash } from 'node:crypto';
import { isInt32, type TypeCandidate, typeCandidates } from './type-candidates.ts';
import { maxChoices } from './select-options.ts';

export interface ColumnProfile {
  readonly column: string;
  /** Rows with a value. */
  readonly values: number;
  /** JSON values that are no text. */
  readonly numbers: number;
  readonly integers: number;
  readonly booleans: number;
  readonly textLists: number;
  readonly structures: number;
  readonly texts: number;
  /** UTF-16 units of the longest text. */
  readonly maxLength: number;
  readonly hasLineEnds: boolean;
  /** Whether some text has a space within. */
  readonly hasSpaces: boolean;
  /** What every text fits, the narrowest first; texts that say "no value" aside. */
  readonly candidates: readonly TypeCandidate[];
  /** Texts that usually say "no value", as they were found. */
  readonly nullTexts: readonly string[];
  /** How often each text (or item of a list of texts) stands there; null where there are too many different ones. */
  readonly choices: ReadonlyMap<string, number> | null;
  /** No value stands there twice. False also where there were too many to remember. */
  readonly isDistinct: boolean;
}

/** What spreadsheets and statisticians write where there is nothing. */
const nullWords = new Set(['na', 'n/a', '#n/a', 'null', 'nil', 'none', 'nan', '-', '--', '?']);
const maxNullTexts = 5;
/** A longer text is remembered by its hash. */
const maxRememberedLength = 40;

export interface DistinctBudget {
  /** How many values all columns together may still remember. */
  left: number;
}

export interface ColumnObserver {
  add(value: unknown): void;
  finish(): ColumnProfile;
}

/** `isTextOnly`: the file's format knows nothing but text. */
export function observeColumn(column: string, isTextOnly: boolean, budget: DistinctBudget): ColumnObserver {
  const counts = { values: 0, numbers: 0, integers: 0, booleans: 0, textLists: 0, structures: 0, texts: 0 };
  let maxLength = 0;
  let hasLineEnds = false;
  let hasSpaces = false;
  let candidates = typeCandidates.filter((candidate) => isTextOnly || !candidate.isPlain);
  const nullTexts = new Set<string>();
  let choices: Map<string, number> | null = new Map();
  let distinct: Set<string> | null = new Set();

  function addText(text: string): void {
    counts.texts += 1;
    maxLength = Math.max(maxLength, text.length);
    hasLineEnds ||= /[\r\n]/.test(text);
    hasSpaces ||= /\s/.test(text.trim());
    addChoice(text);
    const trimmed = text.trim();
    if (nullWords.has(trimmed.toLowerCase()) && (nullTexts.has(trimmed) || nullTexts.size < maxNullTexts)) {
      nullTexts.add(trimmed);
    } else if (candidates.length > 0) {
      candidates = candidates.filter((candidate) => candidate.fits(trimmed));
    }
  }

  function addChoice(text: string): void {
    if (!choices) return;
    choices.set(text, (choices.get(text) ?? 0) + 1);
    if (choices.size > maxChoices) choices = null;
  }

  function addDistinct(value: unknown): void {
    if (!distinct) return;
    if (typeof value === 'object') {
      // No key is a document.
      distinct = null;
      return;
    }
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    const key =
      text.length > maxRememberedLength
        ? createHash('sha1').update(text).digest('base64')
        : `${typeof value} ${text}`;
    const isNew = !distinct.has(key);
    if (isNew && budget.left > 0) {
      distinct.add(key);
      budget.left -= 1;
      return;
    }
    budget.left += distinct.size;
    distinct = null;
  }

  return {
    add(value) {
      if (value === null || value === undefined) return;
      if (typeof value === 'string' && value.trim() === '') return;
      counts.values += 1;
      addDistinct(value);
      if (typeof value === 'string') return addText(value);
      if (typeof value === 'number') {
        counts.numbers += 1;
        if (isInt32(value)) counts.integers += 1;
      } else if (typeof value === 'boolean') {
        counts.booleans += 1;
      } else if (
        Array.isArray(value) &&
        value.length > 0 &&
        value.every((item) => typeof item === 'string')
      ) {
        counts.textLists += 1;
        for (const item of value) addChoice(item);
      } else {
        counts.structures += 1;
      }
    },
    finish: () => ({
      column,
      ...counts,
      maxLength,
      hasLineEnds,
      hasSpaces,
      candidates,
      nullTexts: [...nullTexts],
      choices,
      isDistinct: distinct !== null,
    }),
  };
}
