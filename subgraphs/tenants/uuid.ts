/** Ids as they come from outside. */

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether `text` can be an id of ours at all: what cannot is unknown, and never reaches the database. */
export function isUuid(text: string): boolean {
  return pattern.test(text);
}
