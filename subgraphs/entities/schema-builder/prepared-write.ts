/** What a mutation of records needs of its request. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { EntitiesContext } from '../context.ts';
import type { RecordStore, StoreContext } from '../store/record-store.ts';

/** Arguments of every mutation of records. */
export interface Keyed {
  idempotencyKey?: string | null;
}

export interface PreparedWrite {
  readonly store: RecordStore;
  readonly context: StoreContext;
  readonly entity: EntityDefinition;
}

/**
 * A write to an entity of the request's model, under the newest definitions that are known, whatever the graph was
 * planned with; where they change meanwhile, the store starts again. NOT_FOUND where the entity is gone. `operation` is
 * the mutation's name: with the other arguments, what an idempotency key stands for.
 */
export async function prepareWrite(
  context: EntitiesContext,
  asked: EntityDefinition,
  operation: string,
  { idempotencyKey, ...request }: Keyed,
): Promise<PreparedWrite> {
  const model = await context.definitions.models.get(context.claims, context.model.version);
  const entity = model.entityById.get(asked.id);
  if (!entity) throw new DomainError('NOT_FOUND', `The entity ${asked.name} is not defined any more`);
  const idempotency =
    typeof idempotencyKey === 'string'
      ? { key: idempotencyKey, operation, entityId: entity.id, request }
      : null;
  return { store: context.records, context: { ...context.storeContext, model, idempotency }, entity };
}
