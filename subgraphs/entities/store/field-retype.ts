/** Another type for a field: its values, converted in the transaction of the change, under a key of their own. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { RecordDatabase, TenantTransaction } from '#prisma/record-database.ts';
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { Retype } from '../definitions/definition-change.ts';
import { convertValue } from '../definitions/value-conversion.ts';
import { maxBackfilledRecords } from './definition-backfill.ts';
import { insertKeys, keysOf } from './record-keys.ts';
import { type RecordRow, recordColumns, toRecord } from './record-row.ts';
import { updateRecords } from './record-rows-writing.ts';
import { platformScope } from './write-scope.ts';

/** Records that are converted together. */
const batchSize = 1_000;

/** Problems that a plan and a refusal show. */
const shownProblems = 20;

export interface RetypeProblem {
  recordId: string;
  value: unknown;
  message: string;
}

export interface RetypePlan {
  /** Records, deleted ones included. */
  total: number;
  /** Those without a value. */
  empty: number;
  /** Those whose value converts. */
  converted: number;
  /** Those whose value does not. */
  failed: number;
  /** The first that do not. */
  problems: RetypeProblem[];
}

/** What a retype would do, batch by batch: nothing is held, so writers may change things meanwhile. */
export async function planRetype(
  database: RecordDatabase,
  claims: Claims,
  before: FieldDefinition,
  after: FieldDefinition,
): Promise<RetypePlan> {
  const plan: RetypePlan = { total: 0, empty: 0, converted: 0, failed: 0, problems: [] };
  for (let last: string | null = null; ; ) {
    const rows: { id: string; value: unknown }[] = await database.read(claims, {
      name: 'retype_plan',
      text: `
        select id, data -> $3::text as value from public.records
        where tenant_id = $1 and entity_id = $2 and id > coalesce($4::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit ${batchSize}`,
      values: [claims.tenantId, before.entityId, before.key, last],
    });
    for (const { id, value } of rows) note(plan, before, after, id, value);
    last = rows.at(-1)?.id ?? null;
    if (last === null) return plan;
  }
}

/** Counts one value; answers what it becomes, null for none. */
function note(
  plan: RetypePlan,
  before: FieldDefinition,
  after: FieldDefinition,
  recordId: string,
  value: unknown,
): unknown {
  plan.total += 1;
  if (value === null || value === undefined) {
    plan.empty += 1;
    return null;
  }
  const conversion = convertValue(before, after, value);
  if ('stored' in conversion) {
    plan.converted += 1;
    return conversion.stored;
  }
  plan.failed += 1;
  if (plan.problems.length < shownProblems)
    plan.problems.push({ recordId, value, message: conversion.problem });
  return null;
}

/**
 * Under the counter lock, with the entity's records locked before it (`lockForBackfill`). `model` is that before the
 * change. CONFLICT where values do not convert and are not to be cleared, or where too many records are concerned.
 */
export async function retypeRecords(
  tx: TenantTransaction,
  retype: Retype,
  model: TenantModel,
): Promise<void> {
  const { before, after, entity } = retype;
  const { tenantId } = tx.claims;
  const scope = platformScope(tx, model);
  // Those created since the lock, if they are free: whoever holds one waits for the counter row.
  const rows = await tx.query<RecordRow>({
    name: 'retype_read',
    text: `
      select ${recordColumns('x')} from public.records x where x.tenant_id = $1 and x.entity_id = $2
      order by x.id limit ${maxBackfilledRecords + 1} for no key update nowait`,
    values: [tenantId, entity.id],
  });
  const plan: RetypePlan = { total: 0, empty: 0, converted: 0, failed: 0, problems: [] };
  const records = rows.map((row) => {
    const record = toRecord(entity.id, row);
    const { [before.key]: old, ...data } = record.data;
    const value = note(plan, before, after, record.id, old);
    return { ...record, data: value === null ? data : { ...data, [after.key]: value } };
  });
  refuseProblems(retype, plan, records);

  await tx.query({
    name: 'retype_drop_keys',
    text: 'delete from public.record_keys where tenant_id = $1 and entity_id = $2 and key_id = $3',
    values: [tenantId, entity.id, after.id],
  });
  if (before.slot !== null && before.slot !== after.slot) {
    await tx.query({
      text: `update public.records set ${before.slot} = null where tenant_id = $1 and entity_id = $2 and ${before.slot} is not null`,
      values: [tenantId, entity.id],
    });
  }
  for (let at = 0; at < records.length; at += batchSize) {
    const batch = records.slice(at, at + batchSize);
    await updateRecords(scope, entity, batch);
    const live = batch.filter((record) => record.deletedAt === null);
    const keys = live.flatMap((record) => keysOf(entity, record).filter(({ key }) => key.id === after.id));
    const taken = await insertKeys(scope, keys);
    if (taken.length === 0) continue;
    const ids = taken.slice(0, 5).map((key) => key.recordId);
    throw refusal(
      'unique',
      `"${before.name}" would not be unique any more as ${after.type}: see the records ${ids.join(', ')}`,
    );
  }
}

function refuseProblems(
  { before, after, onError }: Retype,
  plan: RetypePlan,
  records: readonly { id: string; data: Readonly<Record<string, unknown>> }[],
): void {
  if (plan.failed > 0 && onError === 'REFUSE') {
    const shown = plan.problems
      .slice(0, 3)
      .map(({ recordId, value }) => `${JSON.stringify(value).slice(0, 60)} (${recordId})`);
    throw new DomainError(
      'CONFLICT',
      `"${before.name}" cannot become ${after.type}: ${plan.failed} of ${plan.total} values do not convert, such as ${shown.join(', ')}`,
      {
        fields: [{ field: 'type', rule: 'convertible', message: `${plan.failed} values do not convert` }],
        details: { problems: plan.problems },
      },
    );
  }
  const without = after.isRequired ? records.filter((record) => !(after.key in record.data)).length : 0;
  if (without > 0)
    throw refusal('required', `"${before.name}" is required: ${without} records would have no value in it`);
}

/** The key under which the values stood is never used again; nothing of it is left. */
export function retireKey(tx: TenantTransaction, field: FieldDefinition): Promise<unknown> {
  return tx.query({
    name: 'retype_retire',
    text: `
      insert into public.retired_fields (tenant_id, entity_id, key, slot, field_id, cleared_at)
      values ($1, $2, $3, null, null, now())`,
    values: [tx.claims.tenantId, field.entityId, field.key],
  });
}

function refusal(rule: string, message: string): DomainError {
  return new DomainError('CONFLICT', message, { fields: [{ field: 'type', rule, message }] });
}
