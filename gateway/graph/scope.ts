import type { SdlAudience } from '#schema/subgraph-protocol.ts';

/** Whose graph: the anonymous callers', one tenant's, or that of an operator who chose no tenant. */
export type GraphScope =
  | { readonly audience: Exclude<SdlAudience, 'TENANT'>; readonly tenantId: null }
  | { readonly audience: 'TENANT'; readonly tenantId: string };

export const publicScope: GraphScope = { audience: 'PUBLIC', tenantId: null };
export const platformScope: GraphScope = { audience: 'PLATFORM', tenantId: null };

export function tenantScope(tenantId: string): GraphScope {
  return { audience: 'TENANT', tenantId };
}

/** A key for maps. */
export function scopeKey(scope: GraphScope): string {
  return scope.tenantId ?? scope.audience;
}
