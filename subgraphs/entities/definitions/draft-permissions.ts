/** A draft's operations on permissions: what roles may do with an entity's records. */
import type { Role } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import {
  type EntityDefinition,
  type EntityPermission,
  entityOperations,
  type TenantModel,
} from '#subgraphs/model/definition.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { restrictableRoles } from '#subgraphs/model/permissions/access.ts';
import { parseRowFilter, storeRowFilter } from '#subgraphs/model/permissions/row-filter.ts';
import { type ShownPermission, showPermissions } from '#subgraphs/model/permissions/shown-permissions.ts';
import { findMemberField } from '#subgraphs/model/relations.ts';
import { buildTenantModel } from '#subgraphs/model/tenant-model.ts';
import { type BrokenRules, createBrokenRules } from './broken-rules.ts';
import type { DraftEntity } from './definition-change.ts';
import type { PermissionInput } from './definition-input.ts';

export interface DraftPermissions {
  /** The entity's whole set. BAD_USER_INPUT with every broken rule (`permissions.0.readableFields.2`). */
  setPermissions(entityName: string, permissions: readonly PermissionInput[]): EntityDefinition;
  /** As they stand in the draft. */
  showPermissions(entityName: string): readonly ShownPermission[];
}

/** A caller that is nobody, for trying filters out. */
const anybody = { me: '00000000-0000-0000-0000-000000000000', now: new Date(0) };

export function createDraftPermissions(
  entities: readonly DraftEntity[],
  getEntity: (name: string) => DraftEntity,
): DraftPermissions {
  return {
    setPermissions(entityName, permissions) {
      const entity = getEntity(entityName);
      const rules = createBrokenRules();
      const model = buildTenantModel('', 0, entities);
      const set = new Map<Role, EntityPermission>();
      for (const [index, input] of permissions.entries()) {
        const at = rules.below(`permissions.${index}.`);
        const permission = readPermission(at, model, entity, input);
        if (set.has(permission.role))
          at.add('role', 'unique', `the role ${permission.role} has two permissions on "${entityName}"`);
        set.set(permission.role, permission);
      }
      rules.throwAny();
      entity.permissions = set;
      return entity;
    },

    showPermissions(entityName) {
      const { id } = getEntity(entityName);
      const model = buildTenantModel('', 0, entities);
      return model.allEntities.flatMap((entity) => (entity.id === id ? showPermissions(model, entity) : []));
    },
  };
}

function readPermission(
  rules: BrokenRules,
  model: TenantModel,
  entity: DraftEntity,
  { role, operations, readableFields, writableFields, rowFilter }: PermissionInput,
): EntityPermission {
  if (!(restrictableRoles as readonly Role[]).includes(role)) {
    rules.add(
      'role',
      'option',
      `the role ${role} is never restricted: there are ${restrictableRoles.join(', ')}`,
    );
  }
  return {
    role,
    operations: new Set(operations ?? entityOperations),
    readable: readFields(rules, entity, readableFields, 'readableFields'),
    writable: readFields(rules, entity, writableFields, 'writableFields'),
    rowFilter: readRowFilter(rules, model, entity, rowFilter),
  };
}

function readFields(
  rules: BrokenRules,
  entity: DraftEntity,
  names: readonly string[] | null | undefined,
  member: 'readableFields' | 'writableFields',
): ReadonlySet<string> | null {
  if (names === null || names === undefined) return null;
  const ids = names.flatMap((name, index) => {
    const field = findIn(entity, name);
    if (!field) {
      const shown = name.slice(0, 80).toWellFormed();
      rules.add(`${member}.${index}`, 'unknown', `"${entity.name}" has no field "${shown}"`);
    }
    return field?.id ?? [];
  });
  return new Set(ids);
}

/** A draft's entity changes: what is kept for a definition's own object would be of another moment. */
function findIn(entity: DraftEntity, name: string): { id: string } | undefined {
  const view = { ...entity };
  return findMemberField(view, name);
}

function readRowFilter(
  rules: BrokenRules,
  model: TenantModel,
  { id, name }: DraftEntity,
  rowFilter: unknown,
): unknown {
  if (rowFilter === null || rowFilter === undefined) return null;
  const entity = model.entityById.get(id);
  if (!entity) {
    rules.add('rowFilter', 'inactive', `"${name}" is not active: its records cannot be filtered`);
    return null;
  }
  try {
    parseFilter(model, entity, rowFilter as Readonly<Record<string, unknown>>, 'rowFilter', anybody);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    for (const { field, rule, message } of error.fields ?? []) rules.add(field, rule, message);
    return null;
  }
  return storeRowFilter(model, entity, rowFilter);
}

/**
 * What other changes of the draft did to permissions: fields that are gone leave their lists. Throws CONFLICT where a row
 * filter does not fit any more, for without it more records would be seen.
 */
export function keepPermissions(entities: readonly DraftEntity[]): void {
  const held = entities.filter(({ permissions }) => permissions.size > 0);
  if (held.length === 0) return;
  const model = buildTenantModel('', 0, entities);
  for (const entity of held) {
    const fields = new Set(entity.fields.map((field) => field.id));
    entity.permissions = new Map(
      [...entity.permissions].map(([role, permission]) => [
        role,
        {
          ...permission,
          readable: keep(permission.readable, fields),
          writable: keep(permission.writable, fields),
        },
      ]),
    );
    const active = model.entityById.get(entity.id);
    if (active)
      for (const permission of entity.permissions.values()) refuseBrokenFilter(model, active, permission);
  }
}

function keep(ids: ReadonlySet<string> | null, fields: ReadonlySet<string>): ReadonlySet<string> | null {
  return ids && new Set([...ids].filter((id) => fields.has(id)));
}

function refuseBrokenFilter(
  model: TenantModel,
  entity: EntityDefinition,
  permission: EntityPermission,
): void {
  if (permission.rowFilter === null) return;
  try {
    parseRowFilter(model, entity, permission.rowFilter, anybody);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const message = `The permission of ${permission.role} on "${entity.name}" would lose its row filter, which uses what this change takes away: change it first (setPermissions)`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: `permissions.${permission.role}.rowFilter`, rule: 'permission', message }],
      cause: error,
    });
  }
}
