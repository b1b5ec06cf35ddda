/**
 * What deleted definitions leave behind in records: values, slots, keys, search text. It is retired in the transaction of
 * the change, and cleared afterwards in batches, as ordinary writes without events. The fence has shut out every writer
 * that still knew the field, so nothing can come back behind the clearing.
 */
import type { Claims } from '#schema/claims.ts';
import type { RecordDatabase, TenantTransaction } from '#prisma/record-database.ts';
import type { EntityDefinition, FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { foldedMember, fromStoredData, searchForm } from '#subgraphs/model/stored-form.ts';
import { letGoOfDefinition } from './record-files.ts';
import { holdVersion, Outdated } from './fence.ts';
import type { RetiredField } from '../definitions/definition-change.ts';

/** Records of one transaction. */
const batchSize = 500;

/** Stands for a whole deleted entity where a field's key would be. */
const wholeEntity = '';

/** Everything that deleted fields of entities that still exist left behind. */
export async function readRetired(tx: TenantTransaction): Promise<RetiredField[]> {
  return tx.query<RetiredField>({
    name: 'retired_read',
    text: `
      select entity_id as "entityId", key, case when cleared_at is null then slot end as slot
      from public.retired_fields where tenant_id = $1 and key <> '${wholeEntity}'`,
    values: [tx.claims.tenantId],
  });
}

export function retireField(tx: TenantTransaction, field: FieldDefinition): Promise<unknown> {
  return tx.query({
    name: 'retired_insert',
    text: `
      insert into public.retired_fields (tenant_id, entity_id, key, slot, field_id) values ($1, $2, $3, $4, $5)`,
    values: [
      tx.claims.tenantId,
      field.entityId,
      field.key,
      field.slot ?? field.pendingSlot,
      field.isUnique || field.isPendingUnique ? field.id : null,
    ],
  });
}

/** Where values stood of which the field itself stays: its keys are not touched. */
export function retireLeftKey(
  tx: TenantTransaction,
  { entityId, key, slot }: RetiredField,
): Promise<unknown> {
  return tx.query({
    name: 'retired_insert',
    text: `
      insert into public.retired_fields (tenant_id, entity_id, key, slot, field_id) values ($1, $2, $3, $4, $5)`,
    values: [tx.claims.tenantId, entityId, key, slot, null],
  });
}

export function retireEntity(tx: TenantTransaction, entity: EntityDefinition): Promise<unknown> {
  return tx.query({
    name: 'retired_insert',
    text: `
      insert into public.retired_fields (tenant_id, entity_id, key, slot, field_id) values ($1, $2, $3, $4, $5)`,
    values: [tx.claims.tenantId, entity.id, wholeEntity, null, null],
  });
}

interface Leftover {
  entityId: string;
  key: string;
  slot: string | null;
  fieldId: string | null;
}

export interface ClearingStorage {
  database: RecordDatabase;
  load(claims: Claims): Promise<TenantModel>;
}

/** See `DefinitionStore.clearRetired`. */
export async function clearRetired(
  storage: ClearingStorage,
  claims: Claims,
  signal: AbortSignal,
): Promise<void> {
  const leftovers = await storage.database.read<Leftover>(claims, {
    name: 'retired_open',
    text: `
      select entity_id as "entityId", key, slot, field_id as "fieldId"
      from public.retired_fields where tenant_id = $1 and cleared_at is null order by retired_at`,
    values: [claims.tenantId],
  });
  for (const leftover of leftovers) {
    const clearBatch = leftover.key === wholeEntity ? deleteRecords : clearField;
    let after: string | null = null;
    for (;;) {
      if (signal.aborted) return;
      const model = await storage.load(claims);
      const from: string | null = after;
      try {
        after = await storage.database.transaction(claims, (tx) => clearBatch(tx, leftover, model, from));
      } catch (error) {
        if (!(error instanceof Outdated)) throw error;
        continue;
      }
      if (after === null) break;
    }
  }
}

/** Clears the records that follow `after`. Answers the id of the last; null where the leftover is done. */
async function clearField(
  tx: TenantTransaction,
  leftover: Leftover,
  model: TenantModel,
  after: string | null,
): Promise<string | null> {
  if (!(await holdLeftover(tx, leftover))) return null;
  const { tenantId } = tx.claims;
  const rows = await tx.query<{ id: string; data: Record<string, unknown>; version: number }>({
    name: 'retired_batch',
    text: `
      select id, data, version from public.records
      where tenant_id = $1 and entity_id = $2 and id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
      order by id limit ${batchSize} for no key update`,
    values: [tenantId, leftover.entityId, after],
  });
  const last = rows.at(-1);
  const entity = model.allEntities.find((candidate) => candidate.id === leftover.entityId);
  if (!last || !entity) {
    await finishLeftover(tx, leftover);
    return null;
  }
  const gone = [leftover.key, foldedMember(leftover.key)];
  const forms = rows.map(({ id, data, version }) => ({
    id,
    ...searchForm(entity, { data: fromStoredData(data), version }),
  }));
  await tx.query({
    text: `
      update public.records r
      set data = r.data - $3::text[], search = v.search, search_parts = v.search_parts${leftover.slot === null ? '' : `, ${leftover.slot} = null`}
      from jsonb_to_recordset($4::jsonb) as v (id uuid, search text, search_parts jsonb)
      where r.tenant_id = $1 and r.entity_id = $2 and r.id = v.id`,
    values: [tenantId, leftover.entityId, gone, JSON.stringify(forms)],
  });
  // The search text is of these definitions.
  await holdVersion(tx, model);
  return last.id;
}

async function deleteRecords(tx: TenantTransaction, leftover: Leftover): Promise<string | null> {
  if (!(await holdLeftover(tx, leftover))) return null;
  const { tenantId } = tx.claims;
  const deleted = await tx.query<{ id: string }>({
    name: 'retired_delete_records',
    text: `
      with batch as materialized (
        select id from public.records where tenant_id = $1 and entity_id = $2 order by id limit ${batchSize} for update
      ), keys as (
        delete from public.record_keys k using batch b where k.tenant_id = $1 and k.entity_id = $2 and k.record_id = b.id
      )
      delete from public.records r using batch b where r.tenant_id = $1 and r.entity_id = $2 and r.id = b.id returning r.id`,
    values: [tenantId, leftover.entityId],
  });
  const last = deleted.at(-1);
  if (last) return last.id;
  await letGoOfDefinition(tx, leftover.entityId, null);
  await tx.query({
    name: 'retired_forget_entity',
    text: `
      with history as (
        delete from public.record_history where tenant_id = $1 and entity_id = $2
      ), purged as (
        insert into public.purged_records (tenant_id, entity_id, record_id)
        values ($1, $2, '00000000-0000-0000-0000-000000000000') on conflict do nothing
      )
      delete from public.retired_fields where tenant_id = $1 and entity_id = $2`,
    values: [tenantId, leftover.entityId],
  });
  return null;
}

/**
 * Locks the leftover for this transaction. False where another process has finished it: its slot may belong to a new
 * field by now, and must not be touched.
 */
async function holdLeftover(tx: TenantTransaction, leftover: Leftover): Promise<boolean> {
  const held = await tx.query({
    name: 'retired_hold',
    text: `
      select from public.retired_fields
      where tenant_id = $1 and entity_id = $2 and key = $3 and cleared_at is null for update`,
    values: [tx.claims.tenantId, leftover.entityId, leftover.key],
  });
  return held.length > 0;
}

async function finishLeftover(tx: TenantTransaction, leftover: Leftover): Promise<void> {
  await letGoOfDefinition(tx, leftover.entityId, leftover.key);
  if (leftover.fieldId !== null) {
    await tx.query({
      name: 'retired_delete_keys',
      text: 'delete from public.record_keys where tenant_id = $1 and entity_id = $2 and key_id = $3',
      values: [tx.claims.tenantId, leftover.entityId, leftover.fieldId],
    });
  }
  await tx.query({
    name: 'retired_finish',
    text: `
      update public.retired_fields set slot = null, cleared_at = now()
      where tenant_id = $1 and entity_id = $2 and key = $3`,
    values: [tx.claims.tenantId, leftover.entityId, leftover.key],
  });
}
