import { platformScope, publicScope, tenantScope, type GraphScope } from '#gateway/graph/scope.ts';
import type { Grants } from './grants.ts';
import { anonymousClaims, type Claims } from '#schema/claims.ts';

/** What a client showed to say who it is, before anything of it is believed. */
export interface Credentials {
  /** The whole `Authorization`: "Bearer …" or "ApiKey …". */
  readonly authorization: string | null;
  /** A tenant's id or slug. */
  readonly tenant: string | null;
  /** A tenant's slug, from the address. */
  readonly subdomain: string | null;
}

/** Who is asking, verified. */
export interface Caller {
  readonly claims: Claims;
  readonly scope: GraphScope;
  /** To look at the rights again with; what it was cannot be read out of it. */
  readonly proof: Proof;
  /** In front of a supergraph that is not ours; absent for tenants' callers. */
  readonly grants?: Grants;
}

export type Proof =
  | { readonly kind: 'NONE' }
  | { readonly kind: 'API_KEY'; readonly key: string }
  | {
      readonly kind: 'TOKEN';
      readonly sub: string;
      readonly sid: string;
      /** The token's own tenant; null for an operator's. */
      readonly tenantId: string | null;
      /** Of the token; an open socket lives on for as long as the session does. */
      readonly expiresAtMs: number;
    };

export const anonymousCaller: Caller = {
  claims: anonymousClaims,
  scope: publicScope,
  proof: { kind: 'NONE' },
};

/** The graph that these claims see. */
export function scopeOf(claims: Claims): GraphScope {
  if (claims.actorKind === 'ANONYMOUS') return publicScope;
  return claims.tenantId === null ? platformScope : tenantScope(claims.tenantId);
}
