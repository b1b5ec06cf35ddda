import type { LoadedGraph } from '#gateway/execution/executor.ts';
import type { ActiveGraph, GraphRegistry } from '#gateway/graph/registry.ts';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';

/** One graph for everybody, which never changes. */
export function createFixedRegistry(graph: LoadedGraph): GraphRegistry {
  const active: ActiveGraph = { hash: 'supergraph', definitionsVersion: null, sharing: null };
  return {
    getActive: () => active,
    load: async () => ({ graph, active }),
    update: async () => null,
    whenNewer: async () => false,
    subscribe: () => () => undefined,
    recheckAll: async () => {},
    async [Symbol.asyncDispose]() {},
  };
}

/** No tenants, and never any. */
export const noTenants: TenantTable = {
  ready: true,
  findById: () => undefined,
  findBySlug: () => undefined,
  refresh: async () => {},
  hint: () => {},
  subscribe: () => () => {},
  async [Symbol.asyncDispose]() {},
};
