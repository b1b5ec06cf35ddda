/** A tenant's definitions in PostgreSQL: read as a model, changed behind the fence (docs/decisions/definition-changes.md). */
import pg from 'pg';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { readDefinitionRows } from '#prisma/definition-rows.ts';
import type { RecordDatabase, TenantTransaction } from '#prisma/record-database.ts';
import type { FieldDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';
import {
  type DefinitionChange,
  type DraftBase,
  isEmptyChange,
  touchedEntityIds,
} from '../definitions/definition-change.ts';
import { createDraft, type DefinitionDraft } from '../definitions/draft.ts';
import { refuseUnconverted } from './conversion-backfills.ts';
import { backfillDefault, lockForBackfill, maxBackfilledRecords } from './definition-backfill.ts';
import { refuseOwnPermission, refuseUnseenValues } from './definition-permissions.ts';
import { refuseDroppedTargets } from './dropped-targets.ts';
import { writeChange } from './definition-rows.ts';
import {
  type FieldBackfill,
  fillFields,
  holdBackfills,
  readBackfills,
  readFilledFields,
  writeBackfills,
} from './field-backfills.ts';
import { planRetype, type RetypePlan, retireKey, retypeRecords } from './field-retype.ts';
import { countLosses } from './definition-losses.ts';
import { splitSearch } from './search-split.ts';
import { refuseDuplicates } from './unique-backfills.ts';
import { clearRetired, readRetired, retireLeftKey } from './retired-fields.ts';
import { writeCounters } from './sequence-start.ts';
import { holdCounters } from './write-counters.ts';

export interface ChangeRequest {
  claims: Claims;
  /** Kept with the event. */
  requestId: string;
}

export interface DefinitionStore {
  /** The newest definitions of the claims' tenant. */
  load(claims: Claims): Promise<TenantModel>;
  /**
   * Runs `plan` on the newest definitions and commits what it made, in one transaction that ends with the fence. `plan`
   * may run several times, each time on a new draft; what it throws is thrown. CONFLICT where names clash or stored
   * records do not fit. Answers the version after it.
   */
  change<Result>(
    request: ChangeRequest,
    plan: (draft: DefinitionDraft) => Result,
  ): Promise<{ result: Result; version: number }>;
  /**
   * Clears, in batches, what deleted entities and fields left behind in the claims' tenant; slots are free afterwards.
   * Ends early, between batches, once `signal` is aborted: the next call goes on.
   */
  clearRetired(claims: Claims, signal: AbortSignal): Promise<void>;
  /**
   * Goes through the records, in batches, for fields of the claims' tenant that became pending, and makes what is pending
   * hold. Answers whether it changed definitions. Ends early as `clearRetired` does.
   */
  fillFields(claims: Claims, signal: AbortSignal): Promise<boolean>;
  /** Tells the search text of records apart by field where an older release wrote it. Ends early as `clearRetired` does. */
  splitSearch(claims: Claims, signal: AbortSignal): Promise<void>;
  /**
   * What `plan` would change, and how many records would lose values by it: by id of the deleted entity, or of the deleted
   * or retyped field. Throws what a change would throw for its definitions alone. Changes nothing.
   */
  preview<Result>(
    claims: Claims,
    plan: (draft: DefinitionDraft) => Result,
  ): Promise<{ result: Result; version: number; lost: ReadonlyMap<string, number> }>;
  /** What `plan`, which must retype one field, would do to the records that are there. Changes nothing. */
  planRetype(claims: Claims, plan: (draft: DefinitionDraft) => FieldDefinition): Promise<RetypePlan>;
  /** How far the last backfill of each field is, by field id. */
  readBackfills(claims: Claims): Promise<ReadonlyMap<string, FieldBackfill>>;
}

/** Another change came between; whoever is told so starts again. */
const fenceBroken = 'TN001';
const deadlock = '40P01';
const lockNotAvailable = '55P03';
const uniqueViolation = '23505';
const retried = new Set([fenceBroken, deadlock, lockNotAvailable, uniqueViolation]);

const maxAttempts = 8;

/** Thrown to start again with the records of a backfill locked before the fence. */
class BackfillFirst extends Error {
  readonly fields: readonly FieldDefinition[];
  constructor(fields: readonly FieldDefinition[]) {
    super('the records come before the fence');
    this.fields = fields;
  }
}

export function createDefinitionStore(database: RecordDatabase): DefinitionStore {
  const load = async (claims: Claims): Promise<TenantModel> => {
    const rows = await readDefinitionRows({ query: (statement) => database.read(claims, statement) });
    return parseTenantModel(claims.tenantId ?? '', rows);
  };

  const change: DefinitionStore['change'] = async (request, plan) => {
    let backfilled: readonly FieldDefinition[] = [];
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await database.transaction(request.claims, (tx) =>
          attemptChange(tx, request, plan, backfilled),
        );
      } catch (error) {
        if (error instanceof BackfillFirst) backfilled = error.fields;
        else if (!(error instanceof pg.DatabaseError) || !retried.has(error.code ?? '')) throw error;
        if (attempt < maxAttempts) continue;
        throw new DomainError(
          'CONFLICT',
          'Others are changing these definitions or records at the same time: try again',
          {
            cause: error,
          },
        );
      }
    }
  };

  return {
    load,
    change,
    fillFields: (claims, signal) =>
      fillFields(
        {
          database,
          load,
          change: (system, plan) => change({ claims: system, requestId: 'backfill' }, plan),
        },
        claims,
        signal,
      ),
    async preview(claims, plan) {
      const base = await database.transaction(claims, readBase);
      const draft = createDraft(base);
      const result = plan(draft);
      const change = draft.finish();
      // How many values would not convert tells them, one rule after another.
      refuseUnseenValues(claims, base.model, change);
      const lost = await countLosses(database, claims, change);
      return { result, version: base.model.version, lost };
    },
    async planRetype(claims, plan) {
      const model = await load(claims);
      // As if there were no records: whether they convert is what is asked.
      const draft = createDraft({ model, retired: [], entitiesWithRecords: new Set() });
      plan(draft);
      const change = draft.finish();
      refuseUnseenValues(claims, model, change);
      const [retype] = change.retypes;
      if (!retype) throw new Error('the plan retypes no field');
      return planRetype(database, claims, retype.before, retype.after);
    },
    readBackfills: (claims) => readBackfills(database, claims),
    clearRetired: (claims, signal) => clearRetired({ database, load }, claims, signal),
    splitSearch: (claims, signal) => splitSearch({ database, load }, claims, signal),
  };
}

/**
 * Writers lock records first and the counter row last, so this does too: what it writes to records (a default's value) is
 * locked before the counter row, and what came in between is taken only if nobody holds it.
 */
async function attemptChange<Result>(
  tx: TenantTransaction,
  request: ChangeRequest,
  plan: (draft: DefinitionDraft) => Result,
  backfilled: readonly FieldDefinition[],
): Promise<{ result: Result; version: number }> {
  await holdBackfills(tx);
  for (const field of backfilled) await lockForBackfill(tx, field);
  await holdCounters(tx);
  // From here until COMMIT no writer of this tenant commits: what is read of records stays true.
  await tx.query({
    name: 'definitions_lock',
    text: 'select definitions_version from public.tenant_heads where tenant_id = $1 for update',
    values: [tx.claims.tenantId],
  });
  const base = await readBase(tx);
  let draft = createDraft(base);
  let result = plan(draft);
  let change = draft.finish();
  const largeEntities = await findLarge(tx, change);
  if (largeEntities.size > 0) {
    // Planned once more: their records are converted in the background.
    draft = createDraft({ ...base, largeEntities });
    result = plan(draft);
    change = draft.finish();
  }
  refuseOwnPermission(request.claims, base, change);
  refuseUnseenValues(request.claims, base.model, change);
  if (isEmptyChange(change)) return { result, version: base.model.version };

  const rewritten = [
    ...change.backfills,
    ...change.retypes.filter(({ hasRecords }) => hasRecords).map(({ after }) => after),
  ];
  if (!rewritten.every((field) => backfilled.some((done) => isSameBackfill(done, field)))) {
    throw new BackfillFirst(rewritten);
  }
  await refuseMissingValues(tx, change);
  await refuseDuplicates(tx, change);
  await refuseUnconverted(tx, change);
  await refuseDroppedTargets(tx, change.droppedTargets);
  for (const field of change.backfills) await backfillDefault(tx, field);
  await writeChange(tx, change);
  for (const retype of change.retypes) {
    if (retype.hasRecords) await retypeRecords(tx, retype, base.model);
    await retireKey(tx, retype.before);
  }
  for (const left of change.leftKeys) await retireLeftKey(tx, left);
  await writeBackfills(tx, change);
  await writeCounters(tx, change);
  const event = {
    kind: 'DEFINITIONS',
    entityId: touchedEntityIds(change).length === 1 ? touchedEntityIds(change)[0] : null,
    recordId: null,
    operation: 'UPDATED',
    changedFields: [],
    before: null,
    after: null,
    actorKind: request.claims.actorKind,
    actorId: request.claims.actorId,
    requestId: request.requestId,
  };
  const [bumped] = await tx.finish<{ version: number }>(
    `select public.bump_definitions(${base.model.version}, ${pg.escapeLiteral(JSON.stringify(event))}::jsonb) as version`,
  );
  return { result, version: Number(bumped?.version) };
}

/** Ids of entities whose records are too many to convert in one transaction. */
async function findLarge(tx: TenantTransaction, change: DefinitionChange): Promise<Set<string>> {
  const large = new Set<string>();
  for (const id of new Set(change.retypes.map(({ entity }) => entity.id))) {
    const rows = await tx.query({
      name: 'definitions_large',
      text: `select from public.records where tenant_id = $1 and entity_id = $2 offset ${maxBackfilledRecords} limit 1`,
      values: [tx.claims.tenantId, id],
    });
    if (rows.length > 0) large.add(id);
  }
  return large;
}

async function readBase(tx: TenantTransaction): Promise<DraftBase> {
  const [rows, retired, backfilled, filled] = await Promise.all([
    readDefinitionRows(tx),
    readRetired(tx),
    readFilledFields(tx),
    tx.query<{ id: string }>({
      name: 'definitions_filled',
      text: `
        select e.id from public.entity_definitions e
        where e.tenant_id = $1
          and exists (select from public.records r where r.tenant_id = e.tenant_id and r.entity_id = e.id)`,
      values: [tx.claims.tenantId],
    }),
  ]);
  return {
    model: parseTenantModel(tx.claims.tenantId, rows),
    retired,
    entitiesWithRecords: new Set(filled.map((row) => row.id)),
    filledFields: new Set(backfilled),
  };
}

/** A field that becomes required, while some record has no value in it. */
async function refuseMissingValues(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  for (const field of change.needsEveryValue) {
    const [found] = await tx.query<{ missing: number }>({
      name: 'definitions_missing',
      text: `
        select count(*) as missing from public.records
        where tenant_id = $1 and entity_id = $2 and coalesce(data -> $3::text, 'null') = 'null'`,
      values: [tx.claims.tenantId, field.entityId, field.key],
    });
    const missing = found?.missing ?? 0;
    if (missing === 0) continue;
    const message = `"${field.name}" cannot become required: ${missing} records have no value in it`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: 'isRequired', rule: 'required', message }],
    });
  }
  for (const field of change.backfills) {
    const [found] = await tx.query<{ total: number }>({
      name: 'definitions_total',
      text: 'select count(*) as total from public.records where tenant_id = $1 and entity_id = $2',
      values: [tx.claims.tenantId, field.entityId],
    });
    const total = found?.total ?? 0;
    if (total <= maxBackfilledRecords) continue;
    const message = `"${field.name}" cannot be added as required: ${total} records would get its default value, more than ${maxBackfilledRecords}. Add it as not required`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: 'isRequired', rule: 'maxRecords', message }],
    });
  }
}

function isSameBackfill(a: FieldDefinition, b: FieldDefinition): boolean {
  return a.entityId === b.entityId && a.key === b.key;
}
