import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SharedCache } from '#gateway/shared-cache/shared-cache.ts';
import type { GraphEngine, OperationText, PreparedOperation } from './executor.ts';

/** Operations that other gateways planned. */
export interface SharedOperations {
  /** Never rejects. */
  find(graphHash: string, text: OperationText): Promise<PreparedOperation | undefined>;
  /** Puts one there that was prepared here. */
  share(graphHash: string, text: OperationText, operation: PreparedOperation): void;
}

export interface SharedOperationsOptions {
  readonly cache: SharedCache;
  readonly engine: GraphEngine;
}

/** What one graph's operations may put there in an hour: nobody fills the cache with texts that are all different. */
const hourlyBudgetChars = 8 * 2 ** 20;
const hourMs = 3_600_000;

/** Undefined where the engine's operations cannot leave the process. */
export function createSharedOperations({
  cache,
  engine,
}: SharedOperationsOptions): SharedOperations | undefined {
  const { revive, version } = engine;
  if (!revive || version === undefined) return undefined;
  const spent = new LRUCache<string, { chars: number }>({ max: 10_000, ttl: hourMs, noUpdateTTL: true });

  const idOf = (graphHash: string, { query, operationName }: OperationText): string =>
    createHash('sha256')
      .update(JSON.stringify([version, graphHash, operationName, query]))
      .digest('base64url');

  return {
    async find(graphHash, text) {
      const recipe = await cache.get('operation', idOf(graphHash, text));
      if (recipe === null) return undefined;
      try {
        return revive(recipe, graphHash);
      } catch {
        // Made anew.
        return undefined;
      }
    },
    share(graphHash, text, operation) {
      const recipe = operation.takeRecipe?.();
      if (!recipe) return;
      const budget = spent.get(graphHash) ?? { chars: 0 };
      if (budget.chars + recipe.length > hourlyBudgetChars) return;
      budget.chars += recipe.length;
      spent.set(graphHash, budget);
      cache.set('operation', idOf(graphHash, text), recipe);
    },
  };
}
