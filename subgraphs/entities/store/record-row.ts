/** A row of `records`, as it is read, and as the event log keeps it. */
import type { LogRecord } from '#schema/events.ts';
import { fromStoredData } from '#subgraphs/model/stored-form.ts';
import type { StoredRecord } from './record-store.ts';

export interface RecordRow {
  id: string;
  data: Record<string, unknown>;
  version: number;
  created_at: Date;
  updated_at: Date;
  created_by: string | null;
  deleted_at: Date | null;
}

/** The columns of a `RecordRow`, under an alias. */
export function recordColumns(alias: string): string {
  return ['id', 'data', 'version', 'created_at', 'updated_at', 'created_by', 'deleted_at']
    .map((column) => `${alias}.${column}`)
    .join(', ');
}

export function toRecord(entityId: string, row: RecordRow): StoredRecord {
  return {
    entityId,
    id: row.id,
    data: fromStoredData(row.data),
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    createdBy: row.created_by,
    deletedAt: row.deleted_at,
  };
}

export function toLogRecord(record: StoredRecord): LogRecord {
  return {
    data: record.data,
    version: record.version,
    createdAt: record.createdAt.toISOString(),
    updatedAt: record.updatedAt.toISOString(),
    createdBy: record.createdBy,
    deletedAt: record.deletedAt?.toISOString() ?? null,
  };
}
