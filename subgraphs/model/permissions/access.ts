/**
 * What a caller may do with an entity's records: the one place that decides. Whoever touches data takes its access from
 * here, by the model and the claims of the moment, and keeps it no longer than the request (or the batch) at hand.
 */
import { type Claims, type Role, roleReaches } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type {
  EntityDefinition,
  EntityOperation,
  EntityPermission,
  FieldDefinition,
  TenantModel,
} from '../definition.ts';
import type { FilterNode } from '../filter/node.ts';
import { parseRowFilter, usesVariable } from './row-filter.ts';

/** Roles that can be held to a permission. Above them nobody is, nor is the platform itself. */
export const restrictableRoles = [
  'VIEWER',
  'USER',
  'DEVELOPER',
  'SERVICE',
] as const satisfies readonly Role[];

type Caller = Pick<Claims, 'role' | 'actorKind' | 'actorId'>;

/** It narrows what the role's level allows (who may write at all), which others check. */
export interface EntityAccess {
  /** False: everything is allowed, and nothing need be checked. */
  readonly isRestricted: boolean;
  allows(operation: EntityOperation): boolean;
  /** Of a field of the entity. False for all where READ is not allowed. */
  mayRead(field: Pick<FieldDefinition, 'id'>): boolean;
  mayWrite(field: Pick<FieldDefinition, 'id'>): boolean;
  /**
   * The records that it may see and write, with `$me` and `$now` bound; null: all. It is the owner's: what it looks at is
   * not held to permissions.
   */
  readonly rowFilter: FilterNode | null;
  /** Throws FORBIDDEN. */
  assertAllows(operation: EntityOperation): void;
  /** Throws FORBIDDEN that names the entity and the field. */
  assertReadable(field: Pick<FieldDefinition, 'id' | 'name'>): void;
}

/** A caller's access to every entity of a model. */
export interface ModelAccess {
  /** False: no entity is restricted for this caller. */
  readonly isRestricted: boolean;
  of(entity: EntityDefinition): EntityAccess;
}

const unrestricted: EntityAccess = {
  isRestricted: false,
  allows: () => true,
  mayRead: () => true,
  mayWrite: () => true,
  rowFilter: null,
  assertAllows() {},
  assertReadable() {},
};
/** Of what the platform does for itself. */
export const wholeAccess: ModelAccess = { isRestricted: false, of: () => unrestricted };

/** Whether the caller is never held to permissions, and may set them: ADMIN and above, and the platform itself. */
export function isAbovePermissions({ role, actorKind }: Pick<Caller, 'role' | 'actorKind'>): boolean {
  return actorKind === 'SYSTEM' || roleReaches(role, 'ADMIN');
}

/** Whether the caller may see the values of these fields in all records. */
export function seesEveryValue(
  entity: EntityDefinition,
  caller: Caller,
  fields: readonly Pick<FieldDefinition, 'id'>[],
): boolean {
  const permission = permissionOf(entity, caller);
  if (!permission) return true;
  const { operations, readable, rowFilter } = permission;
  if (!operations.has('READ') || rowFilter !== null) return false;
  return readable === null || fields.every(({ id }) => readable.has(id));
}

function permissionOf(entity: EntityDefinition, caller: Caller): EntityPermission | null {
  if (caller.role === null || isAbovePermissions(caller)) return null;
  return entity.permissions.get(caller.role) ?? null;
}

const restrictedRoles = new WeakMap<TenantModel, ReadonlySet<Role>>();

/** For one request. Who is not restricted gets the same object each time, at the price of two look-ups. */
export function modelAccess(model: TenantModel, caller: Caller): ModelAccess {
  if (!isRestricted(model, caller)) return wholeAccess;
  const known = new Map<string, EntityAccess>();
  const now = new Date();
  return {
    isRestricted: true,
    of(entity) {
      let access = known.get(entity.id);
      if (!access) {
        access = restrictedAccess(model, entity, caller, now);
        known.set(entity.id, access);
      }
      return access;
    },
  };
}

/** A caller's access to one entity. */
export function accessOf(model: TenantModel, entity: EntityDefinition, caller: Caller): EntityAccess {
  return modelAccess(model, caller).of(entity);
}

function isRestricted(model: TenantModel, caller: Caller): boolean {
  let roles = restrictedRoles.get(model);
  if (!roles) {
    roles = new Set(model.entities.flatMap((entity) => [...entity.permissions.keys()]));
    restrictedRoles.set(model, roles);
  }
  if (roles.size === 0 || caller.role === null) return false;
  return roles.has(caller.role) && !isAbovePermissions(caller);
}

function restrictedAccess(
  model: TenantModel,
  entity: EntityDefinition,
  caller: Caller,
  now: Date,
): EntityAccess {
  const permission = permissionOf(entity, caller);
  if (!permission) return unrestricted;
  const { operations, readable, writable } = permission;
  const allows = (operation: EntityOperation): boolean => operations.has(operation);
  const mayRead = ({ id }: Pick<FieldDefinition, 'id'>): boolean =>
    operations.has('READ') && (readable === null || readable.has(id));
  let rowFilter: FilterNode | null | undefined;
  const access: EntityAccess = {
    isRestricted: true,
    allows,
    mayRead,
    mayWrite: ({ id }) => writable === null || writable.has(id),
    get rowFilter() {
      rowFilter ??= bindRowFilter(model, entity, permission, caller, now);
      return rowFilter;
    },
    assertAllows(operation) {
      if (allows(operation)) return;
      throw new DomainError(
        'FORBIDDEN',
        `The role ${permission.role} may not ${operation.toLowerCase()} records of "${entity.name}"`,
      );
    },
    assertReadable(field) {
      if (mayRead(field)) return;
      access.assertAllows('READ');
      throw new DomainError(
        'FORBIDDEN',
        `The role ${permission.role} may not read the field "${field.name}" of "${entity.name}"`,
      );
    },
  };
  return access;
}

const nothing: FilterNode = { kind: 'any', nodes: [] };

/** A caller without an id is nobody's owner: a filter that speaks of it lets nothing through, whatever it says. */
function bindRowFilter(
  model: TenantModel,
  entity: EntityDefinition,
  { rowFilter }: EntityPermission,
  { actorId }: Caller,
  now: Date,
): FilterNode | null {
  if (rowFilter === null || rowFilter === undefined) return null;
  if (actorId === null && usesVariable(rowFilter, 'me')) return nothing;
  return parseRowFilter(model, entity, rowFilter, { me: actorId ?? '', now });
}

/** Roles for which some record is visible to one person and not to another of the same role. */
export function rolesThatTellPeopleApart(model: TenantModel): Role[] {
  const roles = new Set<Role>();
  for (const entity of model.entities) {
    for (const { role, rowFilter } of entity.permissions.values())
      if (usesVariable(rowFilter, 'me')) roles.add(role);
  }
  return [...roles];
}
