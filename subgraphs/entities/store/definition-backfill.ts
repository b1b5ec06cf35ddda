/** Gives records that exist the default value of a new required field. Their version and times stay: nobody wrote them. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { FieldDefinition } from '#subgraphs/model/definition.ts';
import { searchForm, slotValues, toStoredData } from '#subgraphs/model/stored-form.ts';

/** More are not written in the transaction of the definition's change. */
export const maxBackfilledRecords = 10_000;

/** Locks the records of the field's entity in the order of their ids, as writers do. */
export async function lockForBackfill(tx: TenantTransaction, field: FieldDefinition): Promise<void> {
  await tx.query({
    name: 'backfill_lock',
    text: `
      select from public.records where tenant_id = $1 and entity_id = $2
      order by id limit ${maxBackfilledRecords + 1} for no key update`,
    values: [tx.claims.tenantId, field.entityId],
  });
}

/**
 * Under the tenant's counter lock. Takes records that came after `lockForBackfill` only if they are free (55P03 else: whoever
 * holds one waits for the counter, and we would wait for each other).
 */
export async function backfillDefault(tx: TenantTransaction, field: FieldDefinition): Promise<void> {
  const { tenantId } = tx.claims;
  await tx.query({
    name: 'backfill_stragglers',
    text: 'select from public.records where tenant_id = $1 and entity_id = $2 order by id for no key update nowait',
    values: [tenantId, field.entityId],
  });
  // The field alone: what it adds to a record's data, slot and search text is the same for all.
  const alone = {
    id: field.entityId,
    name: '',
    pluralName: '',
    label: null,
    description: null,
    icon: null,
    position: 0,
    aliases: [],
    isActive: true,
    uniqueGroups: [],
    limits: null,
    inactiveFields: [],
    permissions: new Map(),
    fields: [field],
  };
  const data = { [field.key]: field.defaultValue };
  // Its part comes after what is there; of a record that is unsplit it stays so.
  const added = searchForm(alone, { data, version: 0 });
  const part = added.search_parts?.[field.key];
  const slot = field.slot === null ? '' : `, ${field.slot} = $7`;
  await tx.query({
    text: `
      update public.records set
        data = data || $3::jsonb,
        search = case when $4::text is null then search else concat_ws(E'\\n', search, $4::text) end,
        search_parts = case
          when $4::text is null then search_parts
          when search is null then jsonb_build_object('~v', version, $5::text, jsonb_build_array(1, $6::int))
          else search_parts || jsonb_build_object($5::text, jsonb_build_array(char_length(search) + 2, $6::int))
        end${slot}
      where tenant_id = $1 and entity_id = $2`,
    values: [
      tenantId,
      field.entityId,
      JSON.stringify(toStoredData(alone, data)),
      added.search,
      field.key,
      typeof part === 'object' ? part[1] : null,
      ...(field.slot === null ? [] : [slotValues(alone, data)[field.slot]]),
    ],
  });
}
