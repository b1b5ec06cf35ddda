import type { ActorKind } from '#schema/claims.ts';
import type { EventKind, LogEvent, LoggedOperation, LogRecord } from '#schema/events.ts';

/** A row of `events` as the driver gives it. */
export interface EventRow {
  seq: number;
  at: Date;
  kind: EventKind;
  entity_id: string | null;
  record_id: string | null;
  operation: LoggedOperation | null;
  changed_fields: string[];
  before: LogRecord | null;
  after: LogRecord | null;
  actor_kind: ActorKind;
  actor_id: string | null;
  request_id: string | null;
}

/** All columns of `events` that an `EventRow` has. */
export const eventColumns: readonly string[] =
  'seq at kind entity_id record_id operation changed_fields before after actor_kind actor_id request_id'.split(
    ' ',
  );

export function parseEventRow(tenantId: string, row: EventRow): LogEvent {
  return {
    tenantId,
    seq: row.seq,
    at: row.at.toISOString(),
    kind: row.kind,
    entityId: row.entity_id,
    recordId: row.record_id,
    operation: row.operation,
    changedFields: row.changed_fields,
    before: row.before,
    after: row.after,
    actorKind: row.actor_kind,
    actorId: row.actor_id,
    requestId: row.request_id,
  };
}
