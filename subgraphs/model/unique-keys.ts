/** Uniqueness: the hash by which two values of a unique field are the same. */
import { createHash } from 'node:crypto';
import type { FieldDefinition } from './definition.ts';

/**
 * SHA-256 of the field's value, as hexadecimal. Text counts in its composed form (NFC), e-mail addresses without
 * regard to case; everything else exactly. `stored` is not null: what has no value has no key.
 */
export function uniqueHash(field: Pick<FieldDefinition, 'type'>, stored: unknown): string {
  return createHash('sha256').update(normalise(field.type, stored)).digest('hex');
}

function normalise(type: FieldDefinition['type'], stored: unknown): string {
  if (typeof stored !== 'string') return JSON.stringify(stored);
  const text = stored.normalize('NFC');
  return type === 'EMAIL' ? text.toLowerCase() : text;
}
