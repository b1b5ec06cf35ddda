/** Rows of `files` as they are read. */
import type { ActorKind } from '#schema/claims.ts';
import type { FileState, KnownFile } from '../files/file-records.ts';

/** By the names of `FileRow`. */
export const fileColumns = [
  ...['id', 'state', 'name', 'size', 'sha256', 'content_type as "contentType"'],
  ...['content_id as "contentId"', 'actor_kind as "actorKind"', 'actor_id as "actorId"'],
  ...['created_at as "createdAt"', 'entity_id as "entityId"', 'record_id as "recordId"'],
  'field_key as "fieldKey"',
].join(', ');

export interface FileRow {
  id: string;
  state: FileState;
  name: string;
  contentType: string | null;
  size: number | null;
  sha256: string | null;
  contentId: string | null;
  actorKind: ActorKind;
  actorId: string | null;
  createdAt: Date;
  entityId: string | null;
  recordId: string | null;
  fieldKey: string | null;
}

export function toKnownFile(row: FileRow): KnownFile {
  const { id, state, name, contentType, size, sha256, contentId, actorKind, actorId, createdAt } = row;
  const { entityId, recordId, fieldKey } = row;
  return {
    ...{ id, state, name, contentType, size, sha256, contentId, actorKind, actorId, createdAt },
    holder:
      entityId === null || recordId === null || fieldKey === null ? null : { entityId, recordId, fieldKey },
  };
}
