import type { Claims } from '#schema/claims.ts';
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
import { accessShape, createSight, momentMs, seesByTime, type Sight } from './sight.ts';

export interface EntityFeedRequest {
  entity: EntityDefinition;
  ids: readonly string[] | null;
  operations: readonly ChangeOperation[] | null;
  filter: Readonly<Record<string, unknown>> | null;
}

/** Equal for requests that see the same changes under these definitions. */
export function entityFeedKey(
  { entity, ids, operations, filter }: EntityFeedRequest,
  model: TenantModel,
  claims: Claims,
): string {
  const sorted = (list: readonly string[] | null) => (list === null ? null : [...new Set(list)].toSorted());
  return JSON.stringify([
    'entity',
    entity.id,
    sorted(ids),
    sorted(operations),
    filter,
    accessShape(model, claims),
  ]);
}

/** The request under the definitions of one version. */
interface Compiled {
  entity: EntityDefinition;
  filter: CompiledFilter | null;
  /** Of who is held to permissions: it decides, the filter included. */
  sight: Sight | null;
  /** In milliseconds of `Date.now()`: from then on it is to be compiled anew. */
  expiresAt: number;
}

interface CompiledFilter {
  test(id: string, record: LogRecord | null): Verdict;
  isTouchedBy(keys: readonly string[]): boolean;
  matchesNow(id: string): Promise<boolean>;
}

/**
 * Changes of one entity's records. It follows the entity's id, so it survives a rename; `check` and `project` throw
 * NOT_FOUND once it is gone, BAD_USER_INPUT where the filter does not fit the definitions any more, and FORBIDDEN where its
 * subscribers may not read the entity, or what the filter asks for.
 */
export class EntityFeed implements Feed<Change> {
  readonly #request: EntityFeedRequest;
  readonly #claims: Claims;
  readonly #store: Pick<EventStore, 'findMatching' | 'findMatchingImages'>;
  readonly #ids: ReadonlySet<string> | null;
  readonly #wanted: ReadonlySet<ChangeOperation> | null;
  readonly #compiled = new WeakMap<TenantModel, Compiled>();

  /** `claims`: one subscriber's, for all whose access is of the same shape. */
  constructor(
    request: EntityFeedRequest,
    claims: Claims,
    store: Pick<EventStore, 'findMatching' | 'findMatchingImages'>,
  ) {
    this.#request = request;
    this.#claims = claims;
    this.#store = store;
    this.#ids = request.ids === null ? null : new Set(request.ids.map((id) => id.toLowerCase()));
    this.#wanted = request.operations === null ? null : new Set(request.operations);
  }

  check(model: TenantModel): void {
    this.#compile(model);
  }

  project({ event, model }: LogEntry): Change | null | Promise<Change | null> {
    const { entity, filter, sight } = this.#compile(model);
    if (event.kind !== 'RECORD' || event.entityId !== entity.id) return null;
    const { recordId, operation } = event;
    if (recordId === null || operation === null || (this.#ids && !this.#ids.has(recordId))) return null;
    if (!mayBeWanted(operation, this.#wanted)) return null;
    if (sight !== null) {
      const judged = sight.judge(event);
      if (!(judged instanceof Promise)) return this.#tell(event, entity, judged, sight);
      return judged.then((edge) => this.#tell(event, entity, edge, sight));
    }
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

  #tell(
    event: LogEvent,
    entity: EntityDefinition,
    operation: ChangeOperation | null,
    sight: Sight | null = null,
  ): Change | null {
    const told = toldAs(operation, this.#wanted);
    return told === null ? null : new Change(event, entity, told, sight);
  }

  #compile(model: TenantModel): Compiled {
    let compiled = this.#compiled.get(model);
    if (!compiled || compiled.expiresAt <= Date.now()) {
      const { entity: asked, filter } = this.#request;
      const entity = model.entityById.get(asked.id);
      if (!entity) throw new DomainError('NOT_FOUND', `The entity "${asked.name}" does not exist any more`);
      const claims = this.#claims;
      const node = filter && parseFilter(model, entity, filter);
      const sight = createSight(this.#store, { model, entity, claims, filter: node });
      compiled = {
        entity,
        filter: filter && sight === null ? this.#compileFilter(model, entity, filter) : null,
        sight,
        expiresAt: seesByTime(model, claims) ? Date.now() + momentMs : Number.POSITIVE_INFINITY,
      };
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
