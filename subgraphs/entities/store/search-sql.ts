/** `search`: every word, folded, is contained in the record's search text. */
import { invalidField } from '#schema/errors.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { foldText } from '#subgraphs/model/fold.ts';
import { isStorableText } from '#subgraphs/model/values/report.ts';

export const searchLimits = { length: 500, words: 20 } as const;

/** The condition; null where nothing is searched for. Throws BAD_USER_INPUT for a search that is too long. */
export function searchSql(
  alias: string,
  search: string | null | undefined,
  parameters: SqlParameters,
): string | null {
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
  if (words.length === 0) return null;
  return `(${words.map((word) => `strpos(${alias}.search, ${parameters.add(word, 'text')}) > 0`).join(' and ')})`;
}
