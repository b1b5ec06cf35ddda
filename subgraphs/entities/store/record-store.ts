/** The record store's contract: what the generated resolvers ask of storage. Implementation: `createRecordStore`. */
import type { Claims } from '#schema/claims.ts';
import type { LoggedOperation } from '#schema/events.ts';
import type { AggregateFunction } from '#subgraphs/model/aggregate/members.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';

/** A record as it is stored: `data` by field key, in stored form (dates as ISO text, relations as ids). */
export interface StoredRecord {
  readonly entityId: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly createdBy: string | null;
  readonly deletedAt: Date | null;
}

/** Under whose rights and which definitions a call runs; what is kept with the event. */
export interface StoreContext {
  readonly claims: Claims;
  readonly model: TenantModel;
  readonly requestId: string;
  /** Writes: done once for each key. Who repeats one gets its first answer; CONFLICT for another request. */
  readonly idempotency?: WriteRequest | null;
  /** Writes: creations do not count towards an entity's limits. */
  readonly ignoresLimits?: boolean | undefined;
}

/** A write as its caller knows it, by values that a retry repeats. */
export interface WriteRequest {
  readonly key: string;
  /** Keys of one operation on one entity mean nothing to another. */
  readonly operation: string;
  readonly entityId: string;
  /** In JSON the same for the same request. */
  readonly request: unknown;
}

/** `{ name: 'DESC_NULLS_LAST' }` or, by a relation's field, `{ company: { name: 'ASC' } }`; one member each. */
export type OrderTerm = Readonly<Record<string, unknown>>;

/** What chooses records of an entity. */
export interface RecordChoice {
  readonly entity: EntityDefinition;
  /** As the generated input type gives it; validated by the store. */
  readonly filter?: Readonly<Record<string, unknown>> | null;
  readonly search?: string | null;
  readonly includeDeleted?: boolean | null;
}

export interface ListRequest extends RecordChoice {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
  readonly offset?: number | null;
  readonly orderBy?: readonly OrderTerm[] | null;
}

export interface Page {
  readonly edges: readonly { readonly cursor: string; readonly record: StoredRecord }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** One page of children for each parent, in one statement. */
export interface InverseRequest extends ListRequest {
  /** The RELATION field (of `entity`) that points at the parents. */
  readonly relationFieldId: string;
  /** Of a relation to several entities: which of them the parents are of. */
  readonly targetEntityId?: string;
  /** Many-to-many: whether the parents are those whose field it is (forward), or those that it points at. */
  readonly link?: 'forward' | 'inverse';
  readonly parentIds: readonly string[];
}

/** Figures over groups of records. `groupBy having orderBy` as the generated input types give them; validated by the store. */
export interface AggregateRequest extends RecordChoice {
  readonly groupBy?: readonly Readonly<Record<string, unknown>>[] | null;
  readonly having?: Readonly<Record<string, unknown>> | null;
  readonly orderBy?: readonly OrderTerm[] | null;
  readonly first?: number | null;
  readonly offset?: number | null;
  /** The figures to compute: a function, and a field's member of it. Others are ignored. */
  readonly measures: readonly { readonly name: AggregateFunction; readonly member: string }[];
}

type Figures = Readonly<Record<string, unknown>>;

/** Values by member, in output form. */
export interface AggregateGroup extends Readonly<Record<AggregateFunction, Figures>> {
  readonly group: Figures;
  readonly count: number;
}

/** What an import says of a record that it brings along; what is absent the store decides as for any new record. */
export interface RecordOrigin {
  /** CONFLICT where a record of the entity, deleted ones included, has it already. */
  readonly id?: string;
  readonly createdAt?: Date;
  readonly createdBy?: string | null;
}

/** One member of a batch of updates. */
export interface RecordUpdate {
  readonly id: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly expectedVersion?: number | null;
}

/** One change of a record. */
export interface RecordVersion {
  readonly cursor: string;
  readonly operation: LoggedOperation;
  readonly at: Date;
  /** The user who did it; null where no user of the tenant did. */
  readonly userId: string | null;
  /** Field keys; of a deletion or restoration none. */
  readonly changedFields: readonly string[];
  /** The data before. */
  readonly before: Readonly<Record<string, unknown>>;
  /** The record after. */
  readonly record: StoredRecord;
}

export interface HistoryPage {
  /** The latest first. */
  readonly versions: readonly RecordVersion[];
  readonly hasNextPage: boolean;
}

/** Exactly one of them. */
export interface PurgeRequest {
  readonly ids?: readonly string[] | null;
  readonly deletedBefore?: Date | string | null;
}

export interface RecordStore {
  /** In the order of `ids`; null for an id that is unknown, deleted or another tenant's. One statement. */
  findMany(
    context: StoreContext,
    entity: EntityDefinition,
    ids: readonly string[],
  ): Promise<(StoredRecord | null)[]>;
  /** By a unique field or group: `values` by their members' names (`companyId`). Null where no record has them. */
  findByUnique(
    context: StoreContext,
    entity: EntityDefinition,
    name: string,
    values: Readonly<Record<string, unknown>>,
  ): Promise<StoredRecord | null>;
  list(context: StoreContext, request: ListRequest): Promise<Page>;
  count(context: StoreContext, request: RecordChoice): Promise<number>;
  /** Without `groupBy` exactly one group, also of no records, where `having` leaves it. */
  aggregate(context: StoreContext, request: AggregateRequest): Promise<AggregateGroup[]>;
  listInverse(context: StoreContext, request: InverseRequest): Promise<Page[]>;
  countInverse(context: StoreContext, request: InverseRequest): Promise<number[]>;

  /** What became of a record, deleted or not; null for an id that is unknown, purged, or another tenant's. One statement. */
  listVersions(
    context: StoreContext,
    entity: EntityDefinition,
    id: string,
    page: Pick<ListRequest, 'first' | 'after'>,
  ): Promise<HistoryPage | null>;
  /** The record as it was in a version; null where it had none of that number. */
  findVersion(
    context: StoreContext,
    entity: EntityDefinition,
    id: string,
    version: number,
  ): Promise<StoredRecord | null>;

  /** All or nothing, up to 1,000. `inputs` are by field name; `origins`, where given, has a member for each input. */
  create(
    context: StoreContext,
    entity: EntityDefinition,
    inputs: readonly Readonly<Record<string, unknown>>[],
    origins?: readonly RecordOrigin[],
  ): Promise<StoredRecord[]>;
  /** NOT_FOUND; VERSION_CONFLICT with `currentVersion` where `expectedVersion` differs. */
  update(
    context: StoreContext,
    entity: EntityDefinition,
    id: string,
    input: Readonly<Record<string, unknown>>,
    expectedVersion?: number | null,
  ): Promise<StoredRecord>;
  /** Creates, or updates the record that has the same value in the unique field, or the same values in the unique group. */
  upsert(
    context: StoreContext,
    entity: EntityDefinition,
    unique: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<StoredRecord>;
  /** Softly: its keys go, relations at it follow their onDelete. */
  delete(
    context: StoreContext,
    entity: EntityDefinition,
    id: string,
    expectedVersion?: number | null,
  ): Promise<StoredRecord>;
  restore(context: StoreContext, entity: EntityDefinition, id: string): Promise<StoredRecord>;

  /**
   * Batches: as the above for up to 1,000 records, all or nothing, in a number of statements that does not depend on
   * theirs. Answers are in the order of what was asked, errors name the place (`inputs.3.name`, `ids.3`), and a record
   * may come only once (BAD_USER_INPUT).
   */
  updateMany(
    context: StoreContext,
    entity: EntityDefinition,
    updates: readonly RecordUpdate[],
  ): Promise<StoredRecord[]>;
  upsertMany(
    context: StoreContext,
    entity: EntityDefinition,
    unique: string,
    inputs: readonly Readonly<Record<string, unknown>>[],
  ): Promise<StoredRecord[]>;
  deleteMany(
    context: StoreContext,
    entity: EntityDefinition,
    ids: readonly string[],
  ): Promise<StoredRecord[]>;
  restoreMany(
    context: StoreContext,
    entity: EntityDefinition,
    ids: readonly string[],
  ): Promise<StoredRecord[]>;

  /** Removes deleted records for good, with keys and history: those of `ids`, or up to 1,000 that are old. Returns how many. */
  purge(context: StoreContext, entity: EntityDefinition, request: PurgeRequest): Promise<number>;
}
