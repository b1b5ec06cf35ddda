import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { ChangeOperation, LogEvent } from '#schema/events.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { accessOf } from '#subgraphs/model/permissions/access.ts';
import type { EventStore } from '../log/event-store.ts';
import type { Feed, LogEntry } from '../log/feed.ts';
import { Change } from './change.ts';
import { mayBeWanted, toldAs } from './operations.ts';
import { createSights, type Sights } from './sights.ts';
import { accessShape, type Sight } from './sight.ts';

export interface RecordFeedRequest {
  /** Null: all that the subscriber may read, those of later too. */
  entities: readonly EntityDefinition[] | null;
  operations: readonly ChangeOperation[] | null;
}

/** Equal for requests that see the same changes under these definitions. */
export function recordFeedKey(
  { entities, operations }: RecordFeedRequest,
  model: TenantModel,
  claims: Claims,
): string {
  const ids = entities === null ? null : [...new Set(entities.map((entity) => entity.id))].toSorted();
  const wanted = operations === null ? null : [...new Set(operations)].toSorted();
  return JSON.stringify(['record', ids, wanted, accessShape(model, claims)]);
}

/**
 * Changes of records of several entities, or of all. NOT_FOUND once one that was named is gone, FORBIDDEN where its
 * subscribers may not read it.
 */
export class RecordFeed implements Feed<Change> {
  readonly #entities: ReadonlyMap<string, EntityDefinition> | null;
  readonly #wanted: ReadonlySet<ChangeOperation> | null;
  readonly #claims: Claims;
  readonly #sights: Sights;

  /** `claims`: one subscriber's, for all whose access is of the same shape. */
  constructor(
    { entities, operations }: RecordFeedRequest,
    claims: Claims,
    store: Pick<EventStore, 'findMatchingImages'>,
  ) {
    this.#entities = entities === null ? null : new Map(entities.map((entity) => [entity.id, entity]));
    this.#wanted = operations === null ? null : new Set(operations);
    this.#claims = claims;
    this.#sights = createSights(store, claims);
  }

  check(model: TenantModel): void {
    for (const asked of this.#entities?.values() ?? []) {
      const entity = model.entityById.get(asked.id);
      if (!entity) throw new DomainError('NOT_FOUND', `The entity "${asked.name}" does not exist any more`);
      accessOf(model, entity, this.#claims).assertAllows('READ');
    }
  }

  project({ event, model }: LogEntry): Change | null | Promise<Change | null> {
    if (event.kind === 'DEFINITIONS') this.check(model);
    if (event.kind !== 'RECORD' || event.entityId === null || event.operation === null) return null;
    if (this.#entities && !this.#entities.has(event.entityId)) return null;
    if (!mayBeWanted(event.operation, this.#wanted)) return null;
    const entity = model.entityById.get(event.entityId);
    if (!entity) return null;
    const sight = this.#sights.of(model, entity);
    if (sight === null) return this.#tell(event, entity, event.operation, null);
    if (sight === 'NOTHING') return null;
    const judged = sight.judge(event);
    if (!(judged instanceof Promise)) return this.#tell(event, entity, judged, sight);
    return judged.then((edge) => this.#tell(event, entity, edge, sight));
  }

  #tell(
    event: LogEvent,
    entity: EntityDefinition,
    operation: ChangeOperation | null,
    sight: Sight | null,
  ): Change | null {
    const told = toldAs(operation, this.#wanted);
    return told === null ? null : new Change(event, entity, told, sight);
  }
}
