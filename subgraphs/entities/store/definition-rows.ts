/** Writes a definition change to its tables, and retires what deleted fields and entities leave behind. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import type { DefinitionChange } from '../definitions/definition-change.ts';
import { isManyToMany } from '#subgraphs/model/relations.ts';
import { deleteLinks } from './record-links.ts';
import { retireEntity, retireField } from './retired-fields.ts';

/** Deletions first: a name that one entity gives up may be taken by another in the same change. */
export async function writeChange(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  // Sent one after the other without waiting: PostgreSQL runs them in this order.
  const sent: Promise<unknown>[] = [];
  for (const field of change.deletedFields)
    sent.push(retireField(tx, field), ...removeLinks(tx, [field]), remove(tx, 'field_definitions', field.id));
  // Before any of the entities: they may refer to each other.
  for (const entity of change.deletedEntities)
    sent.push(...removeLinks(tx, entity.fields), removeFields(tx, entity));
  for (const entity of change.deletedEntities)
    sent.push(retireEntity(tx, entity), remove(tx, 'entity_definitions', entity.id));
  for (const entity of change.updatedEntities) sent.push(updateEntity(tx, entity));
  for (const entity of change.createdEntities) sent.push(insertEntity(tx, entity));
  for (const field of change.updatedFields) sent.push(updateField(tx, field));
  for (const field of change.createdFields) sent.push(insertField(tx, field));
  for (const entity of change.permitted) sent.push(...replacePermissions(tx, entity));
  await Promise.all(sent);
}

function replacePermissions(tx: TenantTransaction, entity: EntityDefinition): Promise<unknown>[] {
  const { tenantId } = tx.claims;
  const removed = tx.query({
    name: 'definitions_delete_permissions',
    text: 'delete from public.entity_permissions where tenant_id = $1 and entity_id = $2',
    values: [tenantId, entity.id],
  });
  const inserted = [...entity.permissions.values()].map((permission) =>
    tx.query({
      name: 'definitions_insert_permission',
      text: `
        insert into public.entity_permissions (tenant_id, entity_id, role, operations, readable_fields, writable_fields, row_filter)
        values ($1, $2, $3, $4, $5, $6, $7)`,
      values: [
        ...[tenantId, entity.id, permission.role, [...permission.operations]],
        ...[permission.readable && [...permission.readable], permission.writable && [...permission.writable]],
        toJson(permission.rowFilter),
      ],
    }),
  );
  return [removed, ...inserted];
}

function removeFields(tx: TenantTransaction, entity: EntityDefinition): Promise<unknown> {
  return tx.query({
    name: 'definitions_delete_fields',
    text: 'delete from public.field_definitions where tenant_id = $1 and entity_id = $2',
    values: [tx.claims.tenantId, entity.id],
  });
}

function removeLinks(tx: TenantTransaction, fields: readonly FieldDefinition[]): Promise<unknown>[] {
  return fields.filter(isManyToMany).map((field) => deleteLinks(tx, field));
}

function remove(
  tx: TenantTransaction,
  table: 'entity_definitions' | 'field_definitions',
  id: string,
): Promise<unknown> {
  return tx.query({
    name: `definitions_delete_${table}`,
    text: `delete from public.${table} where tenant_id = $1 and id = $2`,
    values: [tx.claims.tenantId, id],
  });
}

function insertEntity(tx: TenantTransaction, entity: EntityDefinition): Promise<unknown> {
  return tx.query({
    name: 'definitions_insert_entity',
    text: `
      insert into public.entity_definitions (tenant_id, id, name, plural_name, label, description, icon, position, aliases, is_active, unique_groups, limits)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [tx.claims.tenantId, ...entityValues(entity)],
  });
}

function updateEntity(tx: TenantTransaction, entity: EntityDefinition): Promise<unknown> {
  return tx.query({
    name: 'definitions_update_entity',
    text: `
      update public.entity_definitions
      set name = $3, plural_name = $4, label = $5, description = $6, icon = $7, position = $8, aliases = $9, is_active = $10, unique_groups = $11, limits = $12, updated_at = now()
      where tenant_id = $1 and id = $2`,
    values: [tx.claims.tenantId, ...entityValues(entity)],
  });
}

function entityValues(entity: EntityDefinition): unknown[] {
  return [
    entity.id,
    entity.name,
    entity.pluralName,
    entity.label,
    entity.description,
    entity.icon,
    entity.position,
    toJson(entity.aliases),
    entity.isActive,
    toJson(entity.uniqueGroups),
    toJson(entity.limits),
  ];
}

const fieldColumns = [
  'id',
  'entity_id',
  'name',
  'key',
  'type',
  'label',
  'description',
  'is_required',
  'is_unique',
  'is_searchable',
  'is_filterable',
  'is_sortable',
  'default_value',
  'default_from',
  'validation',
  'options',
  'target_entity_id',
  'target_entity_ids',
  'inverse_name',
  'on_delete',
  'ui_config',
  'slot',
  'pending_slot',
  'is_pending_unique',
  'becomes',
  'aliases',
  'is_active',
  'position',
] as const;

function fieldValues(field: FieldDefinition): unknown[] {
  return [
    field.id,
    field.entityId,
    field.name,
    field.key,
    field.type,
    field.label,
    field.description,
    field.isRequired,
    field.isUnique,
    field.isSearchable,
    field.isFilterable,
    field.isSortable,
    toJson(field.defaultValue),
    toJson(field.defaultFrom),
    toJson(field.validation),
    toJson(field.options),
    field.targetEntityId,
    field.targets?.map((target) => target.entityId) ?? null,
    field.inverseName,
    field.onDelete,
    toJson(field.uiConfig),
    field.slot,
    field.pendingSlot,
    field.isPendingUnique,
    toJson(field.becomes),
    toJson(field.aliases),
    field.isActive,
    field.position,
  ];
}

/** The column's own null for no value; text otherwise, for `pg` would send a list as an array of PostgreSQL's. */
function toJson(value: unknown): string | null {
  return value === null || value === undefined ? null : JSON.stringify(value);
}

function insertField(tx: TenantTransaction, field: FieldDefinition): Promise<unknown> {
  return tx.query({
    name: 'definitions_insert_field',
    text: `
      insert into public.field_definitions (tenant_id, ${fieldColumns.join(', ')})
      values ($1, ${fieldColumns.map((_, index) => `$${index + 2}`).join(', ')})`,
    values: [tx.claims.tenantId, ...fieldValues(field)],
  });
}

function updateField(tx: TenantTransaction, field: FieldDefinition): Promise<unknown> {
  const settings = fieldColumns.map((column, index) => `${column} = $${index + 2}`).slice(1);
  return tx.query({
    name: 'definitions_update_field',
    text: `update public.field_definitions set ${settings.join(', ')}, updated_at = now() where tenant_id = $1 and id = $2`,
    values: [tx.claims.tenantId, ...fieldValues(field)],
  });
}
