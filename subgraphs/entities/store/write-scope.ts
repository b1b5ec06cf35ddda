/** What the parts of a write share: its transaction, definitions and rights, and what they make of records. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { LoggedOperation } from '#schema/events.ts';
import type { SequenceField } from '#subgraphs/model/computed-defaults.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { type ModelAccess, wholeAccess } from '#subgraphs/model/permissions/access.ts';
import type { StoredRecord } from './record-store.ts';

/** Thrown by a write that saw another one's unfinished business: start again from the beginning. */
export class TryAgain extends Error {
  override readonly name = 'TryAgain';
}

export interface RecordChange {
  readonly operation: LoggedOperation;
  readonly before: StoredRecord | null;
  readonly after: StoredRecord;
  /** Field keys. */
  readonly changedFields: readonly string[];
}

/** What a write took from its entities' counters (write-counters.ts). */
export interface TakenCounters {
  /** The next of the numbers that were taken for a field. */
  next(sequence: SequenceField): number;
}

export interface WriteScope {
  readonly tx: TenantTransaction;
  readonly tenantId: string;
  readonly model: TenantModel;
  /** `createdBy` of what is created: the user, or null where no user of the tenant acts. */
  readonly userId: string | null;
  /** The time of this write, to the millisecond. */
  readonly now: Date;
  /** The caller's, under this model. */
  readonly access: ModelAccess;
  /** Targets of relations (`targetKey`) that need no more looking for: this write locked them, or creates them. */
  readonly known?: ReadonlySet<string>;
  /** What this write took from its entities' counters already; where absent, creating takes what it needs. */
  readonly counters?: TakenCounters;
  /** Creations are not counted: what is brought back was counted when it was new. */
  readonly ignoresLimits?: boolean | undefined;
}

/** For what the platform does to records by itself. */
export function platformScope(tx: TenantTransaction, model: TenantModel): WriteScope {
  return { tx, tenantId: tx.claims.tenantId, model, userId: null, now: new Date(), access: wholeAccess };
}

export interface Written<T> {
  readonly result: T;
  /** In the order in which they stand in the log; none: nothing was changed. */
  readonly changes: readonly RecordChange[];
}
