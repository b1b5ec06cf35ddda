/** Who is asking: what the gateway knows of a caller, signs, and forwards to every subgraph. */

export const roles = ['VIEWER', 'USER', 'DEVELOPER', 'ADMIN', 'SERVICE', 'OPERATOR'] as const;
export type Role = (typeof roles)[number];

/** Each level may do what the ones below may. A service key without a role of its own acts as a developer. */
const rank: Record<Role, number> = { VIEWER: 1, USER: 2, DEVELOPER: 3, SERVICE: 3, ADMIN: 4, OPERATOR: 5 };

/** Whether `role` may do what `needed` may. */
export function roleReaches(role: Role | null, needed: Role): boolean {
  return role !== null && rank[role] >= rank[needed];
}

/**
 * USER: a person of the tenant. SERVICE: an API key. OPERATOR: the platform's own staff.
 * ANONYMOUS: nobody yet. GATEWAY: the gateway itself (SDL, versions, identity), never on behalf of a caller.
 * SYSTEM: the platform's background work for one tenant.
 */
export const actorKinds = ['USER', 'SERVICE', 'OPERATOR', 'ANONYMOUS', 'GATEWAY', 'SYSTEM'] as const;
export type ActorKind = (typeof actorKinds)[number];

export interface Claims {
  /** Null for anonymous callers, the gateway itself, and an operator who chose no tenant. */
  readonly tenantId: string | null;
  readonly actorKind: ActorKind;
  /** The user's, key's or operator's id; null for ANONYMOUS, GATEWAY and SYSTEM. */
  readonly actorId: string | null;
  /** Null for ANONYMOUS and GATEWAY. SYSTEM names the role that it acts in (templates are applied as DEVELOPER), or none. */
  readonly role: Role | null;
  /** The tenant's `authVersion` under which these rights were looked up. */
  readonly authVersion: number;
  /** The session of a user's token; null otherwise. */
  readonly sessionId: string | null;
}

export const anonymousClaims: Claims = {
  tenantId: null,
  actorKind: 'ANONYMOUS',
  actorId: null,
  role: null,
  authVersion: 0,
  sessionId: null,
};

export const gatewayClaims: Claims = { ...anonymousClaims, actorKind: 'GATEWAY' };

/** The `request.jwt.claims` setting that row-level security reads. */
export function databaseClaims(claims: Claims): string {
  return JSON.stringify({
    tenant_id: claims.tenantId,
    sub: claims.actorId,
    role: claims.role,
    actor_kind: claims.actorKind,
  });
}

/**
 * How claims travel to a subgraph over HTTP: a JWT (HS256, key SUBGRAPH_SECRET) in the header `x-tenantry-claims`,
 * whose `claims` member is a `Claims`. In process the object itself is passed.
 */
export const signedClaims = {
  header: 'x-tenantry-claims',
  issuer: 'tenantry-gateway',
  audience: 'tenantry-subgraph',
  algorithm: 'HS256',
  lifetimeSeconds: 300,
} as const;

/** Access tokens as the tenants subgraph signs and the gateway verifies them (JWKS). */
export const accessToken = {
  issuer: 'tenantry',
  audience: 'tenantry',
  algorithm: 'ES256',
  lifetimeSeconds: 15 * 60,
} as const;

/** The payload of an access token beside `iss aud iat exp`. `tenant_id` is absent for an operator. */
export interface AccessTokenPayload {
  sub: string;
  tenant_id?: string;
  role: Role;
  sid: string;
  auth_version: number;
}
