/** What the log's readers ask of storage. Implementation: `createEventStore`. */
import type { LogEvent } from '#schema/events.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import type { FilteredRecord } from '#subgraphs/model/filter/predicate.ts';

/** Where a tenant's log begins and ends. */
export interface LogHead {
  /** The last event's `seq`; 0 where there was none yet. */
  seq: number;
  /** Events up to and including this one are gone. */
  trimmedSeq: number;
  definitionsVersion: number;
}

export interface StoredEvent {
  event: LogEvent;
  /** About what it occupies; for limits. */
  bytes: number;
}

export interface EventPage {
  /** In order of `seq`, without gaps. */
  events: StoredEvent[];
  /** Whether a limit ended the page, so that more may be there already. */
  isCut: boolean;
}

export interface PageLimits {
  /** 1 or more. */
  count: number;
  /** The page ends with the event that reaches this; it holds one event at least. */
  bytes: number;
}

export interface ChangesPage {
  /** RECORD events; without `before` unless it was asked for. */
  events: LogEvent[];
  hasNextPage: boolean;
  head: LogHead;
}

export interface EventStore {
  /** TENANT_NOT_FOUND where there is no such tenant. */
  readHead(tenantId: string): Promise<LogHead>;
  /** The last `seq` of each tenant, in one statement. Unknown ones are missing. */
  readLastSeqs(tenantIds: readonly string[]): Promise<Map<string, number>>;
  /** What follows `afterSeq`. */
  readPage(tenantId: string, afterSeq: number, limits: PageLimits): Promise<EventPage>;
  /** Records' events of some entities after `afterSeq` (null: after what was trimmed), with the head of the same snapshot. */
  readChanges(
    tenantId: string,
    request: {
      afterSeq: number | null;
      entityIds: readonly string[];
      withBefore?: boolean;
      limits: PageLimits;
    },
  ): Promise<ChangesPage>;
  /** Those of `ids` whose records, deleted ones too, match the filter now. One statement. */
  findMatching(
    model: TenantModel,
    entity: EntityDefinition,
    filter: Readonly<Record<string, unknown>>,
    ids: readonly string[],
  ): Promise<Set<string>>;
  /**
   * The places in `images` of those that match the filter. What it says of related records is their state now. One
   * statement.
   */
  findMatchingImages(
    model: TenantModel,
    entity: EntityDefinition,
    filter: FilterNode,
    images: readonly FilteredRecord[],
  ): Promise<Set<number>>;
  /** Removes events older than `before`, at most about `batchSize` of them, and moves `trimmedSeq`. Returns how many went. */
  trim(before: Date, batchSize: number): Promise<number>;
}
