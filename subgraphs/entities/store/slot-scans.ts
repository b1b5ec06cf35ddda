/** A page in order of a slot, by the slot's partial index. */
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { CursorValue } from '../filters/list-cursor.ts';
import { listed, selectSql } from './listing.ts';
import type { Listing } from './listing.ts';
import { masksWithout } from './null-masks.ts';
import { afterSql, orderBySql, reverseKeys } from './order-sql.ts';
import type { SqlKey } from './order-sql.ts';
import { recordColumns } from './record-row.ts';

/** One part of a list: its whole query, and the common table expressions that it needs, each after a comma. */
interface Scan {
  readonly tables: string;
  query(columns: string, extra: string, limit: string): string;
}

/**
 * A list ordered by a slot first is two scans, the records that have a value and those that have none: the slot's index
 * is partial, and serves only the first. The second is begun only where the first does not fill the page.
 */
export function twoScans(listing: Listing, key: SqlKey, slot: string): string {
  const limit = String(listing.page.size + 1);
  const scans = [scanOfValues(listing, key), scanOfNulls(listing, key, slot)];
  const [first, second] = (key.areNullsFirst ? scans.toReversed() : scans).filter((scan) => scan !== null);
  if (first === undefined) return `${selectSql(listing)} where ${listing.where} and false`;
  const order = orderBySql(listing.keys.map((part, i) => ({ ...part, sql: `k${i}` })));
  // With an offset there are no cursors, so both scans are there.
  if (listing.page.offset > 0 && second !== undefined)
    return skippingScans(listing, [first, second], `part, ${order}`);
  if (second !== undefined)
    return `${bothScans(recordColumns(listed), [first, second], limit)} select * from a union all select * from b order by part, ${order}`;
  const query = first.query(recordColumns(listed), '', limit);
  return first.tables === ''
    ? query
    : `with recursive ${first.tables.slice(2)} select * from (${query}) a order by ${order}`;
}

function bothScans(columns: string, [first, second]: [Scan, Scan], limit: string): string {
  const left = `(select ${limit} - count(*) from a)`;
  return (
    `with recursive ${(first.tables + second.tables).slice(2)}, ` +
    `a as materialized (${first.query(columns, ', 0 as part', limit)}), ` +
    `b as materialized (${second.query(columns, ', 1 as part', left)})`
  );
}

/** What an offset skips is read by its keys alone; only the page's records are read whole. */
function skippingScans(listing: Listing, scans: [Scan, Scan], order: string): string {
  const { parameters, page } = listing;
  const limit = page.size + 1;
  const all = parameters.add(page.offset + limit, 'int4');
  const tenantAndEntity = `r.tenant_id = ${listed}.tenant_id and r.entity_id = ${listed}.entity_id`;
  const both = bothScans(`${listed}.tenant_id, ${listed}.entity_id, ${listed}.id`, scans, all);
  const chosen = `select * from a union all select * from b order by ${order} offset ${parameters.add(page.offset, 'int4')} limit ${limit}`;
  const keys = listing.keys.map((_, i) => `${listed}.k${i}`).join(', ');
  return `${both} select r.*, ${keys} from (${chosen}) ${listed} cross join lateral (select ${recordColumns('r')} from records r where ${tenantAndEntity} and r.id = ${listed}.id limit 1) r order by ${order}`;
}

/** Null: the page's cursors leave none of the records that have a value. */
function scanOfValues(listing: Listing, key: SqlKey): Scan | null {
  const keys = [{ ...key, isNullable: false }, ...listing.keys.slice(1)];
  const bounds = boundsOf(listing, keys);
  // All values lie on one side of a cursor among the nulls.
  if (bounds.some(({ place, keys: [first] }) => place[0] === null && !first?.areNullsFirst)) return null;
  const within = bounds.filter(({ place }) => place[0] !== null);
  const conditions = within.flatMap((bound) => boundSql(bound.keys, bound.place, listing.parameters));
  const where = [listing.where, `${key.sql} is not null`, ...conditions].join(' and ');
  return {
    tables: '',
    query: (columns, extra, limit) =>
      `${selectSql(listing, extra, columns)} where ${where} order by ${orderBySql(keys)} limit ${limit}`,
  };
}

/** The place as a condition, and, where that is a choice of several, as a range of the first key's index too. */
function boundSql(
  keys: readonly SqlKey[],
  place: readonly CursorValue[],
  parameters: SqlParameters,
): string[] {
  const [key] = keys;
  const exact = afterSql(keys, place, parameters);
  if (keys.length <= 2 || !key) return [exact];
  return [`${key.sql} ${key.isDescending ? '<=' : '>='} ${parameters.add(place[0], key.type)}`, exact];
}

/** Null: the page's cursors leave none of the records without a value. */
function scanOfNulls(listing: Listing, key: SqlKey, slot: string): Scan | null {
  const rest = listing.keys.slice(1);
  const bounds = boundsOf(listing, listing.keys);
  if (bounds.some(({ place, keys: [first] }) => place[0] !== null && first?.areNullsFirst)) return null;
  const within = bounds.filter(({ place }) => place[0] === null);
  const conditions = within.map((bound) =>
    afterSql(bound.keys.slice(1), bound.place.slice(1), listing.parameters),
  );
  const masks = masksWithout(listing, slot);
  const [id] = rest;
  const after = listing.after?.[0] === null ? (listing.after[1] ?? null) : null;
  const byId =
    rest.length === 1 && id?.sql === `${listed}.id`
      ? {
          isDescending: id.isDescending,
          after: after === null ? null : listing.parameters.add(after, 'uuid'),
        }
      : null;
  const where = [listing.where, ...conditions].join(' and ');
  const resultOrder = orderBySql(rest.map((part, i) => ({ ...part, sql: `s.k${i + 1}` })));
  return {
    tables: masks.tables,
    query: (columns, extra, limit) =>
      masks.query({
        select: `${selectSql(listing, extra, columns)} where ${where}`,
        isNull: `${key.sql} is null`,
        byId,
        order: orderBySql(rest),
        resultOrder,
        limit,
      }),
  };
}

/** The page's cursors, each with the keys by which the page comes after it. */
function boundsOf(
  listing: Listing,
  keys: readonly SqlKey[],
): { place: readonly CursorValue[]; keys: readonly SqlKey[] }[] {
  const bounds = [];
  if (listing.after) bounds.push({ place: listing.after, keys });
  if (listing.before) bounds.push({ place: listing.before, keys: reverseKeys(keys) });
  return bounds;
}
