/** Rows of `transfers` as they are read. */
import type { ActorKind, Role } from '#schema/claims.ts';
import type { TransferFormat } from '../transfer/formats/source-row.ts';
import type { Transfer, TransferFailure, TransferKind, TransferStatus } from '../transfer/transfer.ts';

/** Everything but the lease, by the names of `TransferRow`. */
export const transferColumns = [
  ...['id', 'kind', 'status', 'entity', 'format', 'settings', 'revision', 'failure', 'attempts'],
  ...['tenant_id as "tenantId"', 'is_whole_tenant as "isWholeTenant"', 'file_name as "fileName"'],
  ...['file_id as "fileId"', 'file_bytes as "fileBytes"', '(requested_at is not null) as "isRequested"'],
  ...['is_stop_requested as "isStopRequested"', 'read_bytes as "readBytes"', 'row_count as "rows"'],
  ...['created_count as "created"', 'updated_count as "updated"', 'failed_count as "failed"'],
  ...['total_count as "totalCount"', 'error_count as "errorCount"', 'ignored_columns as "ignoredColumns"'],
  ...['actor_kind as "actorKind"', 'actor_id as "actorId"', 'actor_role as "actorRole"'],
  ...['created_at as "createdAt"', 'started_at as "startedAt"', 'finished_at as "finishedAt"'],
].join(', ');

export interface TransferRow {
  id: string;
  tenantId: string;
  kind: TransferKind;
  status: TransferStatus;
  isWholeTenant: boolean;
  entity: string | null;
  format: TransferFormat;
  settings: Transfer['settings'];
  fileName: string | null;
  fileId: string | null;
  fileBytes: number | null;
  revision: number;
  isRequested: boolean;
  isStopRequested: boolean;
  attempts: number;
  readBytes: number;
  rows: number;
  created: number;
  updated: number;
  failed: number;
  totalCount: number | null;
  errorCount: number;
  ignoredColumns: string[];
  failure: TransferFailure | null;
  actorKind: ActorKind;
  actorId: string | null;
  actorRole: Role | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
}

export function toTransfer(row: TransferRow): Transfer {
  return {
    id: row.id,
    tenantId: row.tenantId,
    kind: row.kind,
    status: row.status,
    isWholeTenant: row.isWholeTenant,
    entity: row.entity,
    format: row.format,
    settings: row.settings,
    fileName: row.fileName,
    fileId: row.fileId,
    fileBytes: row.fileBytes,
    revision: row.revision,
    isRequested: row.isRequested,
    isStopRequested: row.isStopRequested,
    rows: row.rows,
    attempts: row.attempts,
    readBytes: row.readBytes,
    counts: { created: row.created, updated: row.updated, failed: row.failed },
    totalCount: row.totalCount,
    errorCount: row.errorCount,
    ignoredColumns: row.ignoredColumns,
    failure: row.failure,
    actorKind: row.actorKind,
    actorId: row.actorId,
    actorRole: row.actorRole,
    createdAt: row.createdAt,
    startedAt: row.startedAt,
    finishedAt: row.finishedAt,
  };
}
