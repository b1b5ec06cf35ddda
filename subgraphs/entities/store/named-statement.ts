/** Statements of the same text are prepared once on each connection. */
import { createHash } from 'node:crypto';
import type { Statement } from '#prisma/record-database.ts';

/**
 * Each name is a plan kept on every connection, for as long as it lives: the shapes that come first get names, and
 * those after them are planned each time.
 */
const maxNames = 500;
const names = new Map<string, string>();

/**
 * The statement, with a name while there are names left. A prepared plan may have been made when the tables were all but
 * empty, and stays until they are analysed: the shapes named here look records up by whole keys, one at a time (`lateral`
 * with a limit), so that no plan for few rows is a bad one for many.
 */
export function nameStatement(text: string, values: unknown[]): Statement {
  let name = names.get(text);
  if (name === undefined) {
    if (names.size >= maxNames) return { text, values };
    name = `records_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
    names.set(text, name);
  }
  return { name, text, values };
}
