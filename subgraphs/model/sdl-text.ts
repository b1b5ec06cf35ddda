/** Writing SDL from definitions, whose descriptions hold any text. */

/** A description and a line break, or nothing where there is no text. Any text is safe in it. */
export function describe(text: string | null, indent = ''): string {
  if (!text) return '';
  // A quoted string, not a block: its escapes are JSON's, and no text can end it.
  return `${indent}${JSON.stringify(text.toWellFormed())}\n`;
}
