/** An order's keys in SQL, and the conditions that begin or end a page at a cursor. */
import type { SqlParameters, SqlType } from '#subgraphs/model/filter/sql-parameters.ts';
import { orderKeySql, slotSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import type { OrderKey } from '../filters/list-order.ts';
import type { CursorValue, CursorValueType } from '../filters/list-cursor.ts';
import { createRelationJoins, type JoinScope } from './relation-joins.ts';

export interface SqlKey {
  readonly sql: string;
  readonly type: SqlType;
  readonly isDescending: boolean;
  readonly areNullsFirst: boolean;
  readonly isNullable: boolean;
  /** A slot of the listed record itself, whose index holds only the records that have a value. */
  readonly slot: string | null;
}

export interface OrderSql {
  readonly keys: readonly SqlKey[];
  /** Joins that the keys need, each beginning with a space. */
  readonly joins: string;
}

const systemKeys = {
  id: { column: 'id', type: 'uuid', isNullable: false },
  version: { column: 'version', type: 'int4', isNullable: false },
  createdAt: { column: 'created_at', type: 'timestamptz', isNullable: false },
  updatedAt: { column: 'updated_at', type: 'timestamptz', isNullable: false },
  deletedAt: { column: 'deleted_at', type: 'timestamptz', isNullable: true },
} as const;

/** `row` is the listed record; a relation's record is joined once, however many keys look at it. */
export function buildOrderSql(keys: readonly OrderKey[], row: SqlRow, scope: JoinScope): OrderSql {
  const { parameters } = scope;
  const joins = createRelationJoins(row, scope);
  const sqlKeys = keys.flatMap((key): SqlKey[] => {
    const at = joins.follow(key.relations);
    const { isDescending, areNullsFirst } = key;
    const isJoined = at !== row;
    if (typeof key.subject === 'string') {
      const { column, type, isNullable } = systemKeys[key.subject];
      return [
        {
          sql: `${at.alias}.${column}`,
          type,
          isDescending,
          areNullsFirst,
          isNullable: isNullable || isJoined,
          slot: null,
        },
      ];
    }
    const { sql, type } = orderKeySql(at, key.subject, parameters);
    // A required field may have come after its records: only system columns are never null.
    const directed = { isDescending, areNullsFirst, isNullable: true };
    const slot = isJoined ? null : key.subject.slot;
    const slotKey = slotSql(at, key.subject);
    if (key.subject.type !== 'DECIMAL' || slotKey === null) return [{ sql, type, ...directed, slot }];
    // The slot's index brings them nearly in order; the exact numbers part those that are the same double.
    return [
      { sql: slotKey, type: 'float8', ...directed, slot },
      { sql, type, ...directed, slot: null },
    ];
  });
  return { keys: sqlKeys, joins: joins.sql() };
}

/** The same keys read from the list's other end. */
export function reverseKeys(keys: readonly SqlKey[]): SqlKey[] {
  return keys.map((key) => ({ ...key, isDescending: !key.isDescending, areNullsFirst: !key.areNullsFirst }));
}

export function orderBySql(keys: readonly SqlKey[]): string {
  return keys
    .map((key) => {
      const nulls = key.isNullable ? ` nulls ${key.areNullsFirst ? 'first' : 'last'}` : '';
      return `${key.sql} ${key.isDescending ? 'desc' : 'asc'}${nulls}`;
    })
    .join(', ');
}

/** What a cursor holds for a key. */
export function cursorTypeOf(key: SqlKey): CursorValueType {
  if (key.type === 'uuid') return 'id';
  if (key.type === 'timestamptz') return 'time';
  if (key.type === 'numeric') return 'decimal';
  return key.type === 'text' ? 'text' : 'number';
}

/** A key's value in a row as a cursor holds it. */
export function toCursorValue(value: unknown): CursorValue {
  return value instanceof Date ? value.toISOString() : ((value ?? null) as CursorValue);
}

/** Records that come after (by `keys`) the place that `values` name: true for them, false or null for the others. */
export function afterSql(
  keys: readonly SqlKey[],
  values: readonly CursorValue[],
  parameters: SqlParameters,
): string {
  const [first] = keys;
  const places = keys.map((key, i) => (values[i] === null ? null : parameters.add(values[i], key.type)));
  const isPlain = keys.every(
    (key, i) => !key.isNullable && places[i] !== null && key.isDescending === first?.isDescending,
  );
  // One row comparison is one range of an index.
  if (isPlain) {
    return `(${keys.map((key) => key.sql).join(', ')}) ${first?.isDescending ? '<' : '>'} (${places.join(', ')})`;
  }
  const alternatives = keys.flatMap((key, i) => {
    const isAfter = isAfterSql(key, places[i] ?? null);
    if (isAfter === null) return [];
    const areEqual = keys
      .slice(0, i)
      .map((earlier, j) => (places[j] === null ? `${earlier.sql} is null` : `${earlier.sql} = ${places[j]}`));
    return [`(${[...areEqual, isAfter].join(' and ')})`];
  });
  return alternatives.length === 0 ? 'false' : `(${alternatives.join(' or ')})`;
}

/** Null: nothing comes after. */
function isAfterSql(key: SqlKey, place: string | null): string | null {
  if (place === null) return key.areNullsFirst ? `${key.sql} is not null` : null;
  const isBeyond = `${key.sql} ${key.isDescending ? '<' : '>'} ${place}`;
  return key.isNullable && !key.areNullsFirst ? `(${isBeyond} or ${key.sql} is null)` : isBeyond;
}
