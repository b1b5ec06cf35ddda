/** Permissions as people read and write them: fields by their names. */
import type { Role } from '#schema/claims.ts';
import {
  type EntityDefinition,
  type EntityOperation,
  entityOperations,
  type TenantModel,
} from '../definition.ts';
import { storedFields } from '../activation.ts';
import { restrictableRoles } from './access.ts';
import { showRowFilter } from './row-filter.ts';

export interface ShownPermission {
  readonly role: Role;
  readonly operations: readonly EntityOperation[];
  readonly readableFields: readonly string[] | null;
  readonly writableFields: readonly string[] | null;
  readonly rowFilter: unknown;
}

/** Of an entity of the model, or of one that is made of it. Fields are in the entity's order. */
export function showPermissions(model: TenantModel, entity: EntityDefinition): ShownPermission[] {
  const fields = storedFields(entity);
  const namesOf = (ids: ReadonlySet<string> | null): string[] | null =>
    ids && fields.filter(({ id }) => ids.has(id)).map(({ name }) => name);
  const permissions = restrictableRoles.flatMap((role) => entity.permissions.get(role) ?? []);
  return permissions.map(({ role, operations, readable, writable, rowFilter }) => ({
    role,
    operations: entityOperations.filter((operation) => operations.has(operation)),
    readableFields: namesOf(readable),
    writableFields: namesOf(writable),
    rowFilter: rowFilter === null ? null : showRowFilter(model, entity, rowFilter),
  }));
}
