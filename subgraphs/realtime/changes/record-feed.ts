import { DomainError } from '#schema/errors.ts';
import type { ChangeOperation } from '#schema/events.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { Feed, LogEntry } from '../log/feed.ts';
import { Change } from './change.ts';

export interface RecordFeedRequest {
  /** Null: all, those of later too. */
  entities: readonly EntityDefinition[] | null;
  operations: readonly ChangeOperation[] | null;
}

/** Equal for requests that see the same changes. */
export function recordFeedKey({ entities, operations }: RecordFeedRequest): string {
  const ids = entities === null ? null : [...new Set(entities.map((entity) => entity.id))].toSorted();
  return JSON.stringify(['record', ids, operations === null ? null : [...new Set(operations)].toSorted()]);
}

/** Changes of records of several entities, or of all. NOT_FOUND once one that was named is gone. */
export class RecordFeed implements Feed<Change> {
  readonly #entities: ReadonlyMap<string, EntityDefinition> | null;
  readonly #wanted: ReadonlySet<ChangeOperation> | null;

  constructor({ entities, operations }: RecordFeedRequest) {
    this.#entities = entities === null ? null : new Map(entities.map((entity) => [entity.id, entity]));
    this.#wanted = operations === null ? null : new Set(operations);
  }

  check(model: TenantModel): void {
    for (const entity of this.#entities?.values() ?? []) {
      if (!model.entityById.has(entity.id)) {
        throw new DomainError('NOT_FOUND', `The entity "${entity.name}" does not exist any more`);
      }
    }
  }

  project({ event, model }: LogEntry): Change | null {
    if (event.kind === 'DEFINITIONS') this.check(model);
    if (event.kind !== 'RECORD' || event.entityId === null || event.operation === null) return null;
    if (this.#entities && !this.#entities.has(event.entityId)) return null;
    if (this.#wanted && !this.#wanted.has(event.operation)) return null;
    const entity = model.entityById.get(event.entityId);
    return entity ? new Change(event, entity, event.operation) : null;
  }
}
