/** Who a credential belongs to right now, as the platform's role: one statement each. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { Role } from '#schema/claims.ts';
import type { TenantVersion } from '#schema/subgraph-protocol.ts';
import type { SecretHash, UserRow } from './rows.ts';

export interface KeyIdentity {
  keyId: string;
  tenantId: string;
  role: Role;
  authVersion: number;
}

export interface UserIdentity {
  user: UserRow;
  authVersion: number;
}

export interface IdentityRows {
  /** A key that is neither revoked nor expired. */
  findKey(hash: SecretHash): Promise<KeyIdentity | null>;
  /** A user who exists, in this session, which has not ended. */
  findUser(tenantId: string, userId: string, sessionId: string): Promise<UserIdentity | null>;
  findOperatorInSession(operatorId: string, sessionId: string): Promise<UserRow | null>;
  /**
   * Every tenant changed by transactions from `since` on (null: every tenant), and where to go on. Nothing is missed: `next`
   * is the oldest transaction that still ran, so whatever this did not see is seen next time.
   */
  versions(since: string | null): Promise<{ tenants: TenantVersion[]; next: string }>;
}

type UserIdentityRow = UserRow & { authVersion: bigint };

function toUserIdentity(row: UserIdentityRow | undefined): UserIdentity | null {
  if (!row) return null;
  const { authVersion, ...user } = row;
  return { user, authVersion: Number(authVersion) };
}

export function createIdentityRows({ platform }: ControlDatabase): IdentityRows {
  return {
    async findKey(hash) {
      const [row] = await platform.$queryRaw<(Omit<KeyIdentity, 'authVersion'> & { authVersion: bigint })[]>`
        select k.id as "keyId", k.tenant_id as "tenantId", k.role, h.auth_version as "authVersion"
        from api_keys k join tenant_heads h on h.tenant_id = k.tenant_id
        where k.hash = ${hash} and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;
      return row ? { ...row, authVersion: Number(row.authVersion) } : null;
    },

    async findUser(tenantId, userId, sessionId) {
      const [row] = await platform.$queryRaw<UserIdentityRow[]>`
        select u.id, u.email, u.name, u.role, u.created_at as "createdAt", h.auth_version as "authVersion"
        from sessions s join users u on u.id = s.user_id and u.tenant_id = s.tenant_id
          join tenant_heads h on h.tenant_id = u.tenant_id
        where s.id = ${sessionId}::uuid and s.tenant_id = ${tenantId}::uuid and u.id = ${userId}::uuid
          and s.revoked_at is null and s.expires_at > now() and u.deleted_at is null`;
      return toUserIdentity(row);
    },

    async findOperatorInSession(operatorId, sessionId) {
      const [row] = await platform.$queryRaw<UserRow[]>`
        select o.id, o.email, o.name, 'OPERATOR' as role, o.created_at as "createdAt"
        from sessions s join operators o on o.id = s.operator_id
        where s.id = ${sessionId}::uuid and o.id = ${operatorId}::uuid and s.revoked_at is null and s.expires_at > now()`;
      return row ?? null;
    },

    async versions(since) {
      type Row = { next: string; tenantId: string | null; slug: string; status: TenantVersion['status'] } & {
        definitionsVersion: bigint;
        authVersion: bigint;
      };
      // Transaction ids start at 3: '0' is before every change.
      const rows = await platform.$queryRaw<Row[]>`
        select place.next, t.id as "tenantId", t.slug, t.status, h.definitions_version as "definitionsVersion",
          h.auth_version as "authVersion"
        from (select pg_snapshot_xmin(pg_current_snapshot())::text as next) place
          left join (tenant_heads h join tenants t on t.id = h.tenant_id) on h.changed_xid >= ${since ?? '0'}::text::xid8`;
      const tenants = rows.flatMap(({ next: _next, tenantId, definitionsVersion, authVersion, ...row }) =>
        tenantId === null
          ? []
          : [
              {
                ...row,
                tenantId,
                definitionsVersion: Number(definitionsVersion),
                authVersion: Number(authVersion),
              },
            ],
      );
      return { tenants, next: rows[0]?.next ?? since ?? '0' };
    },
  };
}
