/** Signing in, going on, and out: sessions with rotating refresh tokens. */
import { randomUUIDv7 } from 'node:crypto';
import { DomainError } from '#schema/errors.ts';
import type { UserIdentity } from '../store/identity-rows.ts';
import type { Credential, TenantRow, UserRow } from '../store/rows.ts';
import type { SessionOwner } from '../store/session-rows.ts';
import type { TenantStore } from '../store/tenant-store.ts';
import { isUuid } from '../uuid.ts';
import { issueAccessToken } from './access-tokens.ts';
import { verifyPassword } from './passwords.ts';
import { createSecretToken, hashSecret, refreshTokenPrefix } from './secret-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';

/** A session that is not refreshed for this long has ended. */
const sessionLifetimeMs = 30 * 24 * 60 * 60 * 1000;

export interface LoginInput {
  email: string;
  password: string;
  tenant?: string | null;
}

/** A new pair of tokens, and whose they are. */
export interface Authentication {
  readonly user: UserRow;
  /** Null for an operator. */
  readonly tenant: TenantRow | null;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly expiresAt: Date;
}

export interface Sessions {
  /** UNAUTHENTICATED whatever was wrong; TENANT_SUSPENDED only to who had the right password. */
  login(input: LoginInput): Promise<Authentication>;
  /** A session for a user just made. */
  open(credential: Credential, tenant: TenantRow | null): Promise<Authentication>;
  /** UNAUTHENTICATED for a token that is unknown, used before (which ends its session) or of an ended session. */
  refresh(refreshToken: string | null | undefined): Promise<Authentication>;
  /** Whether there was a session to end. */
  close(sessionId: string | null): Promise<boolean>;
}

export interface SessionsOptions {
  store: TenantStore;
  keys: SigningKeys;
  /** Called after a change of a tenant's rights. */
  announce(tenantId: string): void;
}

/** Throws TENANT_SUSPENDED unless the tenant is served. */
function requireServed(tenant: TenantRow): void {
  if (tenant.status === 'ACTIVE') return;
  throw new DomainError('TENANT_SUSPENDED', `The tenant is ${tenant.status.toLowerCase()}`);
}

/** The nil UUID: no tenant has it. */
const nobodysTenant = '00000000-0000-0000-0000-000000000000';

/** PostgreSQL's text cannot hold U+0000: what has one is unknown. */
function storable(text: string): string {
  return text.includes('\u0000') ? '' : text;
}

const refusedLogin = 'E-mail, password and tenant do not fit together';
const refusedRefresh = 'The refresh token is not valid (any more): sign in again';

export function createSessions({ store, keys, announce }: SessionsOptions): Sessions {
  const nextEnd = () => new Date(Date.now() + sessionLifetimeMs);

  /**
   * Null where the session has ended. Role, authVersion and session are read in one statement: a token must not carry the
   * authVersion of a change that it does not know, or it would pass for current.
   */
  async function authentication(
    { tenantId, subjectId }: SessionOwner,
    sessionId: string,
    refreshToken: string,
  ): Promise<Authentication | null> {
    const identity = tenantId
      ? await store.identities.findUser(tenantId, subjectId, sessionId)
      : await operatorIdentity(subjectId, sessionId);
    const tenant = tenantId ? await store.tenants.findById(tenantId) : null;
    if (!identity || (tenantId && !tenant)) return null;
    const { user, authVersion } = identity;
    const token = await issueAccessToken(keys, {
      sub: user.id,
      ...(tenantId ? { tenant_id: tenantId } : {}),
      role: user.role,
      sid: sessionId,
      auth_version: authVersion,
    });
    return { user, tenant, accessToken: token.text, refreshToken, expiresAt: token.expiresAt };
  }

  /** Operators have no tenant, so no authVersion either. */
  async function operatorIdentity(operatorId: string, sessionId: string): Promise<UserIdentity | null> {
    const user = await store.identities.findOperatorInSession(operatorId, sessionId);
    return user && { user, authVersion: 0 };
  }

  async function open({ user, passwordHash }: Credential, tenant: TenantRow | null): Promise<Authentication> {
    const id = randomUUIDv7();
    const owner = { tenantId: tenant?.id ?? null, subjectId: user.id };
    const refresh = createSecretToken(refreshTokenPrefix);
    const session = { id, owner, passwordHash, expiresAt: nextEnd(), tokenHash: refresh.hash };
    const opened = (await store.sessions.create(session)) && (await authentication(owner, id, refresh.text));
    // Removed, or given another password, since the check.
    if (!opened) throw new DomainError('UNAUTHENTICATED', refusedLogin);
    return opened;
  }

  function findTenant(named: string): Promise<TenantRow | null> {
    return isUuid(named) ? store.tenants.findById(named) : store.tenants.findBySlug(storable(named));
  }

  return {
    open,

    async login({ email, password, tenant: named }) {
      // An empty name is an unknown tenant, not the operator's sign-in.
      const byOperator = named === null || named === undefined;
      const tenant = byOperator ? null : await findTenant(named);
      // Looked up in any case, so that an unknown tenant takes as long as a known one.
      const credential = byOperator
        ? await store.operators.findCredential(storable(email))
        : await store.users.findCredential(tenant?.id ?? nobodysTenant, storable(email));
      const proved = await verifyPassword(credential?.passwordHash ?? null, password);
      if (!credential || !proved) throw new DomainError('UNAUTHENTICATED', refusedLogin);
      if (tenant) requireServed(tenant);
      return open(credential, tenant);
    },

    async refresh(refreshToken) {
      if (!refreshToken) throw new DomainError('UNAUTHENTICATED', 'A refresh token is needed');
      const next = createSecretToken(refreshTokenPrefix);
      const rotation = await store.sessions.rotate(hashSecret(refreshToken), next.hash, nextEnd());
      if (rotation.kind === 'REUSED' && rotation.owner.tenantId) announce(rotation.owner.tenantId);
      if (rotation.kind !== 'ROTATED') throw new DomainError('UNAUTHENTICATED', refusedRefresh);
      const renewed = await authentication(rotation.owner, rotation.sessionId, next.text);
      if (!renewed) throw new DomainError('UNAUTHENTICATED', refusedRefresh);
      if (renewed.tenant) requireServed(renewed.tenant);
      return renewed;
    },

    async close(sessionId) {
      const owner = sessionId ? await store.sessions.revoke(sessionId) : null;
      if (owner?.tenantId) announce(owner.tenantId);
      return owner !== null;
    },
  };
}
