/** Transfers in PostgreSQL. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { Claims, Role } from '#schema/claims.ts';
import { type RowError, storableText } from '../transfer/import/row-error.ts';
import {
  maxKeptErrors,
  type ProgressAnswer,
  type Transfer,
  type TransferStore,
} from '../transfer/transfer.ts';
import { type TransferRow, toTransfer, transferColumns } from './transfer-rows.ts';

const own = 'tenant_id = (select current_tenant_id())';
const returning = `returning ${transferColumns}`;

/** What the transfer's actor may do now: read together with each batch, so that rights end where they were taken. */
const rights = `
  (select status = 'ACTIVE' from tenants where id = tenant_id) as "isActive",
  case actor_kind
    when 'USER' then (select u.role from users u where u.tenant_id = transfers.tenant_id and u.id = actor_id and u.deleted_at is null)
    when 'SERVICE' then (select k.role from api_keys k where k.tenant_id = transfers.tenant_id and k.id = actor_id
      and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()))
    else actor_role
  end as "currentRole"`;

interface RightsRow {
  isStopRequested: boolean;
  isActive: boolean;
  currentRole: Role | null;
}

function toAnswer(row: RightsRow): ProgressAnswer {
  return { isStopRequested: row.isStopRequested, isActive: row.isActive, role: row.currentRole };
}

/** Holds no state; disposed of with the database. */
export function createTransferStore(database: RecordDatabase): TransferStore {
  async function one(claims: Claims, text: string, values: unknown[]): Promise<Transfer | null> {
    const [row] = await database.read<TransferRow>(claims, { text, values });
    return row ? toTransfer(row) : null;
  }

  return {
    async insert(claims, transfer) {
      const text = `
        insert into transfers (tenant_id, id, kind, is_whole_tenant, entity, format, settings, file_name, requested_at, actor_kind, actor_id, actor_role)
        values ((select current_tenant_id()), $1, $2, $3, $4, $5, $6, $7, case when $8 then now() end, $9, $10, $11) ${returning}`;
      const { id, kind, isWholeTenant, entity, format, settings, fileName, isRequested } = transfer;
      const inserted = await one(claims, text, [
        ...[id, kind, isWholeTenant, entity, format, JSON.stringify(settings), fileName, isRequested],
        ...[claims.actorKind, claims.actorId, claims.role],
      ]);
      return inserted as Transfer;
    },

    find: (claims, id) =>
      one(claims, `select ${transferColumns} from transfers where ${own} and id = $1`, [id]),

    async list(claims, { first, before, actorId }) {
      const text = `
        select ${transferColumns} from transfers
        where ${own} and ($2::uuid is null or actor_id = $2) and ($3::timestamptz is null or (created_at, id) < ($3, $4::uuid))
        order by created_at desc, id desc limit $1`;
      const values = [first, actorId, before?.createdAt ?? null, before?.id ?? null];
      return (await database.read<TransferRow>(claims, { text, values })).map(toTransfer);
    },

    async count(claims, actorId) {
      const text = `select count(*) as total from transfers where ${own} and ($1::uuid is null or actor_id = $1)`;
      const [row] = await database.read<{ total: number }>(claims, { text, values: [actorId] });
      return Number(row?.total);
    },

    async usedBytes(claims) {
      const text = `select coalesce(sum(file_bytes), 0)::float8 as total from transfers where ${own}`;
      const [row] = await database.read<{ total: number }>(claims, { text });
      return row?.total ?? 0;
    },

    listErrors: (claims, id, first) =>
      database.read<RowError>(claims, {
        text: `select "row", line, column_name as "column", field, rule, message from transfer_errors
          where ${own} and transfer_id = $1 order by "row", place limit $2`,
        values: [id, first],
      }),

    setFile: (claims, id, { id: fileId, bytes, name }) =>
      one(
        claims,
        `update transfers set file_id = $4, file_bytes = $2, file_name = coalesce($3, file_name), revision = revision + 1
         where ${own} and id = $1 and kind = 'IMPORT' and status in ('PENDING', 'FAILED', 'STOPPED') and row_count = 0 and runner_id is null ${returning}`,
        [id, bytes, name, fileId],
      ),

    async forgetFile(claims, id, fileId) {
      const text = `update transfers set file_id = null, file_bytes = null, revision = revision + 1
        where ${own} and id = $1 and file_id = $2 and status <> 'RUNNING' returning id`;
      return (await database.read(claims, { text, values: [id, fileId] })).length > 0;
    },

    request: (claims, { id, revision }, { entity, settings, startsOver }) =>
      database.transaction(claims, async (tx) => {
        const begin = startsOver
          ? ', read_bytes = 0, row_count = 0, created_count = 0, updated_count = 0, failed_count = 0, error_count = 0, started_at = null'
          : '';
        const [row] = await tx.query<TransferRow>({
          text: `update transfers set status = 'PENDING', requested_at = now(), is_stop_requested = false, failure = null, finished_at = null, attempts = 0,
              entity = $3, settings = $4, revision = revision + 1, actor_kind = $5, actor_id = $6, actor_role = $7${begin}
            where ${own} and id = $1 and revision = $2 and status <> 'RUNNING' ${returning}`,
          values: [
            ...[id, revision, entity, JSON.stringify(settings)],
            ...[claims.actorKind, claims.actorId, claims.role],
          ],
        });
        if (row && startsOver) {
          await tx.query({
            text: `delete from transfer_errors where ${own} and transfer_id = $1`,
            values: [id],
          });
        }
        return row ? toTransfer(row) : null;
      }),

    stop: (claims, id) =>
      one(
        claims,
        `update transfers set is_stop_requested = (status = 'RUNNING'), requested_at = case when status = 'RUNNING' then requested_at end,
           finished_at = case when status = 'PENDING' then now() end,
           status = case when status = 'PENDING' then 'STOPPED' else status end, revision = revision + 1
         where ${own} and id = $1 and status in ('PENDING', 'RUNNING') ${returning}`,
        [id],
      ),

    async claim(claims, id, { runnerId, seconds }) {
      const [row] = await database.read<TransferRow & RightsRow>(claims, {
        text: `update transfers set status = 'RUNNING', runner_id = $2, lease_until = now() + make_interval(secs => $3),
            started_at = coalesce(started_at, now()), attempts = attempts + 1, revision = revision + 1
          where ${own} and id = $1 and requested_at is not null and (kind = 'EXPORT' or file_id is not null)
            and (status = 'PENDING' or (status = 'RUNNING' and (lease_until is null or lease_until < now())))
          ${returning}, ${rights}`,
        values: [id, runnerId, seconds],
      });
      return row ? { transfer: toTransfer(row), rights: toAnswer(row) } : null;
    },

    report: (claims, id, { runnerId, seconds }, report) =>
      database.transaction(claims, async (tx) => {
        const { rows, readBytes, counts, errors, totalCount = null, ignoredColumns = null } = report;
        const [row] = await tx.query<RightsRow & { keptErrors: number }>({
          name: 'transfers_report',
          text: `update transfers set lease_until = now() + make_interval(secs => $3), row_count = $4, read_bytes = $5,
              created_count = created_count + $6, updated_count = updated_count + $7, failed_count = failed_count + $8,
              error_count = error_count + $9, total_count = coalesce($10, total_count), ignored_columns = coalesce($11, ignored_columns), attempts = 0, revision = revision + 1
            where ${own} and id = $1 and runner_id = $2 and status = 'RUNNING'
            returning is_stop_requested as "isStopRequested", error_count - $9 as "keptErrors", ${rights}`,
          values: [
            ...[id, runnerId, seconds, rows, readBytes],
            ...[counts.created, counts.updated, counts.failed, errors.length, totalCount, ignoredColumns],
          ],
        });
        if (!row) return null;
        const kept = errors.slice(0, Math.max(0, maxKeptErrors - row.keptErrors));
        if (kept.length > 0) {
          await tx.query({
            name: 'transfers_keep_errors',
            text: `insert into transfer_errors (tenant_id, transfer_id, "row", line, place, column_name, field, rule, message)
              select (select current_tenant_id()), $1, e."row", e.line, row_number() over (partition by e."row"), e.column, e.field, e.rule, e.message
              from jsonb_to_recordset($2::jsonb) as e ("row" bigint, line bigint, "column" text, field text, rule text, message text)
              on conflict do nothing`,
            values: [id, toStorableJson(kept)],
          });
        }
        return toAnswer(row);
      }),

    async finish(claims, id, runnerId, { status, failure, file }) {
      await database.read(claims, {
        text: `update transfers set status = $3, failure = $4, file_id = coalesce($5, file_id), file_bytes = coalesce($6, file_bytes), finished_at = now(),
            requested_at = null, is_stop_requested = false, runner_id = null, lease_until = null, revision = revision + 1
          where ${own} and id = $1 and runner_id = $2`,
        values: [
          id,
          runnerId,
          status,
          failure ? toStorableJson(failure) : null,
          file?.id ?? null,
          file?.bytes ?? null,
        ],
      });
    },

    async keepLease(claims, id, { runnerId, seconds }) {
      const text = `update transfers set lease_until = now() + make_interval(secs => $3) where ${own} and id = $1 and runner_id = $2 and status = 'RUNNING'`;
      await database.read(claims, { text, values: [id, runnerId, seconds] });
    },

    async release(claims, id, runnerId) {
      const text = `update transfers set runner_id = null, lease_until = null, status = 'PENDING', attempts = 0, revision = revision + 1
        where ${own} and id = $1 and runner_id = $2 and status = 'RUNNING'`;
      await database.read(claims, { text, values: [id, runnerId] });
    },

    findWaiting: (limit) =>
      database.platform({
        text: `select tenant_id as "tenantId", id from transfers
          where requested_at is not null and (kind = 'EXPORT' or file_id is not null) and (status = 'PENDING' or (status = 'RUNNING' and (lease_until is null or lease_until < now())))
          order by requested_at limit $1`,
        values: [limit],
      }),

    findOldFiles: (before, limit) =>
      database.platform({
        text: `select tenant_id as "tenantId", id, file_id as "fileId" from transfers
          where file_id is not null and created_at < $1 and (finished_at is null or finished_at < $1) and status <> 'RUNNING'
          order by created_at limit $2`,
        values: [before, limit],
      }),
  };
}

/** Messages quote the file, which may hold what PostgreSQL's text cannot. */
function toStorableJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'string' ? storableText(member) : member,
  );
}
