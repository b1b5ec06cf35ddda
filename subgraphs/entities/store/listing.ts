/** A list's request, read: what chooses its records, how they are ordered, and where the page lies. */
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { restrictFilter } from '#subgraphs/model/permissions/restricted-filter.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { decodeListCursor } from '../filters/list-cursor.ts';
import type { CursorValue } from '../filters/list-cursor.ts';
import { parseOrder } from '../filters/list-order.ts';
import { parsePageArguments } from '../filters/page-arguments.ts';
import type { PageBounds } from '../filters/page-arguments.ts';
import { type Driver, findDriver } from './driven-scan.ts';
import { buildOrderSql, cursorTypeOf, reverseKeys } from './order-sql.ts';
import type { SqlKey } from './order-sql.ts';
import { recordColumns } from './record-row.ts';
import type { ListRequest, RecordChoice } from './record-store.ts';
import { assertPathReadable } from './store-access.ts';
import { parseSearch, rankKey, rankSignature, searchedKeys, searchSql } from './search-sql.ts';

/** The listed record's alias. */
export const listed = 'x';

export interface Listing {
  readonly tenantId: string;
  readonly row: SqlRow;
  readonly parameters: SqlParameters;
  /** What chooses the records, the page apart. */
  readonly where: string;
  readonly joins: string;
  /** Where its records may be found from the other end of a relation. To be asked for by who uses it: it adds parameters. */
  readonly findDriver: () => Driver | null;
  /** In reading order: reversed for a page that is read from its end. */
  readonly keys: readonly SqlKey[];
  readonly after: readonly CursorValue[] | null;
  readonly before: readonly CursorValue[] | null;
  readonly page: PageBounds;
  readonly signature: string;
}

/** The condition that chooses an entity's records: tenant, entity, not deleted, visible, filter, search. Throws FORBIDDEN. */
export function recordsWhere(
  model: TenantModel,
  access: ModelAccess,
  request: RecordChoice,
  parameters: SqlParameters,
): string {
  return chooseRecords(model, access, request, parameters).where;
}

/** The same, and whether the records are better found from the other end of a relation. */
export function chooseRecords(
  model: TenantModel,
  access: ModelAccess,
  request: RecordChoice,
  parameters: SqlParameters,
): Pick<Listing, 'where' | 'findDriver'> {
  const { entity } = request;
  access.of(entity).assertAllows('READ');
  const filter = restrictFilter(access, entity, parseFilter(model, entity, request.filter));
  const parts = [
    `${listed}.tenant_id = ${parameters.add(model.tenantId, 'uuid')}`,
    `${listed}.entity_id = ${parameters.add(entity.id, 'uuid')}`,
  ];
  if (!request.includeDeleted) parts.push(`${listed}.deleted_at is null`);
  const condition = filterSql(filter, { alias: listed, entity }, { tenantId: model.tenantId, parameters });
  if (condition !== 'true') parts.push(condition);
  const { rowFilter } = access.of(entity);
  if (rowFilter !== null)
    parts.push(filterSql(rowFilter, { alias: listed, entity }, { tenantId: model.tenantId, parameters }));
  const words = parseSearch(request.search);
  if (words !== null) {
    const searched = searchedKeys(entity, access.of(entity));
    parts.push(searchSql({ alias: listed, entity }, words, searched, parameters));
  }
  const scope = { tenantId: model.tenantId, parameters };
  // A search finds its records by an index of its own.
  return {
    where: parts.join(' and '),
    findDriver: () => (words === null ? findDriver(filter, entity, listed, scope) : null),
  };
}

/** Throws BAD_USER_INPUT for whatever the request breaks, FORBIDDEN for what it may not look at. */
export function readListing(model: TenantModel, access: ModelAccess, request: ListRequest): Listing {
  const page = parsePageArguments(request);
  const order = parseOrder(model, request.entity, request.orderBy);
  for (const key of order.keys) assertPathReadable(access, model, request.entity, key);
  const parameters = createSqlParameters();
  const row: SqlRow = { alias: listed, entity: request.entity };
  const chosen = chooseRecords(model, access, request, parameters);
  const orderSql = buildOrderSql(order.keys, row, { model, access, parameters });
  // What is searched for and not ordered comes in order of its rank, equal ones by id.
  const words = (request.orderBy ?? []).length === 0 ? parseSearch(request.search) : null;
  const searched = searchedKeys(request.entity, access.of(request.entity));
  const keys = words === null ? orderSql.keys : [rankKey(row, words, searched, parameters), ...orderSql.keys];
  const signature = words === null ? order.signature : rankSignature(request.entity, words, searched);
  const types = keys.map(cursorTypeOf);
  const read = (cursor: string | null, argument: 'after' | 'before') =>
    cursor === null ? null : decodeListCursor(cursor, signature, types, argument);
  const after = read(page.after, 'after');
  const before = read(page.before, 'before');
  return {
    tenantId: model.tenantId,
    row,
    parameters,
    ...chosen,
    joins: orderSql.joins,
    keys: page.isBackward ? reverseKeys(keys) : keys,
    // Read from the end, the later cursor is where reading begins.
    after: page.isBackward ? before : after,
    before: page.isBackward ? after : before,
    page,
    signature,
  };
}

/** The listed records with their order's keys as `k0`, `k1` …; what chooses them has yet to follow. */
export function selectSql(
  listing: Listing,
  extra = '',
  columns = recordColumns(listed),
  source = `records ${listed}`,
): string {
  const keys = listing.keys.map((key, i) => `${key.sql} as k${i}`).join(', ');
  return `select ${columns}, ${keys}${extra} from ${source}${listing.joins}`;
}
