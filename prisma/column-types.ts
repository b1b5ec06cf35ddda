/** How columns become JavaScript values: int8 → number, timestamptz → Date, json and jsonb → object, uuid and text → string. */
import pg from 'pg';

const int8 = 20;

/** A number where it is exact, else the digits as they are: no value is ever rounded. */
function parseInt8(text: string): number | string {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : text;
}

export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === int8 && format !== 'binary') return parseInt8;
    return pg.types.getTypeParser(oid, format);
  }) as typeof pg.types.getTypeParser,
};
