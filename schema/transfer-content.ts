/**
 * How the content of imports and exports passes between the gateway and the entities subgraph, in process as method
 * calls, over HTTP as `PUT|GET /internal/transfers/:id/content` with the caller's claims in `x-tenantry-claims` and the
 * file's name, URI-encoded, in `x-file-name`.
 */
import type { Claims } from './claims.ts';

/** What a client's uploads and downloads go to: on the gateway this path, with an id for `:id`. */
export function transferContentPath(id: string): string {
  return `/transfers/${id}/content`;
}

/** The same between the gateway and the entities subgraph. */
export function internalContentPath(id: string): string {
  return `/internal/transfers/${id}/content`;
}

/** Carries the file's name, URI-encoded. */
export const fileNameHeader = 'x-file-name';

export interface ContentRequest {
  readonly claims: Claims;
  readonly transferId: string;
  readonly requestId: string;
}

export interface ContentUpload extends ContentRequest {
  readonly body: AsyncIterable<Uint8Array>;
  readonly fileName: string | null;
}

export interface ContentDownload {
  readonly bytes: number;
  readonly contentType: string;
  readonly fileName: string;
  readonly body: AsyncIterable<Uint8Array>;
}

export interface TransferContent {
  /** NOT_FOUND, FORBIDDEN, CONFLICT (it has begun), BAD_USER_INPUT (too large). Answers how much arrived and the transfer's status. */
  put(upload: ContentUpload): Promise<{ id: string; bytes: number; status: string }>;
  /** NOT_FOUND also where there is no content yet, or not any more. */
  get(request: ContentRequest): Promise<ContentDownload>;
}
