/** How a value's parser says what is wrong: the name of the rule, and a sentence that goes on after the field's name ("must be …"). */
export type Report = (rule: string, sentence: string) => void;

/** A value for a message: short, and never more than its beginning. */
export function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return `"${text.length > 40 ? `${text.slice(0, 40).toWellFormed()}…` : text}"`;
}

/** False, and reported, for text that storage cannot hold exactly: U+0000, or half of a surrogate pair. */
export function isStorableText(text: string, report: Report): boolean {
  if (text.includes('\0')) report('characters', 'holds the character U+0000, which cannot be stored');
  else if (!text.isWellFormed()) report('characters', 'holds half of a surrogate pair, which is no text');
  else return true;
  return false;
}
