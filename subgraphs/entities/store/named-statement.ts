/** Statements that come again and again are prepared, once on each connection. */
import { createHash } from 'node:crypto';
import type { Statement } from '#prisma/record-database.ts';
import { LRUCache } from 'lru-cache';

/**
 * Each name is a plan kept on every connection for as long as it lives (some 100 kB of the server's memory), so there
 * are only so many, and a shape gets one when it comes for the third time.
 */
const maxNames = 250;
const usesBeforeName = 3;
const names = new Map<string, string>();
const uses = new LRUCache<string, number>({ max: 2_000 });

/**
 * The statement, with a name where its text is a frequent one. A prepared plan may have been made when the tables were
 * all but empty, and stays until they are analysed: the shapes named here look records up by whole keys, one at a time
 * (`lateral` with a limit), so that no plan for few rows is a bad one for many.
 */
export function nameStatement(text: string, values: unknown[]): Statement {
  const name = names.get(text) ?? claimName(text);
  return name === undefined ? { text, values } : { name, text, values };
}

function claimName(text: string): string | undefined {
  if (names.size >= maxNames) return undefined;
  const count = (uses.get(text) ?? 0) + 1;
  uses.set(text, count);
  if (count < usesBeforeName) return undefined;
  const name = `records_${createHash('sha256').update(text).digest('base64url').slice(0, 22)}`;
  names.set(text, name);
  uses.delete(text);
  return name;
}
