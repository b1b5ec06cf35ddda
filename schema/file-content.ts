/**
 * How the content of FILE fields passes between the gateway and the entities subgraph: in process as method calls, over
 * HTTP as `GET|PUT /internal/files/:id` and `GET /internal/files/:id/content`, with the caller's claims in
 * `x-tenantry-claims`. The same call answers an upload and what it is refused with.
 */
import type { Claims } from './claims.ts';

/** Where a file is uploaded to and read from: on the gateway this path, with an id for `:id`. */
export function filePath(id: string): string {
  return `/files/${id}`;
}

/** Between the gateway and the entities subgraph: what is known of a file (GET), its upload (PUT). */
export function internalFilePath(id: string): string {
  return `/internal/files/${id}`;
}

/** The bytes, with `range` in the header of that name. */
export function internalFileBytesPath(id: string): string {
  return `/internal/files/${id}/content`;
}

/** What is known of a file once its content has arrived. Nothing of it changes any more. */
export interface FileFacts {
  readonly id: string;
  readonly name: string;
  /** In lower case, without parameters. */
  readonly contentType: string;
  readonly size: number;
  /** Of the content, in hexadecimal. */
  readonly sha256: string;
  /** ISO, UTC. */
  readonly createdAt: string;
}

/** Both ends are within the file and included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface FileRequest {
  readonly claims: Claims;
  readonly fileId: string;
  readonly requestId: string;
}

export interface FileUpload extends FileRequest {
  readonly body: AsyncIterable<Uint8Array>;
}

export interface FileRead extends FileRequest {
  /** Null: all of it. */
  readonly range: ByteRange | null;
}

/** A file that the caller may not see is exactly as unknown as one that never was: NOT_FOUND. */
export interface FileContent {
  /** NOT_FOUND, FORBIDDEN, CONFLICT (it has its content), BAD_USER_INPUT (rule `size` or `contentType`), QUOTA_EXCEEDED. */
  put(upload: FileUpload): Promise<FileFacts>;
  find(request: FileRequest): Promise<FileFacts>;
  /** Asks again whether the caller may. */
  read(request: FileRead): Promise<AsyncIterable<Uint8Array>>;
}

/**
 * A link that needs no other credentials: a JWT (HS256, key SUBGRAPH_SECRET) in the query parameter `link`, which says
 * which file, and under whose rights it is read. The rights are looked at again each time.
 */
export const fileLink = {
  parameter: 'link',
  issuer: 'tenantry-entities',
  audience: 'tenantry-file',
  algorithm: 'HS256',
} as const;

/** Beside `iss aud exp`; short, since it is a part of an address. */
export interface FileLinkPayload {
  /** The file. */
  readonly sub: string;
  /** `Claims`: tenantId, actorKind, actorId, role, authVersion, sessionId. */
  readonly c: readonly [
    Claims['tenantId'],
    Claims['actorKind'],
    Claims['actorId'],
    Claims['role'],
    Claims['authVersion'],
    Claims['sessionId'],
  ];
}
