/** Sessions and their refresh tokens: looked up before a tenant is known, so as the platform's role. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { SecretHash } from './rows.ts';
import { raiseAuthVersion, type Transaction } from './tenant-change.ts';

/** Whose a session is: a tenant's user, or (without a tenant) an operator. */
export interface SessionOwner {
  readonly tenantId: string | null;
  readonly subjectId: string;
}

export interface NewSession {
  readonly id: string;
  readonly owner: SessionOwner;
  readonly passwordHash: string;
  readonly expiresAt: Date;
  readonly tokenHash: SecretHash;
}

export type Rotation =
  | { readonly kind: 'ROTATED'; readonly sessionId: string; readonly owner: SessionOwner }
  /** The token had been replaced before: the whole session is revoked now. */
  | { readonly kind: 'REUSED'; readonly owner: SessionOwner }
  | { readonly kind: 'UNKNOWN' };

export interface SessionRows {
  /**
   * False where the owner is gone, or has another password by now than the one that was proved (`passwordHash`): whoever
   * changes a password ends the sessions of the old one, and none may begin behind its back.
   */
  create(session: NewSession): Promise<boolean>;
  /** Replaces a refresh token. Of two calls with one token, the second is a reuse. */
  rotate(used: SecretHash, next: SecretHash, expiresAt: Date): Promise<Rotation>;
  /** The owner where this ended the session, null where it had ended or never was. */
  revoke(id: string): Promise<SessionOwner | null>;
}

interface LockedToken {
  sessionId: string;
  replaced: boolean;
  alive: boolean;
  tenantId: string | null;
  subjectId: string;
}

async function revokeSession(tx: Transaction, id: string, tenantId: string | null): Promise<boolean> {
  const { count } = await tx.session.updateMany({
    where: { id, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count === 1 && tenantId) await raiseAuthVersion(tx, tenantId);
  return count === 1;
}

/**
 * Whether the owner exists with this password, and keeps it so until the transaction ends: a user changes under the
 * tenant's lock, an operator under its own.
 */
async function holdOwner(
  tx: Transaction,
  { tenantId, subjectId }: SessionOwner,
  passwordHash: string,
): Promise<boolean> {
  if (tenantId === null) {
    const rows = await tx.$queryRaw<unknown[]>`select 1 as held from operators
      where id = ${subjectId}::uuid and password_hash = ${passwordHash} for share`;
    return rows.length === 1;
  }
  await tx.$queryRaw`select 1 as held from tenants where id = ${tenantId}::uuid for share`;
  const rows = await tx.$queryRaw<unknown[]>`select 1 as held from users where tenant_id = ${tenantId}::uuid
    and id = ${subjectId}::uuid and password_hash = ${passwordHash} and deleted_at is null`;
  return rows.length === 1;
}

export function createSessionRows({ platform }: ControlDatabase): SessionRows {
  return {
    create({ id, owner, passwordHash, expiresAt, tokenHash }) {
      const { tenantId, subjectId } = owner;
      return platform.$transaction(async (tx) => {
        if (!(await holdOwner(tx, owner, passwordHash))) return false;
        await tx.session.create({
          data: {
            id,
            tenantId,
            ...(tenantId ? { userId: subjectId } : { operatorId: subjectId }),
            expiresAt,
            refreshTokens: { create: { hash: tokenHash } },
          },
        });
        return true;
      });
    },

    rotate(used, next, expiresAt) {
      return platform.$transaction(async (tx): Promise<Rotation> => {
        const [token] = await tx.$queryRaw<LockedToken[]>`select t.session_id as "sessionId",
            t.replaced_at is not null as replaced, s.revoked_at is null and s.expires_at > now() as alive,
            s.tenant_id as "tenantId", coalesce(s.user_id, s.operator_id) as "subjectId"
          from refresh_tokens t join sessions s on s.id = t.session_id where t.hash = ${used} for update of t`;
        if (!token?.alive) return { kind: 'UNKNOWN' };
        const { sessionId, tenantId, subjectId } = token;
        const owner = { tenantId, subjectId };
        if (token.replaced) {
          await revokeSession(tx, sessionId, tenantId);
          return { kind: 'REUSED', owner };
        }
        await tx.refreshToken.update({ where: { hash: used }, data: { replacedAt: new Date() } });
        await tx.refreshToken.create({ data: { hash: next, sessionId } });
        await tx.session.update({ where: { id: sessionId }, data: { expiresAt } });
        return { kind: 'ROTATED', sessionId, owner };
      });
    },

    revoke(id) {
      return platform.$transaction(async (tx) => {
        const session = await tx.session.findUnique({ where: { id } });
        if (!session || !(await revokeSession(tx, id, session.tenantId))) return null;
        return { tenantId: session.tenantId, subjectId: session.userId ?? session.operatorId ?? '' };
      });
    },
  };
}
