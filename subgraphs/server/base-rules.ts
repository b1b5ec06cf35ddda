/** The rules that every subgraph builds its own from. Each answers true, or the DomainError that the caller gets. */
import { type Role, roleReaches } from '#schema/claims.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { RequestContext } from './request-context.ts';
import { rule, type ShieldRule } from './shield.ts';

function authenticated(claims: Claims): true | DomainError {
  if (claims.actorKind !== 'ANONYMOUS' && claims.actorKind !== 'GATEWAY') return true;
  return new DomainError('UNAUTHENTICATED', 'Sign in first: no valid credentials came with this request');
}

function withTenant(claims: Claims): true | DomainError {
  const known = authenticated(claims);
  if (known !== true) return known;
  if (claims.tenantId !== null) return true;
  return new DomainError('TENANT_REQUIRED', 'Choose a tenant first (header X-Tenant-ID)');
}

function withRole(claims: Claims, needed: Role): true | DomainError {
  const known = authenticated(claims);
  if (known !== true) return known;
  if (roleReaches(claims.role, needed)) return true;
  return new DomainError('FORBIDDEN', `This needs the role ${needed}; yours is ${claims.role ?? 'none'}`);
}

/** Throws UNAUTHENTICATED, FORBIDDEN or TENANT_REQUIRED unless the claims are of a tenant and reach `role`. For `subscribe` and reference resolvers. */
export function assertTenantRole(claims: Claims, role: Role): void {
  for (const outcome of [withRole(claims, role), withTenant(claims)]) if (outcome !== true) throw outcome;
}

/** Anybody known: a user, a key, an operator, the platform's background work. Else UNAUTHENTICATED. */
export const isAuthenticated: ShieldRule = rule('isAuthenticated')(
  (_parent, _args, context: RequestContext) => authenticated(context.claims),
);

/** Somebody known who acts in a tenant. Else UNAUTHENTICATED or TENANT_REQUIRED. */
export const hasTenant: ShieldRule = rule('hasTenant')((_parent, _args, context: RequestContext) =>
  withTenant(context.claims),
);

const byRole = new Map<Role, ShieldRule>();

/** A role that reaches `role`, in a tenant or not. Else UNAUTHENTICATED or FORBIDDEN. */
export function atLeast(role: Role): ShieldRule {
  const known = byRole.get(role);
  if (known) return known;
  const made = rule(`atLeast${role}`)((_parent, _args, context: RequestContext) =>
    withRole(context.claims, role),
  );
  byRole.set(role, made);
  return made;
}

const inTenantByRole = new Map<Role, ShieldRule>();

/** A role that reaches `role`, acting in a tenant. Else UNAUTHENTICATED, FORBIDDEN or TENANT_REQUIRED. One rule, so cheaper than `and(…)`. */
export function atLeastInTenant(role: Role): ShieldRule {
  const known = inTenantByRole.get(role);
  if (known) return known;
  const made = rule(`atLeast${role}InTenant`)((_parent, _args, context: RequestContext) => {
    const reached = withRole(context.claims, role);
    return reached === true ? withTenant(context.claims) : reached;
  });
  inTenantByRole.set(role, made);
  return made;
}
