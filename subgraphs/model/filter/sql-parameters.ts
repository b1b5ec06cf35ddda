/** The parameters of a statement under construction: values never become part of its text. */

export type SqlType =
  | 'uuid'
  | 'uuid[]'
  | 'text'
  | 'text[]'
  | 'float8'
  | 'float8[]'
  | 'numeric'
  | 'numeric[]'
  | 'timestamptz'
  | 'timestamptz[]'
  | 'int4'
  | 'int4[]'
  | 'jsonb'
  | 'bytea[]';

export interface SqlParameters {
  readonly values: unknown[];
  /** Adds a value and gives its place, cast: `$3::uuid`. The same id twice is one parameter. */
  add(value: unknown, type: SqlType): string;
}

export function createSqlParameters(): SqlParameters {
  const values: unknown[] = [];
  const uuids = new Map<unknown, string>();
  return {
    values,
    add(value, type) {
      const known = type === 'uuid' ? uuids.get(value) : undefined;
      if (known !== undefined) return known;
      const place = `$${values.push(value)}::${type}`;
      if (type === 'uuid') uuids.set(value, place);
      return place;
    },
  };
}

/** A text as an SQL literal; for names out of definitions, which no parameter can hold. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
