/** A list's statements: a page, a count, and both for the children of many parents. One statement each. */
import type { Statement } from '#prisma/record-database.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import type { SqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { pointsAtSql } from '#subgraphs/model/filter/sql-values.ts';
import type { SqlRow } from '#subgraphs/model/filter/sql-values.ts';
import { linkedSql } from '#subgraphs/model/filter/sql.ts';
import type { ModelAccess } from '#subgraphs/model/permissions/access.ts';
import { findField, isManyToMany } from '#subgraphs/model/relations.ts';
import { isUnion, viewOf } from '#subgraphs/model/union-relations.ts';
import type { PageBounds } from '../filters/page-arguments.ts';
import { isDriven } from './driven-scan.ts';
import { chooseRecords, listed, readListing, recordsWhere, selectSql } from './listing.ts';
import type { Listing } from './listing.ts';
import { recordColumns } from './record-row.ts';
import { nameStatement } from './named-statement.ts';
import { afterSql, orderBySql, reverseKeys } from './order-sql.ts';
import type { InverseRequest, ListRequest, RecordChoice } from './record-store.ts';
import { twoScans } from './slot-scans.ts';

/** A statement whose rows are one more than the page, in reading order, with the order's keys as `k0`, `k1` …, and how to read them. */
export interface ListStatement {
  readonly statement: Statement;
  readonly page: PageBounds;
  readonly keyCount: number;
  readonly signature: string;
}

/** Throws BAD_USER_INPUT for whatever the request breaks. */
export function buildListStatement(
  model: TenantModel,
  access: ModelAccess,
  request: ListRequest,
): ListStatement {
  const listing = readListing(model, access, request);
  return {
    statement: nameStatement(pageSql(listing), listing.parameters.values),
    page: listing.page,
    keyCount: listing.keys.length,
    signature: listing.signature,
  };
}

function pageSql(listing: Listing): string {
  const { keys, page } = listing;
  const driver = listing.findDriver();
  if (driver === null) return undrivenSql(listing);
  const driven = oneScan(listing, page.size + 1, page.offset, isDriven, driver.source);
  const other = undrivenSql({ ...listing, where: `not ${isDriven} and ${listing.where}` });
  const order = orderBySql(keys.map((key, i) => ({ ...key, sql: `k${i}` })));
  const names = keys.map((_, i) => `o.k${i}`).join(', ');
  return `with ${driver.ctes} select * from (${driven}) d union all select ${recordColumns('o')}, ${names} from (${other}) o order by ${order}`;
}

function undrivenSql(listing: Listing): string {
  const [first] = listing.keys;
  if (first && first.slot !== null) return twoScans(listing, first, first.slot);
  return oneScan(listing, listing.page.size + 1, listing.page.offset);
}

/** One page of children for each parent: rows also have `parent`, the parent's place in the list from 1. */
export function buildInverseStatement(
  model: TenantModel,
  access: ModelAccess,
  request: InverseRequest,
): ListStatement {
  assertRelationReadable(model, access, request);
  const listing = readListing(model, access, request);
  const link = parentLink(model, request, listing.row, listing.parameters);
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
export function buildInverseCount(
  model: TenantModel,
  access: ModelAccess,
  request: InverseRequest,
): Statement {
  assertRelationReadable(model, access, request);
  const parameters = createSqlParameters();
  const where = recordsWhere(model, access, request, parameters);
  const link = parentLink(model, request, { alias: listed, entity: request.entity }, parameters);
  const parents = parameters.add(request.parentIds, 'uuid[]');
  const text = `select p.n::int as parent, (select count(*)::int from records ${listed} where ${where} and ${link}) as count from unnest(${parents}) with ordinality as p (id, n)`;
  return nameStatement(text, parameters.values);
}

export function buildCount(model: TenantModel, access: ModelAccess, request: RecordChoice): Statement {
  const parameters = createSqlParameters();
  const { where, findDriver } = chooseRecords(model, access, request, parameters);
  const driver = findDriver();
  const countOf = (source: string): string => `select count(*)::int as count from ${source} where ${where}`;
  const all = countOf(`records ${listed}`);
  if (driver === null) return nameStatement(all, parameters.values);
  const text = `with ${driver.ctes} select case when ${isDriven} then (${countOf(driver.source)}) else (${all}) end as count`;
  return nameStatement(text, parameters.values);
}

/** Who points at whom is told by the relation's field, from either end. Throws FORBIDDEN. */
function assertRelationReadable(
  model: TenantModel,
  access: ModelAccess,
  { relationFieldId }: InverseRequest,
): void {
  if (!access.isRestricted) return;
  for (const entity of model.entities) {
    const relation = entity.fields.find((field) => field.id === relationFieldId);
    if (relation) access.of(entity).assertReadable(relation);
  }
}

function parentLink(
  model: TenantModel,
  request: InverseRequest,
  row: SqlRow,
  parameters: SqlParameters,
): string {
  if (request.link !== undefined) {
    const field = model.entities
      .flatMap((entity) => entity.fields)
      .find(({ id }) => id === request.relationFieldId);
    if (!field || !isManyToMany(field)) throw new Error(`there is no relation ${request.relationFieldId}`);
    return linkedSql(row.alias, 'p.id', field, request.link, { tenantId: model.tenantId, parameters });
  }
  const relation = request.entity.fields.find((field) => field.id === request.relationFieldId);
  if (!relation || findField(request.entity, relation.name)?.type !== 'RELATION') {
    throw new Error(`${request.entity.name} has no relation ${request.relationFieldId}`);
  }
  const view = isUnion(relation) ? viewOf(relation, request.targetEntityId ?? '') : relation;
  return pointsAtSql(row, view, 'p.id', parameters);
}

/** The limit is part of the text: only so a prepared plan knows how small the page is. */
function oneScan(listing: Listing, limit: number, offset: number, link?: string, source?: string): string {
  const { keys, parameters } = listing;
  const where = [listing.where, ...(link === undefined ? [] : [link])];
  if (listing.after) where.push(afterSql(keys, listing.after, parameters));
  if (listing.before) where.push(afterSql(reverseKeys(keys), listing.before, parameters));
  const skip = offset > 0 ? ` offset ${parameters.add(offset, 'int4')}` : '';
  return `${selectSql(listing, '', recordColumns(listed), source)} where ${where.join(' and ')} order by ${orderBySql(keys)} limit ${limit}${skip}`;
}
