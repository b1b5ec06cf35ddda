/** What became of a record: its events, in the log or, once they are too old for it, in `record_history`. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { ActorKind } from '#schema/claims.ts';
import { decodeLogCursor, encodeLogCursor } from '#schema/events.ts';
import type { LoggedOperation, LogRecord } from '#schema/events.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { parsePageArguments } from '../filters/page-arguments.ts';
import { nameStatement } from './named-statement.ts';
import { createVersionSight } from './version-sight.ts';
import type { HistoryPage, RecordStore, RecordVersion, StoreContext, StoredRecord } from './record-store.ts';

interface VersionRow {
  seq: number | null;
  at: Date;
  operation: LoggedOperation;
  changed_fields: string[];
  before: LogRecord | null;
  after: LogRecord;
  actor_kind: ActorKind;
  actor_id: string | null;
}

const columns = 'seq, at, operation, changed_fields, before, after, actor_kind, actor_id';
/** Both places, each by its index; `$4` and what it means comes from `condition`. */
const versions = (condition: string, limit: string): string => `
  (select ${columns} from events e where e.tenant_id = $1::uuid and e.record_id = $3::uuid and e.entity_id = $2::uuid
     and e.kind = 'RECORD' and ${condition} order by e.seq desc limit ${limit})
  union all
  (select ${columns} from record_history e where e.tenant_id = $1::uuid and e.entity_id = $2::uuid and e.record_id = $3::uuid
     and ${condition} order by e.seq desc limit ${limit})`;
// One row without a version where the record has none before the cursor; no row where there is no record.
const pageText = `select v.* from records r left join lateral (
    select * from (${versions('e.seq < $4::bigint', '$5::int')}) u order by u.seq desc limit $5::int
  ) v on true where r.tenant_id = $1::uuid and r.entity_id = $2::uuid and r.id = $3::uuid order by v.seq desc`;
const versionText = `select v.* from records r cross join lateral (${versions("e.after ->> 'version' = $4::text", '1')}) v
  where r.tenant_id = $1::uuid and r.entity_id = $2::uuid and r.id = $3::uuid limit 1`;

/** What is read for one page, where little of a history may be the caller's to see: so many versions, so often. */
const stretch = 500;
const maxStretches = 20;

export function createRecordHistory(
  database: RecordDatabase,
): Pick<RecordStore, 'listVersions' | 'findVersion'> {
  const read = (
    context: StoreContext,
    text: string,
    entity: EntityDefinition,
    id: string,
    rest: unknown[],
  ): Promise<VersionRow[]> =>
    database.read<VersionRow>(
      context.claims,
      nameStatement(text, [context.model.tenantId, entity.id, id, ...rest]),
    );

  /** Whether the record as it is now, deleted or not, is the caller's to see. */
  async function isVisible(context: StoreContext, entity: EntityDefinition, id: string): Promise<boolean> {
    const { rowFilter } = modelAccess(context.model, context.claims).of(entity);
    if (rowFilter === null) return true;
    const { tenantId } = context.model;
    const parameters = createSqlParameters();
    const [tenant, type, record] = [tenantId, entity.id, id].map((value) => parameters.add(value, 'uuid'));
    const condition = filterSql(rowFilter, { alias: 'r', entity }, { tenantId, parameters });
    const text = `select from records r where r.tenant_id = ${tenant} and r.entity_id = ${type} and r.id = ${record} and ${condition}`;
    return (await database.read(context.claims, { text, values: parameters.values })).length > 0;
  }

  return {
    async listVersions(context, entity, id, { first, after }): Promise<HistoryPage | null> {
      const { size } = parsePageArguments({ first: first ?? null });
      let before = after === null || after === undefined ? Number.MAX_SAFE_INTEGER : decodeLogCursor(after);
      const known = readId(id);
      if (known === null) return null;
      const see = createVersionSight(database, context, entity);
      if (see !== null && !(await isVisible(context, entity, known))) return null;
      const found: RecordVersion[] = [];
      // Who sees little of a history is not sent through it in empty pages.
      for (let n = 0; n < (see === null ? 1 : maxStretches); n++) {
        const count = see === null ? size + 1 : Math.max(size + 1, stretch);
        const rows = await read(context, pageText, entity, known, [before, count]);
        if (rows.length === 0) return null;
        const versions = rows.filter(({ seq }) => seq !== null).map((row) => toVersion(entity, known, row));
        found.push(...(see === null ? versions : await see(versions)));
        before = rows.at(-1)?.seq ?? 0;
        if (rows.length < count || found.length > size) break;
      }
      return { versions: found.slice(0, size), hasNextPage: found.length > size };
    },

    async findVersion(context, entity, id, version): Promise<StoredRecord | null> {
      const known = readId(id);
      if (known === null) return null;
      const see = createVersionSight(database, context, entity);
      if (see !== null && !(await isVisible(context, entity, known))) return null;
      const [row] = await read(context, versionText, entity, known, [String(version)]);
      if (!row) return null;
      const found = toVersion(entity, known, row);
      const [seen] = see === null ? [found] : await see([found]);
      return seen?.record ?? null;
    },
  };
}

function toVersion(entity: EntityDefinition, id: string, row: VersionRow): RecordVersion {
  return {
    cursor: encodeLogCursor(row.seq as number),
    operation: row.operation,
    at: row.at,
    userId: row.actor_kind === 'USER' ? row.actor_id : null,
    changedFields: row.changed_fields,
    before: row.before?.data ?? {},
    record: {
      entityId: entity.id,
      id,
      data: row.after.data,
      version: row.after.version,
      createdAt: new Date(row.after.createdAt),
      updatedAt: new Date(row.after.updatedAt),
      createdBy: row.after.createdBy,
      deletedAt: row.after.deletedAt === null ? null : new Date(row.after.deletedAt),
    },
  };
}
