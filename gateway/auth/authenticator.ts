import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantVersion } from '#schema/subgraph-protocol.ts';
import type { AccessTokens } from './access-tokens.ts';
import { anonymousCaller, scopeOf, type Caller, type Credentials, type Proof } from './caller.ts';
import type { Rights } from './rights.ts';

export interface AuthenticatorOptions {
  readonly tokens: Pick<AccessTokens, 'verify'>;
  readonly rights: Rights;
  readonly tenants: Pick<TenantTable, 'findById' | 'findBySlug' | 'refresh'>;
}

export interface Authenticator {
  /**
   * Who shows these credentials; the anonymous caller where there are none. Throws UNAUTHENTICATED, FORBIDDEN (another
   * tenant than the credential's), TENANT_NOT_FOUND, TENANT_SUSPENDED.
   */
  authenticate(credentials: Credentials): Promise<Caller>;
  /** The same caller with its rights as they are now (for open sockets). The same object where nothing changed. */
  recheck(caller: Caller): Promise<Caller>;
}

const schemePattern = /^(Bearer|ApiKey) +(\S+)$/i;

export function createAuthenticator({ tokens, rights, tenants }: AuthenticatorOptions): Authenticator {
  async function authenticate(credentials: Credentials): Promise<Caller> {
    if (credentials.authorization === null) return anonymousCaller;
    const match = schemePattern.exec(credentials.authorization);
    if (!match?.[1] || !match[2])
      throw unauthenticated('Authorization must be "Bearer <token>" or "ApiKey <key>".');
    return match[1].toLowerCase() === 'bearer'
      ? authenticateToken(match[2], credentials)
      : authenticateKey(match[2], credentials);
  }

  async function authenticateToken(token: string, credentials: Credentials): Promise<Caller> {
    const payload = await tokens.verify(token);
    const tenantId = payload.tenant_id ?? null;
    const proof: Proof = {
      kind: 'TOKEN',
      sub: payload.sub,
      sid: payload.sid,
      tenantId,
      expiresAtMs: payload.exp * 1000,
    };
    if (tenantId === null) {
      // Without a tenant only the platform's own staff has a token; its rights have no version, so they are looked up.
      if (payload.role !== 'OPERATOR') throw unauthenticated('The access token is not valid.');
      const claims = await rights.ofSubject(proof);
      if (!claims || claims.role !== 'OPERATOR') throw unauthenticated('The session has ended.');
      const chosen = await chooseTenant(credentials);
      return createCaller(inTenant(claims, chosen), proof);
    }
    const tenant = await getTenant(tenantId, payload.auth_version);
    requireSameTenant(tenant, credentials);
    requireActive(tenant);
    if (payload.auth_version >= tenant.authVersion) {
      return createCaller(
        {
          tenantId,
          actorKind: 'USER',
          actorId: payload.sub,
          role: payload.role,
          authVersion: payload.auth_version,
          sessionId: payload.sid,
        },
        proof,
      );
    }
    return createCaller(await subjectClaims(proof), proof);
  }

  async function authenticateKey(key: string, credentials: Credentials): Promise<Caller> {
    const claims = await rights.ofApiKey(key);
    if (!claims || claims.tenantId === null) throw unauthenticated('The API key is not valid.');
    const tenant = await getTenant(claims.tenantId, claims.authVersion);
    requireSameTenant(tenant, credentials);
    requireActive(tenant);
    return createCaller(claims, { kind: 'API_KEY', key });
  }

  async function subjectClaims(proof: Extract<Proof, { kind: 'TOKEN' }>): Promise<Claims> {
    const claims = await rights.ofSubject(proof);
    if (!claims || claims.tenantId !== proof.tenantId) throw unauthenticated('The session has ended.');
    return claims;
  }

  /**
   * A tenant that was just made may not have been heard of yet, nor a change that the credential knows already: one more
   * poll then.
   */
  async function getTenant(tenantId: string, authVersion = 0): Promise<TenantVersion> {
    let tenant = tenants.findById(tenantId);
    if (!tenant || tenant.authVersion < authVersion) {
      await tenants.refresh();
      tenant = tenants.findById(tenantId);
    }
    if (!tenant) throw tenantNotFound();
    return tenant;
  }

  async function chooseTenant({ tenant, subdomain }: Credentials): Promise<TenantVersion | null> {
    const find = (name: string): TenantVersion | undefined =>
      tenants.findById(name) ?? tenants.findBySlug(name);
    if (tenant !== null) {
      let found = find(tenant);
      if (!found) {
        await tenants.refresh();
        found = find(tenant);
      }
      if (!found) throw tenantNotFound();
      return found;
    }
    return (subdomain !== null && tenants.findBySlug(subdomain)) || null;
  }

  async function recheck(caller: Caller): Promise<Caller> {
    const { proof } = caller;
    if (proof.kind === 'NONE') return caller;
    const expired = proof.kind === 'TOKEN' && proof.expiresAtMs <= Date.now();
    if (proof.kind === 'TOKEN' && proof.tenantId !== null && !expired) {
      const tenant = await getTenant(proof.tenantId);
      requireActive(tenant);
      if (caller.claims.authVersion >= tenant.authVersion) return caller;
    }
    const claims =
      proof.kind === 'API_KEY'
        ? await rights.ofApiKey(proof.key)
        : await rights.ofSubject(proof, { expired });
    if (!claims) {
      const message = proof.kind === 'API_KEY' ? 'The API key is not valid.' : 'The session has ended.';
      throw unauthenticated(message);
    }
    const tenantId = claims.tenantId ?? caller.claims.tenantId;
    if (tenantId !== caller.claims.tenantId) throw unauthenticated('The session has ended.');
    const tenant = tenantId === null ? null : await getTenant(tenantId);
    if (claims.actorKind !== 'OPERATOR' && tenant) requireActive(tenant);
    const current = claims.actorKind === 'OPERATOR' ? inTenant(claims, tenant) : claims;
    return isSame(current, caller.claims) ? caller : createCaller(current, proof);
  }

  return { authenticate, recheck };
}

function createCaller(claims: Claims, proof: Proof): Caller {
  return { claims, scope: scopeOf(claims), proof };
}

function inTenant(claims: Claims, tenant: TenantVersion | null): Claims {
  return tenant ? { ...claims, tenantId: tenant.tenantId, authVersion: tenant.authVersion } : claims;
}

function isSame(one: Claims, other: Claims): boolean {
  return one.role === other.role && one.authVersion === other.authVersion && one.actorId === other.actorId;
}

/** Whether the header names a tenant that exists is not told: any other than the credential's own is refused alike. */
function requireSameTenant(own: TenantVersion, { tenant }: Credentials): void {
  if (tenant === null || tenant === own.tenantId || tenant === own.slug) return;
  throw new DomainError('FORBIDDEN', 'X-Tenant-ID names another tenant than the credential does.');
}

function requireActive(tenant: TenantVersion): void {
  if (tenant.status === 'ACTIVE') return;
  throw new DomainError('TENANT_SUSPENDED', `The tenant is ${tenant.status.toLowerCase()}.`);
}

function unauthenticated(message: string): DomainError {
  return new DomainError('UNAUTHENTICATED', message);
}

function tenantNotFound(): DomainError {
  return new DomainError('TENANT_NOT_FOUND', 'There is no such tenant.');
}
