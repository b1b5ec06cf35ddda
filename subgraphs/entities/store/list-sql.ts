/** One page of a list as one statement. */
import type { Statement } from '#prisma/record-database.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { relationIdSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { findField } from '#subgraphs/model/relations.ts';
import { decodeListCursor } from '../filters/list-cursor.ts';
import type { CursorValue } from '../filters/list-cursor.ts';
import { parseOrder } from '../filters/list-order.ts';
import { parsePageArguments } from '../filters/page-arguments.ts';
import type { PageBounds } from '../filters/page-arguments.ts';
import { nameStatement } from './named-statement.ts';
import { afterSql, buildOrderSql, cursorTypeOf, orderBySql, reverseKeys } from './order-sql.ts';
import type { SqlKey } from './order-sql.ts';
import { recordColumns } from './record-row.ts';
import type { InverseRequest, ListRequest } from './record-store.ts';
import { searchSql } from './search-sql.ts';

/** A statement whose rows are one more than the page, in reading order, with the order's keys as `k0`, `k1` …, and how to read them. */
export interface ListStatement {
  readonly statement: Statement;
  readonly page: PageBounds;
  readonly keyCount: number;
  readonly signature: string;
}

const listed = 'x';

interface Listing {
  readonly row: SqlRow;
  readonly parameters: SqlParameters;
  /** What chooses the records, the page apart. */
  readonly where: string;
  readonly joins: string;
  /** In reading order: reversed for a page that is read from its end. */
  readonly keys: readonly SqlKey[];
  readonly after: readonly CursorValue[] | null;
  readonly before: readonly CursorValue[] | null;
  readonly page: PageBounds;
  readonly signature: string;
}

/** The condition that chooses an entity's records: tenant, entity, not deleted, filter, search. */
export function recordsWhere(
  model: TenantModel,
  request: Pick<ListRequest, 'entity' | 'filter' | 'search' | 'includeDeleted'>,
  parameters: SqlParameters,
): string {
  const { entity } = request;
  const filter = parseFilter(model, entity, request.filter);
  const parts = [
    `${listed}.tenant_id = ${parameters.add(model.tenantId, 'uuid')}`,
    `${listed}.entity_id = ${parameters.add(entity.id, 'uuid')}`,
  ];
  if (!request.includeDeleted) parts.push(`${listed}.deleted_at is null`);
  const condition = filterSql(filter, { alias: listed, entity }, { tenantId: model.tenantId, parameters });
  if (condition !== 'true') parts.push(condition);
  const search = searchSql(listed, request.search, parameters);
  if (search !== null) parts.push(search);
  return parts.join(' and ');
}

function readListing(model: TenantModel, request: ListRequest): Listing {
  const page = parsePageArguments(request);
  const order = parseOrder(model, request.entity, request.orderBy);
  const parameters = createSqlParameters();
  const row: SqlRow = { alias: listed, entity: request.entity };
  const where = recordsWhere(model, request, parameters);
  const orderSql = buildOrderSql(order.keys, row, model.tenantId, parameters, model.entityById);
  const types = orderSql.keys.map(cursorTypeOf);
  const read = (cursor: string | null, argument: 'after' | 'before') =>
    cursor === null ? null : decodeListCursor(cursor, order.signature, types, argument);
  const after = read(page.after, 'after');
  const before = read(page.before, 'before');
  return {
    row,
    parameters,
    where,
    joins: orderSql.joins,
    keys: page.isBackward ? reverseKeys(orderSql.keys) : orderSql.keys,
    // Read from the end, the later cursor is where reading begins.
    after: page.isBackward ? before : after,
    before: page.isBackward ? after : before,
    page,
    signature: order.signature,
  };
}

/** Throws BAD_USER_INPUT for whatever the request breaks. */
export function buildListStatement(model: TenantModel, request: ListRequest): ListStatement {
  const listing = readListing(model, request);
  const [first] = listing.keys;
  const text = first?.isSlot
    ? twoScans(listing, first)
    : oneScan(listing, listing.page.size + 1, listing.page.offset);
  return {
    statement: nameStatement(text, listing.parameters.values),
    page: listing.page,
    keyCount: listing.keys.length,
    signature: listing.signature,
  };
}

/** One page of children for each parent: rows also have `parent`, the parent's place in the list from 1. */
export function buildInverseStatement(model: TenantModel, request: InverseRequest): ListStatement {
  const listing = readListing(model, request);
  const link = parentLink(request, listing.row, listing.parameters);
  const inner = oneScan(listing, listing.page.size + 1, listing.page.offset, link);
  const order = orderBySql(listing.keys.map((key, i) => ({ ...key, sql: `c.k${i}` })));
  const parents = listing.parameters.add(request.parentIds, 'uuid[]');
  const text = `select p.n::int as parent, c.* from unnest(${parents}) with ordinality as p (id, n) cross join lateral (${inner}) c order by p.n, ${order}`;
  return {
    statement: nameStatement(text, listing.parameters.values),
    page: listing.page,
    keyCount: listing.keys.length,
    signature: listing.signature,
  };
}

/** How many children each parent has: rows of `parent` and `count`. */
export function buildInverseCount(model: TenantModel, request: InverseRequest): Statement {
  const parameters = createSqlParameters();
  const where = recordsWhere(model, request, parameters);
  const link = parentLink(request, { alias: listed, entity: request.entity }, parameters);
  const parents = parameters.add(request.parentIds, 'uuid[]');
  const text = `select p.n::int as parent, (select count(*)::int from records ${listed} where ${where} and ${link}) as count from unnest(${parents}) with ordinality as p (id, n)`;
  return nameStatement(text, parameters.values);
}

export function buildCount(
  model: TenantModel,
  request: Pick<ListRequest, 'entity' | 'filter' | 'search' | 'includeDeleted'>,
): Statement {
  const parameters = createSqlParameters();
  const where = recordsWhere(model, request, parameters);
  return nameStatement(
    `select count(*)::int as count from records ${listed} where ${where}`,
    parameters.values,
  );
}

function parentLink(request: InverseRequest, row: SqlRow, parameters: SqlParameters): string {
  const relation = request.entity.fields.find((field) => field.id === request.relationFieldId);
  if (!relation || findField(request.entity, relation.name)?.type !== 'RELATION') {
    throw new Error(`${request.entity.name} has no relation ${request.relationFieldId}`);
  }
  return `${relationIdSql(row, relation, parameters)} = p.id`;
}

function selectSql(listing: Listing, extra = '', columns = recordColumns(listed)): string {
  const keys = listing.keys.map((key, i) => `${key.sql} as k${i}`).join(', ');
  return `select ${columns}, ${keys}${extra} from records ${listed}${listing.joins}`;
}

/** The limit is part of the text: only so a prepared plan knows how small the page is. */
function oneScan(listing: Listing, limit: number, offset: number, link?: string): string {
  const { keys, parameters } = listing;
  const where = [listing.where, ...(link === undefined ? [] : [link])];
  if (listing.after) where.push(afterSql(keys, listing.after, parameters));
  if (listing.before) where.push(afterSql(reverseKeys(keys), listing.before, parameters));
  const skip = offset > 0 ? ` offset ${parameters.add(offset, 'int4')}` : '';
  return `${selectSql(listing)} where ${where.join(' and ')} order by ${orderBySql(keys)} limit ${limit}${skip}`;
}

/**
 * A list ordered by a slot first is two scans, the records that have a value and those that have none: the slot's index
 * is partial, and serves only the first. The second is begun only where the first does not fill the page.
 */
function twoScans(listing: Listing, key: SqlKey): string {
  const limit = listing.page.size + 1;
  const scans = [scanOfValues(listing, key), scanOfNulls(listing, key)];
  const [first, second] = (key.areNullsFirst ? scans.toReversed() : scans).filter((scan) => scan !== null);
  if (first === undefined) return `${selectSql(listing)} where false`;
  const order = `part, ${orderBySql(listing.keys.map((part, i) => ({ ...part, sql: `k${i}` })))}`;
  // With an offset there are no cursors, so both scans are there.
  if (listing.page.offset > 0 && second !== undefined) return skippingScans(listing, [first, second], order);
  if (second === undefined) return `${selectSql(listing)} ${first} limit ${limit}`;
  return `${bothScans(listing, recordColumns(listed), [first, second], String(limit))} select * from a union all select * from b order by ${order}`;
}

function bothScans(
  listing: Listing,
  columns: string,
  [first, second]: [string, string],
  limit: string,
): string {
  const scan = (part: number): string => selectSql(listing, `, ${part} as part`, columns);
  return (
    `with a as materialized (${scan(0)} ${first} limit ${limit}), ` +
    `b as materialized (${scan(1)} ${second} limit (select ${limit} - count(*) from a))`
  );
}

/** What an offset skips is read by its keys alone; only the page's records are read whole. */
function skippingScans(listing: Listing, scans: [string, string], order: string): string {
  const { parameters, page } = listing;
  const limit = page.size + 1;
  const all = parameters.add(page.offset + limit, 'int4');
  const tenantAndEntity = `r.tenant_id = ${listed}.tenant_id and r.entity_id = ${listed}.entity_id`;
  const both = bothScans(listing, `${listed}.tenant_id, ${listed}.entity_id, ${listed}.id`, scans, all);
  const chosen = `select * from a union all select * from b order by ${order} offset ${parameters.add(page.offset, 'int4')} limit ${limit}`;
  const keys = listing.keys.map((_, i) => `${listed}.k${i}`).join(', ');
  return `${both} select r.*, ${keys} from (${chosen}) ${listed} cross join lateral (select ${recordColumns('r')} from records r where ${tenantAndEntity} and r.id = ${listed}.id limit 1) r order by ${order}`;
}

/** Null: the page's cursors leave none of the records that have a value. */
function scanOfValues(listing: Listing, key: SqlKey): string | null {
  const keys = [{ ...key, isNullable: false }, ...listing.keys.slice(1)];
  const bounds = boundsOf(listing, keys);
  // All values lie on one side of a cursor among the nulls.
  if (bounds.some(({ place, keys: [first] }) => place[0] === null && !first?.areNullsFirst)) return null;
  const within = bounds.filter(({ place }) => place[0] !== null);
  const conditions = within.flatMap((bound) => boundSql(bound.keys, bound.place, listing.parameters));
  return `where ${[listing.where, `${key.sql} is not null`, ...conditions].join(' and ')} order by ${orderBySql(keys)}`;
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
function scanOfNulls(listing: Listing, key: SqlKey): string | null {
  const rest = listing.keys.slice(1);
  const bounds = boundsOf(listing, listing.keys);
  if (bounds.some(({ place, keys: [first] }) => place[0] !== null && first?.areNullsFirst)) return null;
  const within = bounds.filter(({ place }) => place[0] === null);
  const conditions = within.map((bound) =>
    afterSql(bound.keys.slice(1), bound.place.slice(1), listing.parameters),
  );
  return `where ${[listing.where, `${key.sql} is null`, ...conditions].join(' and ')} order by ${orderBySql(rest)}`;
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
