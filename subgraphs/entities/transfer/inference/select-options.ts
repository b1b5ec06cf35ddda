/** Options for a column of few, repeated texts. */
import type { FieldOption } from '#subgraphs/model/definition.ts';

/** More different texts than this are no choice. */
export const maxChoices = 50;
const maxLabelLength = 40;
/** Each choice stands in the file at least so often, on average. */
const minRepeats = 5;

/** "PG-13" → `PG_13`; null where nothing of the text can stand in a name. */
export function optionValue(text: string): string | null {
  const name = text
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toUpperCase();
  if (name === '') return null;
  return /^\d/.test(name) ? `_${name}` : name;
}

/**
 * Options for these texts with how often each stands in the file, in order of the texts; null where the column is better
 * left as text: too many of them, too few repeats, long ones, or ones that make no name.
 */
export function proposeOptions(counts: ReadonlyMap<string, number>): FieldOption[] | null {
  const rows = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (counts.size < 2 || counts.size > maxChoices || rows < counts.size * minRepeats) return null;
  const options: FieldOption[] = [];
  const taken = new Set<string>();
  for (const label of [...counts.keys()].toSorted()) {
    const base = optionValue(label);
    if (base === null || !isLabel(label)) return null;
    let value = base;
    for (let number = 2; taken.has(value); number++) value = `${base}_${number}`;
    taken.add(value);
    options.push({ value, label });
  }
  return options;
}

function isLabel(text: string): boolean {
  return (
    text.length <= maxLabelLength && text.trim() === text && text.isWellFormed() && !/\p{Cc}/u.test(text)
  );
}
