/** The event log's record as it leaves the store, and the cursor that names a place in it. */
import { DomainError } from './errors.ts';
import type { ActorKind } from './claims.ts';

/** RECORD: one record changed. DEFINITIONS: the tenant's definitions changed. NOTIFICATION: a message was sent to a user. */
export const eventKinds = ['RECORD', 'DEFINITIONS', 'NOTIFICATION'] as const;
export type EventKind = (typeof eventKinds)[number];

export const changeOperations = ['CREATED', 'UPDATED', 'DELETED', 'RESTORED', 'ENTERED', 'LEFT'] as const;
export type ChangeOperation = (typeof changeOperations)[number];

/** What the log itself holds; ENTERED and LEFT exist only relative to a subscriber's filter. */
export type LoggedOperation = 'CREATED' | 'UPDATED' | 'DELETED' | 'RESTORED';

/** A record's stored data by field key (not name: names may change), with its system columns as `LogRecord`. */
export type RecordData = Record<string, unknown>;

/** A record before or after a change. Times are ISO 8601 in UTC with milliseconds. */
export interface LogRecord {
  data: RecordData;
  version: number;
  createdAt: string;
  updatedAt: string;
  createdBy: string | null;
  deletedAt: string | null;
}

export interface LogEvent {
  tenantId: string;
  /** 1, 2, 3 … per tenant, in commit order and without gaps. */
  seq: number;
  at: string;
  kind: EventKind;
  entityId: string | null;
  recordId: string | null;
  operation: LoggedOperation | null;
  /** Field keys. */
  changedFields: string[];
  before: LogRecord | null;
  after: LogRecord | null;
  actorKind: ActorKind;
  actorId: string | null;
  requestId: string | null;
}

/** An opaque cursor for a place in a tenant's log: everything up to and including `seq` was seen. */
export function encodeLogCursor(seq: number): string {
  return Buffer.from(`log:${seq}`).toString('base64url');
}

/** The `seq` of a cursor. Throws BAD_USER_INPUT when it is none of ours. */
export function decodeLogCursor(cursor: string): number {
  const match = /^log:(\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (!match) {
    const message = `"${cursor.slice(0, 40)}" is not a cursor of the change log`;
    throw new DomainError('BAD_USER_INPUT', message, {
      fields: [{ field: 'after', rule: 'cursor', message }],
    });
  }
  return Number(match[1]);
}
