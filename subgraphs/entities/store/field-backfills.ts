/**
 * Going through the records of an entity for a field of it: its slot, its keys, its part of the search text; or for the keys
 * of a unique group. The change of definitions that asks for it makes the field or group pending; from its fence on every writer fills what is pending too, so the
 * batches that follow meet old records only. Nothing is read from it before the change that settles it.
 */
import type { Claims } from '#schema/claims.ts';
import type { RecordDatabase, TenantTransaction } from '#prisma/record-database.ts';
import { storedFields } from '#subgraphs/model/activation.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { type UniqueKey, writtenKeys } from '#subgraphs/model/unique-keys.ts';
import type { BackfillFailure, DefinitionChange } from '../definitions/definition-change.ts';
import type { DefinitionDraft } from '../definitions/draft.ts';
import { NotConverted, refuseProblems } from './conversion-backfills.ts';
import { holdVersion, Outdated } from './fence.ts';
import { type RecordRow, recordColumns, toRecord } from './record-row.ts';
import { updateRecords } from './record-rows-writing.ts';
import { makeKeys, NotUnique } from './unique-backfills.ts';
import { platformScope } from './write-scope.ts';

/** Records of one transaction. */
const batchSize = 500;

export interface FieldBackfill {
  fieldId: string;
  /** RUNNING until what was pending holds. */
  state: 'RUNNING' | 'DONE' | 'FAILED';
  done: number;
  total: number;
  failure: BackfillFailure | null;
}

export interface BackfillStorage {
  database: RecordDatabase;
  load(claims: Claims): Promise<TenantModel>;
  change(claims: Claims, plan: (draft: DefinitionDraft) => void): Promise<unknown>;
}

/**
 * The first thing that a change of definitions locks: a batch locks its backfill, then records, then the counter row, and
 * what a change writes to backfills it would otherwise come to from the other end.
 */
export async function holdBackfills(tx: TenantTransaction): Promise<void> {
  await tx.query({
    name: 'backfill_hold_all',
    text: 'select from public.field_backfills where tenant_id = $1 order by field_id for update',
    values: [tx.claims.tenantId],
  });
}

/** Part of the transaction of a definition change. */
export async function writeBackfills(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  const { tenantId } = tx.claims;
  for (const { entityId, id } of change.droppedKeys) {
    await tx.query({
      name: 'retired_delete_keys',
      text: 'delete from public.record_keys where tenant_id = $1 and entity_id = $2 and key_id = $3',
      values: [tenantId, entityId, id],
    });
  }
  await tx.query({
    name: 'backfill_forget',
    text: 'delete from public.field_backfills where tenant_id = $1 and (field_id = any($2::uuid[]) or entity_id = any($3::uuid[]))',
    values: [
      tenantId,
      [...change.deletedFields, ...change.deletedGroups].map(({ id }) => id),
      change.deletedEntities.map(({ id }) => id),
    ],
  });
  for (const { entityId, id } of change.rebuilds) {
    await tx.query({
      name: 'backfill_start',
      text: `
        insert into public.field_backfills as b (tenant_id, field_id, entity_id, total)
        select $1::uuid, $2::uuid, $3::uuid, count(*) from public.records where tenant_id = $1::uuid and entity_id = $3::uuid
        on conflict (tenant_id, field_id) do update
        set state = 'RUNNING', done = 0, total = excluded.total, after_id = null, failure = null, started_at = now(), finished_at = null`,
      values: [tenantId, id, entityId],
    });
  }
  for (const { id } of change.settled) {
    await tx.query({
      name: 'backfill_settle',
      text: `
        update public.field_backfills
        set state = case when failure is null then 'DONE' else 'FAILED' end, finished_at = now()
        where tenant_id = $1 and field_id = $2 and state = 'FILLED'`,
      values: [tenantId, id],
    });
  }
  for (const { subject, failure } of change.failed) {
    // With a slot still pending the records have to be gone through all the same.
    await tx.query({
      name: 'backfill_fail',
      text: `
        update public.field_backfills
        set failure = $3::jsonb, state = case when $4 then 'RUNNING' else 'FAILED' end, finished_at = case when $4 then null else now() end
        where tenant_id = $1 and field_id = $2`,
      values: [tenantId, subject.id, JSON.stringify(failure), subject.pendingSlot !== null],
    });
  }
}

/** Ids of fields and groups that every record was gone through for, and that are not settled yet. */
export async function readFilledFields(tx: Pick<TenantTransaction, 'claims' | 'query'>): Promise<string[]> {
  const rows = await tx.query<{ id: string }>({
    name: 'backfill_filled',
    text: `select field_id as id from public.field_backfills where tenant_id = $1 and state = 'FILLED'`,
    values: [tx.claims.tenantId],
  });
  return rows.map((row) => row.id);
}

/** How far the claims' tenant's backfills are, by id of the field or group; of each the last one. */
export async function readBackfills(
  database: RecordDatabase,
  claims: Claims,
): Promise<ReadonlyMap<string, FieldBackfill>> {
  const rows = await database.read<FieldBackfill>(claims, {
    name: 'backfill_read',
    text: `
      select field_id as "fieldId", case state when 'FILLED' then 'RUNNING' else state end as state,
        done::int as done, total::int as total, failure
      from public.field_backfills where tenant_id = $1`,
    values: [claims.tenantId],
  });
  return new Map(rows.map((row) => [row.fieldId, row]));
}

interface OpenBackfill {
  fieldId: string;
  entityId: string;
}

/** See `DefinitionStore.fillFields`. */
export async function fillFields(
  storage: BackfillStorage,
  claims: Claims,
  signal: AbortSignal,
): Promise<boolean> {
  const open = await storage.database.read<OpenBackfill>(claims, {
    name: 'backfill_open',
    text: `
      select field_id as "fieldId", entity_id as "entityId"
      from public.field_backfills where tenant_id = $1 and state in ('RUNNING', 'FILLED') order by started_at`,
    values: [claims.tenantId],
  });
  let isChanged = false;
  for (const backfill of open) {
    while (!signal.aborted) {
      try {
        const model = await storage.load(claims);
        if (!(await storage.database.transaction(claims, (tx) => fillBatch(tx, backfill, model)))) break;
      } catch (error) {
        if (error instanceof NotConverted) {
          await storage.change(claims, (draft) => draft.failConversion(error.fieldId, error.failure));
          isChanged = true;
        } else if (error instanceof NotUnique) {
          await storage.change(claims, (draft) => draft.failUnique(backfill.fieldId, error.failure));
          isChanged = true;
        } else if (!isPassing(error)) throw error;
      }
    }
  }
  if (signal.aborted || open.length === 0) return isChanged;
  const filled = await storage.database.transaction(claims, readFilledFields);
  if (filled.length === 0) return isChanged;
  try {
    await storage.change(claims, (draft) => draft.settleBackfills());
  } catch (error) {
    // Written since, and found at the last look.
    if (!(error instanceof NotConverted)) throw error;
    await storage.change(claims, (draft) => draft.failConversion(error.fieldId, error.failure));
  }
  return true;
}

/** Deadlocks and serialisation failures: somebody else's turn. */
function isPassing(error: unknown): boolean {
  return error instanceof Outdated || ['40P01', '40001'].includes((error as { code?: string }).code ?? '');
}

/** The next records. False once there are none, or where another process ended it. */
async function fillBatch(
  tx: TenantTransaction,
  { fieldId, entityId }: OpenBackfill,
  model: TenantModel,
): Promise<boolean> {
  const { tenantId } = tx.claims;
  const [held] = await tx.query<{ after: string | null }>({
    name: 'backfill_hold',
    text: `
      select after_id as after from public.field_backfills
      where tenant_id = $1 and field_id = $2 and state = 'RUNNING' for update`,
    values: [tenantId, fieldId],
  });
  const entity = model.allEntities.find((candidate) => candidate.id === entityId);
  const field = entity && storedFields(entity).find((candidate) => candidate.id === fieldId);
  const pendingKey = entity && findPendingKey(entity, fieldId);
  if (!held || !entity || !(field ?? pendingKey)) return false;
  const rows = await tx.query<RecordRow>({
    name: 'backfill_batch',
    text: `
      select ${recordColumns('x')} from public.records x
      where x.tenant_id = $1 and x.entity_id = $2 and x.id > coalesce($3::uuid, '00000000-0000-0000-0000-000000000000')
      order by x.id limit ${batchSize} for no key update`,
    values: [tenantId, entityId, held.after],
  });
  const last = rows.at(-1);
  if (last) {
    const scope = platformScope(tx, model);
    const records = rows.map((row) => toRecord(entity.id, row));
    // Of a group there is nothing in the records themselves.
    if (field?.becomes) refuseProblems(field, records);
    if (field) await updateRecords(scope, entity, records);
    if (pendingKey) await makeKeys(scope, entity, pendingKey, records);
  }
  const isPending =
    (field?.pendingSlot ?? null) !== null || pendingKey !== undefined || (field?.becomes ?? null) !== null;
  await tx.query({
    name: 'backfill_progress',
    text: `
      update public.field_backfills
      set done = done + $3, total = greatest(total, done + $3), after_id = coalesce($4, after_id), state = $5,
        finished_at = case when $5 in ('DONE', 'FAILED') then now() end
      where tenant_id = $1 and field_id = $2`,
    values: [
      tenantId,
      fieldId,
      rows.length,
      last?.id ?? null,
      last ? 'RUNNING' : isPending ? 'FILLED' : 'DONE',
    ],
  });
  await holdVersion(tx, model);
  return last !== undefined;
}

/** The key that is being made. */
function findPendingKey(entity: EntityDefinition, id: string): UniqueKey | undefined {
  const isPending =
    storedFields(entity).some((field) => field.id === id && field.isPendingUnique) ||
    entity.uniqueGroups.some((group) => group.id === id && group.state === 'RUNNING');
  return isPending ? writtenKeys(entity).find((key) => key.id === id) : undefined;
}
