import { anonymousClaims, type Claims } from '#schema/claims.ts';

/** The claims under which the log of a tenant is read, whoever its subscribers are. */
export function systemClaims(tenantId: string): Claims {
  return { ...anonymousClaims, actorKind: 'SYSTEM', tenantId };
}
