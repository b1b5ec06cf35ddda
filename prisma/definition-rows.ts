/** A tenant's definitions as they are stored: one statement, so one consistent snapshot. */
import type { DefinitionRows } from '#schema/definition-rows.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantTransaction } from './record-database.ts';

const entityColumns = words(
  `id tenant_id name plural_name label description icon position aliases is_active unique_groups limits created_at updated_at`,
);

const fieldColumns =
  words(`id tenant_id entity_id name key type label description is_required is_unique is_searchable
  is_filterable is_sortable default_value default_from validation options target_entity_id target_entity_ids inverse_name on_delete
  ui_config slot pending_slot is_pending_unique becomes aliases is_active position created_at updated_at`);

const permissionColumns = words('entity_id role operations readable_fields writable_fields row_filter');

const statement = {
  name: 'definition_rows',
  text: `
    select h.definitions_version as version,
      (select coalesce(json_agg(${jsonRow(entityColumns)} order by r.position, r.name), '[]')
        from public.entity_definitions r where r.tenant_id = h.tenant_id) as entities,
      (select coalesce(json_agg(${jsonRow(fieldColumns)} order by r.position, r.name), '[]')
        from public.field_definitions r where r.tenant_id = h.tenant_id) as fields,
      (select coalesce(json_agg(${jsonRow(permissionColumns)} order by r.entity_id, r.role), '[]')
        from public.entity_permissions r where r.tenant_id = h.tenant_id) as permissions
    from public.tenant_heads h
    where h.tenant_id = (select public.current_tenant_id())`,
};

/** The definitions of the transaction's tenant. TENANT_NOT_FOUND where there is none. */
export async function readDefinitionRows(tx: Pick<TenantTransaction, 'query'>): Promise<DefinitionRows> {
  const [rows] = await tx.query<DefinitionRows>(statement);
  if (!rows) throw new DomainError('TENANT_NOT_FOUND', 'There is no such tenant');
  return rows;
}

function jsonRow(columns: string[]): string {
  const members = columns.map((column) => {
    const name = column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    const value = column.endsWith('_at')
      ? `to_char(r.${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
      : `r.${column}`;
    return `'${name}', ${value}`;
  });
  return `json_build_object(${members.join(', ')})`;
}

function words(text: string): string[] {
  return text.split(/\s+/);
}
