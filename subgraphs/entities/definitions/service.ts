/** Definitions as the resolvers use them: changes that are seen by the next request, and the work on records that follows. */
import { anonymousClaims, type Claims } from '#schema/claims.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { createTenantModels, type TenantModels } from '#subgraphs/model/tenant-models.ts';
import { LRUCache } from 'lru-cache';
import type { ChangeRequest, DefinitionStore } from '../store/definition-store.ts';
import type { DefinitionDraft } from './draft.ts';

export interface DefinitionServiceOptions {
  store: DefinitionStore;
  wakeUp: WakeUp;
  logger: Logger;
}

export interface DefinitionService extends AsyncDisposable {
  readonly models: TenantModels;
  /** See `DefinitionStore.change`. Answers the model that holds the change; readers of the tenant are woken. */
  change<Result>(
    request: ChangeRequest,
    plan: (draft: DefinitionDraft) => Result,
  ): Promise<{ result: Result; model: TenantModel }>;
  /** How far the last backfill of each field is, by field id. */
  readBackfills: DefinitionStore['readBackfills'];
  /** See `DefinitionStore.preview`. */
  preview: DefinitionStore['preview'];
  /** See `DefinitionStore.planRetype`. */
  planRetype: DefinitionStore['planRetype'];
  /** Resolves once nothing is being cleared or filled. */
  idle(): Promise<void>;
}

/** Disposing ends that work after its current batch; the next process goes on with it. */
export function createDefinitionService({
  store,
  wakeUp,
  logger,
}: DefinitionServiceOptions): DefinitionService {
  const stopping = new AbortController();
  const working = new Map<string, Promise<void>>();
  // Tenants whose unfinished work of an earlier process was looked for.
  const looked = new LRUCache<string, true>({ max: 10_000 });

  const models = createTenantModels({
    async load(claims) {
      const model = await store.load(claims);
      if (!looked.has(model.tenantId)) {
        looked.set(model.tenantId, true);
        startWork(model.tenantId);
      }
      return model;
    },
  });

  /** One at a time for each tenant; what comes meanwhile is done by the one that follows. */
  function startWork(tenantId: string): void {
    const before = working.get(tenantId) ?? Promise.resolve();
    const run = before
      .then(() => work(tenantId))
      .finally(() => {
        if (working.get(tenantId) === run) working.delete(tenantId);
      });
    working.set(tenantId, run);
  }

  async function work(tenantId: string): Promise<void> {
    if (stopping.signal.aborted) return;
    const claims: Claims = { ...anonymousClaims, actorKind: 'SYSTEM', tenantId };
    try {
      // What is settled may leave something to clear, and something else to fill.
      for (let isChanged = true; isChanged && !stopping.signal.aborted; ) {
        await store.clearRetired(claims, stopping.signal);
        await store.splitSearch(claims, stopping.signal);
        isChanged = await store.fillFields(claims, stopping.signal);
        if (!isChanged) return;
        models.invalidate(tenantId);
        wakeUp.publish(tenantId);
      }
    } catch (error) {
      logger.error({ err: error, tenantId }, 'work after a definition change failed; the next start goes on');
    }
  }

  return {
    models,
    readBackfills: store.readBackfills,
    planRetype: store.planRetype,
    preview: store.preview,

    async change(request, plan) {
      const { result, version } = await store.change(request, plan);
      const tenantId = request.claims.tenantId ?? '';
      models.invalidate(tenantId);
      wakeUp.publish(tenantId);
      startWork(tenantId);
      return { result, model: await models.get(request.claims, version) };
    },

    async idle() {
      while (working.size > 0) await Promise.all(working.values());
    },

    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(working.values());
    },
  };
}
