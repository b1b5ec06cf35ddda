/** Definitions as the resolvers use them: changes that are seen by the next request, and the clearing that follows deletions. */
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
  /** Resolves once nothing is being cleared. */
  idle(): Promise<void>;
}

/** Disposing ends clearing after its current batch; the next process goes on with it. */
export function createDefinitionService({
  store,
  wakeUp,
  logger,
}: DefinitionServiceOptions): DefinitionService {
  const stopping = new AbortController();
  const clearing = new Map<string, Promise<void>>();
  // Tenants whose leftovers of an earlier process were looked for.
  const looked = new LRUCache<string, true>({ max: 10_000 });

  const models = createTenantModels({
    async load(claims) {
      const model = await store.load(claims);
      if (!looked.has(model.tenantId)) {
        looked.set(model.tenantId, true);
        startClearing(model.tenantId);
      }
      return model;
    },
  });

  /** One at a time for each tenant; what is retired meanwhile is cleared by the one that follows. */
  function startClearing(tenantId: string): void {
    const before = clearing.get(tenantId) ?? Promise.resolve();
    const run = before
      .then(() => clear(tenantId))
      .finally(() => {
        if (clearing.get(tenantId) === run) clearing.delete(tenantId);
      });
    clearing.set(tenantId, run);
  }

  async function clear(tenantId: string): Promise<void> {
    if (stopping.signal.aborted) return;
    const claims: Claims = { ...anonymousClaims, actorKind: 'SYSTEM', tenantId };
    try {
      await store.clearRetired(claims, stopping.signal);
    } catch (error) {
      logger.error(
        { err: error, tenantId },
        'clearing after deleted definitions failed; the next start goes on',
      );
    }
  }

  return {
    models,

    async change(request, plan) {
      const { result, version } = await store.change(request, plan);
      const tenantId = request.claims.tenantId ?? '';
      models.invalidate(tenantId);
      wakeUp.publish(tenantId);
      startClearing(tenantId);
      return { result, model: await models.get(request.claims, version) };
    },

    async idle() {
      while (clearing.size > 0) await Promise.all(clearing.values());
    },

    async [Symbol.asyncDispose]() {
      stopping.abort();
      await Promise.all(clearing.values());
    },
  };
}
