/**
 * `search`: every word, folded, is contained in the record's search text. Records are found by a function that may use
 * the index on it (`search_records`; under row-level security nobody else's condition may), and ranked by another.
 */
import { createHash } from 'node:crypto';
import { invalidField } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { EntityAccess } from '#subgraphs/model/permissions/access.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import { foldText } from '#subgraphs/model/fold.ts';
import { isStorableText } from '#subgraphs/model/values/report.ts';
import type { SqlKey } from './order-sql.ts';

export const searchLimits = { length: 500, words: 20 } as const;

/** The folded words; null where nothing is searched for. Throws BAD_USER_INPUT for a search that is too long. */
export function parseSearch(search: string | null | undefined): readonly string[] | null {
  if (!search) return null;
  if (search.length > searchLimits.length) {
    throw invalidField('search', 'maxLength', `search must have at most ${searchLimits.length} characters`);
  }
  isStorableText(search, (rule, sentence) => {
    throw invalidField('search', rule, `search ${sentence}`);
  });
  const words = [
    ...new Set(
      foldText(search)
        .split(/\s+/u)
        .filter((word) => word !== ''),
    ),
  ];
  if (words.length > searchLimits.words) {
    throw invalidField('search', 'words', `search must have at most ${searchLimits.words} words`);
  }
  return words.length === 0 ? null : words;
}

/** The keys of the fields that a search looks into where some that are searchable are hidden; null where none is. */
export function searchedKeys(entity: EntityDefinition, access: EntityAccess): readonly string[] | null {
  if (!access.isRestricted) return null;
  const all = entity.fields.filter((field) => field.isSearchable);
  const searched = all.filter((field) => access.mayRead(field));
  return searched.length === all.length ? null : searched.map((field) => field.key);
}

/** The condition on a row of `records`; with keys only these fields are looked into. */
export function searchSql(
  row: SqlRow,
  words: readonly string[],
  keys: readonly string[] | null,
  parameters: SqlParameters,
): string {
  const entity = parameters.add(row.entity.id, 'uuid');
  const where = keys === null ? '' : `, ${parameters.add(keys, 'text[]')}`;
  // An array, so that every plan looks the records up by their keys, however few it was made for.
  return `(${row.alias}.id = any(array(select search_records(${entity}, ${parameters.add(words, 'text[]')}${where}))))`;
}

/** The key by which the best answers come first: exact words, then words that begin so, then substrings. */
export function rankKey(
  row: SqlRow,
  words: readonly string[],
  keys: readonly string[] | null,
  parameters: SqlParameters,
): SqlKey {
  const { alias } = row;
  const text =
    keys === null
      ? `${alias}.search`
      : `search_part(${alias}.search, ${alias}.search_parts, ${alias}.version, ${parameters.add(keys, 'text[]')})`;
  return {
    sql: `search_rank(${text}, ${parameters.add(words, 'text[]')})`,
    type: 'int4',
    isDescending: true,
    areNullsFirst: false,
    isNullable: false,
    slot: null,
  };
}

/** Tells a ranked list's cursors apart from those of other searches and orders. */
export function rankSignature(
  entity: EntityDefinition,
  words: readonly string[],
  keys: readonly string[] | null,
): string {
  return createHash('sha256')
    .update(JSON.stringify([entity.id, 'search', words, ...(keys === null ? [] : [keys])]))
    .digest('base64url')
    .slice(0, 8);
}
