/** What is kept of files beside their content, and what storage can do with it. */
import type { ActorKind, Claims } from '#schema/claims.ts';

/** See the table `files`. */
export const fileStates = ['PENDING', 'READY', 'ATTACHED', 'DETACHED', 'REMOVING'] as const;
export type FileState = (typeof fileStates)[number];

export interface KnownFile {
  readonly id: string;
  readonly state: FileState;
  readonly name: string;
  /** Null: to be told from the content. */
  readonly contentType: string | null;
  /** As it was said at first, then as it is. */
  readonly size: number | null;
  readonly sha256: string | null;
  /** Of the content in the file store; null: none has ever begun to arrive. */
  readonly contentId: string | null;
  readonly actorKind: ActorKind;
  readonly actorId: string | null;
  readonly createdAt: Date;
  /** The record's field that holds it, or held it last. */
  readonly holder: {
    readonly entityId: string;
    readonly recordId: string;
    readonly fieldKey: string;
  } | null;
}

export interface NewFile {
  readonly id: string;
  readonly name: string;
  readonly contentType: string | null;
  readonly size: number | null;
}

/** All under row-level security: another tenant's file is exactly as unknown as one that never was. */
export interface FileRecords {
  /** PENDING, of the claims' actor. Does nothing where the id is known already. */
  insert(claims: Claims, file: NewFile): Promise<KnownFile>;
  find(claims: Claims, id: string): Promise<KnownFile | null>;
  /** Those of `ids` that records hold. */
  findAttached(claims: Claims, ids: readonly string[]): Promise<KnownFile[]>;
  /** What the tenant's files occupy together, and how many of them no record holds. */
  measure(claims: Claims): Promise<{ bytes: number; loose: number }>;
  /** The content is about to arrive under this id. False: the file has its content, or is gone. */
  begin(claims: Claims, id: string, contentId: string): Promise<boolean>;
  /** It has arrived. Null: another upload of the same file has begun since, or it is gone. */
  complete(
    claims: Claims,
    id: string,
    content: {
      readonly contentId: string;
      readonly contentType: string;
      readonly size: number;
      readonly sha256: string;
    },
  ): Promise<KnownFile | null>;

  /** Across tenants: files that no record has held since `before`, the longest first. */
  findLoose(before: Date, limit: number): Promise<{ tenantId: string; id: string }[]>;
  /**
   * From here on nothing brings the file back; it is this caller's to remove, until it is found again a day later. Null: a
   * record holds it by now, another is at it, or it is gone.
   */
  beginRemoval(
    claims: Claims,
    id: string,
    before: Date,
  ): Promise<{ readonly contentId: string | null } | null>;
  /** After its content is gone. */
  forget(claims: Claims, id: string): Promise<void>;
}

/** Not by the id alone: a key's may be any. */
export function isUploader(claims: Claims, file: Pick<KnownFile, 'actorKind' | 'actorId'>): boolean {
  return file.actorKind === claims.actorKind && file.actorId !== null && file.actorId === claims.actorId;
}
