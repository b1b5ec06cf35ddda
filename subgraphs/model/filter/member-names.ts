/** `is` and `isNot`: members of every filter whose entity has nothing of that name itself. */
import type { EntityDefinition, TenantModel } from '../definition.ts';
import { findField, findRelationByIdName, inversesOf } from '../relations.ts';

/** Whether a field, a relation's id or an inverse has the name: it then means that, and the filter has no such member of its own. */
export function isTaken(model: TenantModel, entity: EntityDefinition, name: 'is' | 'isNot'): boolean {
  return (
    findField(entity, name) !== undefined ||
    findRelationByIdName(entity, name) !== undefined ||
    inversesOf(model, entity).some((inverse) => inverse.name === name)
  );
}
