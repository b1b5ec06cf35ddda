import { DomainError } from '#schema/errors.ts';
import type { ChangeOperation, LogEvent, LoggedOperation, LogRecord } from '#schema/events.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { compilePredicate, type Verdict } from '#subgraphs/model/filter/predicate.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import type { EventStore } from '../log/event-store.ts';
import type { Feed, LogEntry } from '../log/feed.ts';
import { createBatchedMatch } from './batched-match.ts';
import { Change } from './change.ts';
import { createTouchTest } from './filter-keys.ts';
import { edgeOf, mayBeWanted, toldAs } from './operations.ts';

export interface EntityFeedRequest {
  entity: EntityDefinition;
  ids: readonly string[] | null;
  operations: readonly ChangeOperation[] | null;
  filter: Readonly<Record<string, unknown>> | null;
}

/** Equal for requests that see the same changes. */
export function entityFeedKey({ entity, ids, operations, filter }: EntityFeedRequest): string {
  const sorted = (list: readonly string[] | null) => (list === null ? null : [...new Set(list)].toSorted());
  return JSON.stringify(['entity', entity.id, sorted(ids), sorted(operations), filter]);
}

/** The request under the definitions of one version. */
interface Compiled {
  entity: EntityDefinition;
  filter: CompiledFilter | null;
}

interface CompiledFilter {
  test(id: string, record: LogRecord | null): Verdict;
  isTouchedBy(keys: readonly string[]): boolean;
  matchesNow(id: string): Promise<boolean>;
}

/**
 * Changes of one entity's records. It follows the entity's id, so it survives a rename; `check` and `project` throw
 * NOT_FOUND once it is gone, and BAD_USER_INPUT where the filter does not fit the definitions any more.
 */
export class EntityFeed implements Feed<Change> {
  readonly #request: EntityFeedRequest;
  readonly #store: Pick<EventStore, 'findMatching'>;
  readonly #ids: ReadonlySet<string> | null;
  readonly #wanted: ReadonlySet<ChangeOperation> | null;
  readonly #compiled = new WeakMap<TenantModel, Compiled>();

  constructor(request: EntityFeedRequest, store: Pick<EventStore, 'findMatching'>) {
    this.#request = request;
    this.#store = store;
    this.#ids = request.ids === null ? null : new Set(request.ids.map((id) => id.toLowerCase()));
    this.#wanted = request.operations === null ? null : new Set(request.operations);
  }

  check(model: TenantModel): void {
    this.#compile(model);
  }

  project({ event, model }: LogEntry): Change | null | Promise<Change | null> {
    const { entity, filter } = this.#compile(model);
    if (event.kind !== 'RECORD' || event.entityId !== entity.id) return null;
    const { recordId, operation } = event;
    if (recordId === null || operation === null || (this.#ids && !this.#ids.has(recordId))) return null;
    if (!mayBeWanted(operation, this.#wanted)) return null;
    if (filter === null) return this.#tell(event, entity, operation);
    if (operation === 'UPDATED') return this.#projectUpdate(event, entity, recordId, filter);
    return this.#projectOther(event, entity, recordId, operation, filter);
  }

  #projectUpdate(
    event: LogEvent,
    entity: EntityDefinition,
    recordId: string,
    filter: CompiledFilter,
  ): Change | null | Promise<Change | null> {
    const before = filter.test(recordId, event.before);
    const after = filter.test(recordId, event.after);
    const isTouched = filter.isTouchedBy(event.changedFields);
    if (after !== 'NEEDS_STORE') return this.#tell(event, entity, edgeOf(before, after, isTouched));
    return filter
      .matchesNow(recordId)
      .then((matches) => this.#tell(event, entity, edgeOf(before, matches, isTouched)));
  }

  #projectOther(
    event: LogEvent,
    entity: EntityDefinition,
    recordId: string,
    operation: LoggedOperation,
    filter: CompiledFilter,
  ): Change | null | Promise<Change | null> {
    const matched = filter.test(
      recordId,
      operation === 'DELETED' ? (event.before ?? event.after) : event.after,
    );
    if (matched !== 'NEEDS_STORE') return matched ? this.#tell(event, entity, operation) : null;
    return filter
      .matchesNow(recordId)
      .then((matches) => (matches ? this.#tell(event, entity, operation) : null));
  }

  #tell(event: LogEvent, entity: EntityDefinition, operation: ChangeOperation | null): Change | null {
    const told = toldAs(operation, this.#wanted);
    return told === null ? null : new Change(event, entity, told);
  }

  #compile(model: TenantModel): Compiled {
    let compiled = this.#compiled.get(model);
    if (!compiled) {
      const { entity: asked, filter } = this.#request;
      const entity = model.entityById.get(asked.id);
      if (!entity) throw new DomainError('NOT_FOUND', `The entity "${asked.name}" does not exist any more`);
      compiled = { entity, filter: filter && this.#compileFilter(model, entity, filter) };
      this.#compiled.set(model, compiled);
    }
    return compiled;
  }

  #compileFilter(
    model: TenantModel,
    entity: EntityDefinition,
    filter: Readonly<Record<string, unknown>>,
  ): CompiledFilter {
    const predicate = compilePredicate(model, entity, filter);
    return {
      test: (id, record) => (record === null ? false : predicate({ id, ...record })),
      isTouchedBy: createTouchTest(parseFilter(model, entity, filter)),
      matchesNow: createBatchedMatch((ids) => this.#store.findMatching(model, entity, filter, ids)),
    };
  }
}
