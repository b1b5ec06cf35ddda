/** What running a transfer needs, and what it says of itself. */
import type { Claims } from '#schema/claims.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { DefinitionDraft } from '../definitions/draft.ts';
import type { ChangeRequest } from '../store/definition-store.ts';
import type { RecordStore } from '../store/record-store.ts';
import type { KnownKeys } from './import/known-keys.ts';
import type { FileStore } from '../files/file-store.ts';
import type { TenantFiles } from '../files/tenant-files.ts';
import type { TenantPeople } from './tenant/people.ts';
import type { ProgressReport, Transfer } from './transfer.ts';

export interface TransferTools {
  readonly records: RecordStore;
  readonly known: KnownKeys;
  readonly files: FileStore;
  readonly definitions: {
    change(request: ChangeRequest, plan: (draft: DefinitionDraft) => void): Promise<unknown>;
  };
  readonly people: TenantPeople;
  /** Null where this process keeps no files of fields. */
  readonly tenantFiles: TenantFiles | null;
  /** The tenant's newest definitions. */
  getModel(claims: Claims): Promise<TenantModel>;
}

export interface TransferRun {
  /** As it was when it began to run. */
  readonly transfer: Transfer;
  /** The actor's, with its rights as they are now. */
  readonly claims: Claims;
  /** Kept with the events. */
  readonly requestId: string;
  /** Notes down a batch. False: stop here. */
  report(report: ProgressReport): Promise<boolean>;
}

/** STOPPED: `report` said so. What goes wrong is thrown; a DomainError is for whoever started the transfer. */
export interface RunEnd {
  readonly status: 'DONE' | 'STOPPED';
  /** What an export wrote. */
  readonly file: { readonly id: string; readonly bytes: number } | null;
}

export const nothingCounted = { created: 0, updated: 0, failed: 0 } as const;
