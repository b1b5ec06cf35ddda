/** The store's reads: one statement each. */
import type { RecordDatabase, Statement } from '#prisma/record-database.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { ruleOf } from '#subgraphs/model/field-types.ts';
import { findUniqueKey, keyHash, memberName } from '#subgraphs/model/unique-keys.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { createSqlParameters, type SqlType } from '#subgraphs/model/filter/sql-parameters.ts';
import { encodeListCursor } from '../filters/list-cursor.ts';
import { buildCount, buildInverseCount, buildInverseStatement, buildListStatement } from './list-sql.ts';
import type { ListStatement } from './list-sql.ts';
import { nameStatement } from './named-statement.ts';
import { toCursorValue } from './order-sql.ts';
import { recordColumns, toRecord } from './record-row.ts';
import type { RecordRow } from './record-row.ts';
import type { Page, RecordStore, StoreContext, StoredRecord } from './record-store.ts';
import { accessOf, visibleSql } from './store-access.ts';

type Reads = Pick<
  RecordStore,
  'findMany' | 'findByUnique' | 'list' | 'count' | 'listInverse' | 'countInverse'
>;
type ListedRow = RecordRow & Record<`k${number}`, unknown> & { parent?: number };

const findManyText = (visible: string): string =>
  `select x.* from unnest($3::uuid[]) as u (id) cross join lateral (select ${recordColumns('r')} from records r where r.tenant_id = $1::uuid and r.entity_id = $2::uuid and r.id = u.id and r.deleted_at is null${visible} limit 1) x`;
const findByKeyText = (visible: string): string =>
  `select ${recordColumns('x')} from record_keys k join records x on x.tenant_id = k.tenant_id and x.entity_id = k.entity_id and x.id = k.record_id where k.tenant_id = $1::uuid and k.entity_id = $2::uuid and k.key_id = $3::uuid and k.hash = decode($4, 'hex') and x.deleted_at is null${visible}`;

/** Live records by id, of those that the caller may see. Text that is no id finds nothing. */
function findManyStatement(
  context: StoreContext,
  entity: EntityDefinition,
  ids: readonly string[],
): Statement {
  const { values, visible } = rowScope(context, entity, 'r', [
    { value: ids.flatMap((id) => readId(id) ?? []), type: 'uuid[]' },
  ]);
  return nameStatement(findManyText(visible), values);
}

/** `$1` and `$2` the tenant and the entity, then what is given; and the condition of rows that the caller may see. */
function rowScope(
  context: StoreContext,
  entity: EntityDefinition,
  alias: string,
  given: readonly { readonly value: unknown; readonly type: SqlType }[],
): { values: unknown[]; visible: string } {
  const access = accessOf(context);
  access.of(entity).assertAllows('READ');
  const parameters = createSqlParameters();
  const { tenantId } = context.model;
  for (const { value, type } of [
    { value: tenantId, type: 'uuid' } as const,
    { value: entity.id, type: 'uuid' } as const,
    ...given,
  ])
    parameters.add(value, type);
  const visible = visibleSql(access, { alias, entity }, tenantId, parameters);
  return { values: parameters.values, visible };
}

export function createRecordReads(database: RecordDatabase): Reads {
  const read = <Row extends object>(context: StoreContext, statement: Statement): Promise<Row[]> =>
    database.read<Row>(context.claims, statement);

  return {
    async findMany(context, entity, ids) {
      if (ids.length === 0) return [];
      const rows = await read<RecordRow>(context, findManyStatement(context, entity, ids));
      const byId = new Map(rows.map((row) => [row.id, toRecord(entity.id, row)]));
      return ids.map((id) => byId.get(id) ?? byId.get(id.toLowerCase()) ?? null);
    },

    async findByUnique(context, entity, name, values) {
      const key = findUniqueKey(entity, name);
      if (!key) throw new Error(`${entity.name} has no unique field or group ${name}`);
      for (const field of key.fields) accessOf(context).of(entity).assertReadable(field);
      const data: Record<string, unknown> = {};
      for (const field of key.fields) {
        const value = values[memberName(field)] ?? null;
        // A value that the field cannot hold is one that no record has.
        const parsed =
          value === null ? null : ruleOf(field).parse(value, { ...field, validation: null }, () => undefined);
        data[field.key] = parsed ?? null;
      }
      const hash = keyHash(key, data);
      if (hash === null) return null;
      const { values: found, visible } = rowScope(context, entity, 'x', [
        { value: key.id, type: 'uuid' },
        { value: hash, type: 'text' },
      ]);
      const [row] = await read<RecordRow>(context, nameStatement(findByKeyText(visible), found));
      return row ? toRecord(entity.id, row) : null;
    },

    async list(context, request) {
      const listing = buildListStatement(context.model, accessOf(context), request);
      return toPage(request.entity, listing, await read<ListedRow>(context, listing.statement));
    },

    async count(context, request) {
      const [row] = await read<{ count: number }>(
        context,
        buildCount(context.model, accessOf(context), request),
      );
      return row?.count ?? 0;
    },

    async listInverse(context, request) {
      if (request.parentIds.length === 0) return [];
      const listing = buildInverseStatement(context.model, accessOf(context), request);
      const rows = Map.groupBy(await read<ListedRow>(context, listing.statement), (row) => row.parent);
      return request.parentIds.map((_, i) => toPage(request.entity, listing, rows.get(i + 1) ?? []));
    },

    async countInverse(context, request) {
      if (request.parentIds.length === 0) return [];
      const rows = await read<{ parent: number; count: number }>(
        context,
        buildInverseCount(context.model, accessOf(context), request),
      );
      const counts = new Map(rows.map((row) => [row.parent, row.count]));
      return request.parentIds.map((_, i) => counts.get(i + 1) ?? 0);
    },
  };
}

/** Rows in reading order, one more than the page where there is more. */
function toPage(entity: EntityDefinition, listing: ListStatement, rows: readonly ListedRow[]): Page {
  const { page, keyCount, signature } = listing;
  const hasMore = rows.length > page.size;
  const edges = rows.slice(0, page.size).map((row): { cursor: string; record: StoredRecord } => {
    const values = Array.from({ length: keyCount }, (_, i) => toCursorValue(row[`k${i}`]));
    return { cursor: encodeListCursor(signature, values), record: toRecord(entity.id, row) };
  });
  if (page.isBackward) {
    return { edges: edges.toReversed(), hasPreviousPage: hasMore, hasNextPage: page.before !== null };
  }
  return { edges, hasNextPage: hasMore, hasPreviousPage: page.after !== null || page.offset > 0 };
}
