/** The definitions of a request, by the names that the schema holds. */
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { EntitiesContext } from '../context.ts';

/** The request's definition of a generated type. NOT_FOUND where the entity is gone since the graph was planned. */
export function getEntity(context: EntitiesContext, type: string): EntityDefinition {
  const entity = context.model.entityByType.get(type);
  if (!entity) throw new DomainError('NOT_FOUND', `There is no entity ${type} any more`);
  return entity;
}
