/** A place in an ordered list: the values of its order's keys there, the id last. It needs no record to stay in place. */
import { invalidField } from '#schema/errors.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { readDateTime } from '#subgraphs/model/values/date.ts';
import { readDecimal } from '#subgraphs/model/values/decimal.ts';

/** What a key's values are: `time` is ISO text in UTC with milliseconds, `decimal` a number as text. */
export type CursorValueType = 'text' | 'number' | 'decimal' | 'time' | 'id';
export type CursorValue = string | number | null;

/** Opaque to its reader; base64url. */
export function encodeListCursor(signature: string, values: readonly CursorValue[]): string {
  return Buffer.from(JSON.stringify([signature, ...values])).toString('base64url');
}

/** The values of a cursor. Throws BAD_USER_INPUT where it is none of ours, or was made for another order. */
export function decodeListCursor(
  cursor: string,
  signature: string,
  types: readonly CursorValueType[],
  argument: 'after' | 'before',
): CursorValue[] {
  const parts = readParts(cursor);
  if (!parts) throw invalidField(argument, 'cursor', `${argument} is not a cursor of a list`);
  const [madeFor, ...values] = parts;
  const isOurs =
    madeFor === signature &&
    values.length === types.length &&
    types.every((type, i) => isOfType(values[i], type));
  if (!isOurs)
    throw invalidField(
      argument,
      'cursor',
      `${argument} is the cursor of a list that is ordered in another way`,
    );
  return values as CursorValue[];
}

function readParts(cursor: string): unknown[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parts) && typeof parts[0] === 'string' ? parts : null;
  } catch {
    return null;
  }
}

function isOfType(value: unknown, type: CursorValueType): boolean {
  if (type === 'id') return readId(value) !== null;
  if (value === null) return true;
  if (type === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (typeof value !== 'string') return false;
  if (type === 'decimal') return readDecimal(value) !== null;
  return type === 'time' ? readDateTime(value) === value : !value.includes('\0') && value.isWellFormed();
}
