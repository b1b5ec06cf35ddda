/** An import or export as a record of its own: what was asked, how far it is, and what storage can do with it. */
import type { ActorKind, Claims, Role } from '#schema/claims.ts';
import type { FieldError } from '#schema/errors.ts';
import type { ExportSettings } from './export/export-settings.ts';
import type { TransferFormat } from './formats/source-row.ts';
import type { ImportSettings } from './import/import-settings.ts';
import type { RowError } from './import/row-error.ts';

export const transferKinds = ['IMPORT', 'EXPORT'] as const;
export type TransferKind = (typeof transferKinds)[number];

/** PENDING: waits for its file, for `resumeTransfer`, or for its turn. The last three are ends; FAILED and STOPPED can go on. */
export const transferStatuses = ['PENDING', 'RUNNING', 'DONE', 'FAILED', 'STOPPED'] as const;
export type TransferStatus = (typeof transferStatuses)[number];

export interface TransferCounts {
  readonly created: number;
  readonly updated: number;
  /** Rows that were refused. */
  readonly failed: number;
}

export interface TransferFailure {
  readonly code: string;
  readonly message: string;
  readonly fields?: readonly FieldError[];
}

export interface Transfer {
  readonly id: string;
  readonly tenantId: string;
  readonly kind: TransferKind;
  readonly status: TransferStatus;
  readonly isWholeTenant: boolean;
  readonly entity: string | null;
  readonly format: TransferFormat;
  /** `ImportSettings` or `ExportSettings`, by `kind`. */
  readonly settings: Partial<ImportSettings> & Partial<ExportSettings>;
  readonly fileName: string | null;
  /** Of its content; another content has another id. Null as long as there is none, and once it is gone. */
  readonly fileId: string | null;
  readonly fileBytes: number | null;
  /** Rises with every change. */
  readonly revision: number;
  readonly isRequested: boolean;
  readonly isStopRequested: boolean;
  /** Rows from the file's first on that are settled: written, or among the errors. An export's: those in its file. */
  readonly rows: number;
  /** Processes that took it since its last progress. */
  readonly attempts: number;
  readonly readBytes: number;
  readonly counts: TransferCounts;
  readonly totalCount: number | null;
  /** Of the rows; all of them are counted, the first `maxKeptErrors` kept. */
  readonly errorCount: number;
  readonly ignoredColumns: readonly string[];
  readonly failure: TransferFailure | null;
  readonly actorKind: ActorKind;
  readonly actorId: string | null;
  readonly actorRole: Role | null;
  readonly createdAt: Date;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
}

export const maxKeptErrors = 1_000;

export interface NewTransfer {
  readonly id: string;
  readonly kind: TransferKind;
  readonly isWholeTenant: boolean;
  readonly entity: string | null;
  readonly format: TransferFormat;
  readonly settings: Transfer['settings'];
  readonly fileName: string | null;
  /** Whether it may run as soon as it can: an export at once, an import once it has its file. */
  readonly isRequested: boolean;
}

/** What a process that runs a transfer says after each batch. */
export interface ProgressReport {
  /** From the file's first on, as is `readBytes`. */
  readonly rows: number;
  readonly readBytes: number;
  /** Of the batch, as are `errors`. */
  readonly counts: TransferCounts;
  readonly errors: readonly RowError[];
  readonly totalCount?: number | null;
  readonly ignoredColumns?: readonly string[];
}

/** What it is told back. */
export interface ProgressAnswer {
  readonly isStopRequested: boolean;
  /** What the actor may do now; null: nothing any more (it is gone, or the tenant is not active). */
  readonly role: Role | null;
  readonly isActive: boolean;
}

/** All under row-level security: another tenant's transfer is exactly as unknown as one that never was. */
export interface TransferStore {
  insert(claims: Claims, transfer: NewTransfer): Promise<Transfer>;
  find(claims: Claims, id: string): Promise<Transfer | null>;
  /** The newest first, before `before`; `actorId` null: everybody's. */
  list(
    claims: Claims,
    request: { first: number; before: { createdAt: Date; id: string } | null; actorId: string | null },
  ): Promise<Transfer[]>;
  count(claims: Claims, actorId: string | null): Promise<number>;
  /** What all files of the tenant's transfers occupy. */
  usedBytes(claims: Claims): Promise<number>;
  /** The first ones. */
  listErrors(claims: Claims, id: string, first: number): Promise<RowError[]>;
  /** Null: it is running, or has begun and cannot take another file. */
  setFile(
    claims: Claims,
    id: string,
    file: { id: string; bytes: number; name: string | null },
  ): Promise<Transfer | null>;
  /** The content with this id is about to be removed. False: the transfer has another one by now, or is running. */
  forgetFile(claims: Claims, id: string, fileId: string): Promise<boolean>;
  /**
   * Lets it run (again) with these settings. `startsOver` also forgets how far it was. Null where it runs already, or is
   * of another revision by now.
   */
  request(
    claims: Claims,
    transfer: Pick<Transfer, 'id' | 'revision'>,
    change: { entity: string | null; settings: Transfer['settings']; startsOver: boolean },
  ): Promise<Transfer | null>;
  /** A running one is asked to stop after its batch; one that waits stops at once. Null where it is at an end. */
  stop(claims: Claims, id: string): Promise<Transfer | null>;

  /** Takes it for this process. Null: another has it, or it does not wait. */
  claim(
    claims: Claims,
    id: string,
    lease: Lease,
  ): Promise<{ transfer: Transfer; rights: ProgressAnswer } | null>;
  /** Notes down a batch and keeps the lease. Null: it is not this process's any more. */
  report(claims: Claims, id: string, lease: Lease, report: ProgressReport): Promise<ProgressAnswer | null>;
  finish(
    claims: Claims,
    id: string,
    runnerId: string,
    end: {
      status: 'DONE' | 'FAILED' | 'STOPPED';
      failure: TransferFailure | null;
      file: { id: string; bytes: number } | null;
    },
  ): Promise<void>;
  /** Says that the process is alive while it has no batch to report. */
  keepLease(claims: Claims, id: string, lease: Lease): Promise<void>;
  /** Whoever comes next may claim it at once. */
  release(claims: Claims, id: string, runnerId: string): Promise<void>;

  /** Across tenants: what may run and nobody runs, the longest waiting first. */
  findWaiting(limit: number): Promise<{ tenantId: string; id: string }[]>;
  /** Across tenants: transfers that have a file and are older. */
  findOldFiles(before: Date, limit: number): Promise<{ tenantId: string; id: string; fileId: string }[]>;
}

export interface Lease {
  readonly runnerId: string;
  readonly seconds: number;
}
