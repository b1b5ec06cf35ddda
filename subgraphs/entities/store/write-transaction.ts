/** One write: a transaction that ends with its events, behind the fence of definitions, tried again where that is the way. */
import type { RecordDatabase, TenantTransaction } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { LogRecord } from '#schema/events.ts';
import { withoutConverted } from './converted-form.ts';
import { onlyOnce } from './idempotency.ts';
import { toLogRecord } from './record-row.ts';
import type { StoreContext, StoredRecord } from './record-store.ts';
import { assertAnswerVisible, assertResultVisible } from './write-permissions.ts';
import { type RecordChange, TryAgain, type WriteScope, type Written } from './write-scope.ts';

/** A write gives up after so many attempts; each of them failed for another writer's sake. */
const maxAttempts = 8;

/** The definitions changed since the model was read (`append_events`). */
const fenceState = 'TN001';
/** Deadlock; serialisation failure. */
const retriedStates: ReadonlySet<unknown> = new Set(['40P01', '40001']);

export interface WriteDependencies {
  readonly database: RecordDatabase;
  readonly wakeUp: { publish(tenantId: string): void };
  /** The newest definitions, read anew. */
  reload(claims: Claims): Promise<TenantModel>;
}

/**
 * Runs `work` in a transaction and appends its changes to the log together with COMMIT. Where the definitions changed
 * meanwhile, it is run again under the new ones; where it deadlocked or threw `TryAgain`, again under the same. With an
 * idempotency key, it is run by the first who comes with it.
 */
export async function runWrite<T>(
  dependencies: WriteDependencies,
  context: StoreContext,
  work: (scope: WriteScope) => Promise<Written<T>>,
): Promise<T> {
  const { database, wakeUp } = dependencies;
  const { claims } = context;
  let { model } = context;
  for (let attempt = 1; ; attempt++) {
    try {
      const written = await database.transaction(claims, async (tx) => {
        const { tenantId } = tx.claims;
        if (model.tenantId !== tenantId) throw new Error("The model is not of the claims' tenant");
        const userId = claims.actorKind === 'USER' ? claims.actorId : null;
        const access = modelAccess(model, claims);
        const { ignoresLimits } = context;
        const scope: WriteScope = { tx, tenantId, model, userId, now: new Date(), access, ignoresLimits };
        const run = async (): Promise<Written<T>> => {
          const written = await work(scope);
          await assertResultVisible(scope, written.changes, written.result);
          return written;
        };
        const repeat = async (answer: unknown): Promise<Written<T>> => {
          await assertAnswerVisible(scope, answer);
          return { result: answer as T, changes: [] };
        };
        const done = await (context.idempotency ? onlyOnce(tx, context, run, repeat) : run());
        if (done.changes.length > 0) await appendEvents(tx, model, context, done.changes);
        return done;
      });
      if (written.changes.length > 0) wakeUp.publish(model.tenantId);
      return written.result;
    } catch (error) {
      const state = (error as { code?: unknown }).code;
      const isFenced = state === fenceState;
      if (!isFenced && !retriedStates.has(state) && !(error instanceof TryAgain)) throw error;
      if (attempt === maxAttempts) {
        throw new DomainError('CONFLICT', 'Others kept changing the same things; try again', {
          cause: error,
        });
      }
      if (isFenced) model = await dependencies.reload(claims);
    }
  }
}

/** The entity under the scope's definitions, which may be newer than the caller's. */
export function currentEntity(scope: WriteScope, entity: EntityDefinition): EntityDefinition {
  const current = scope.model.entityById.get(entity.id);
  if (!current) throw new DomainError('NOT_FOUND', `The entity ${entity.name} is not defined any more`);
  return current;
}

async function appendEvents(
  tx: TenantTransaction,
  model: TenantModel,
  context: StoreContext,
  changes: readonly RecordChange[],
): Promise<void> {
  const { actorKind, actorId } = context.claims;
  const logged = (record: StoredRecord): LogRecord => {
    const entity = model.entityById.get(record.entityId);
    return toLogRecord({ ...record, data: withoutConverted(entity, record.data) });
  };
  const events = changes.map((change) => ({
    kind: 'RECORD',
    entityId: change.after.entityId,
    recordId: change.after.id,
    operation: change.operation,
    changedFields: change.changedFields,
    before: change.before === null ? null : logged(change.before),
    after: logged(change.after),
    actorKind,
    actorId,
    requestId: context.requestId,
  }));
  await tx.finish({
    name: 'records_append_events',
    text: 'select append_events($1::bigint, $2::jsonb)',
    values: [model.version, JSON.stringify(events)],
  });
}
