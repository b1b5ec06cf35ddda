/** A tenant's users. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { User } from '#prisma/generated/client.ts';
import type { Claims, Role } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { toUserRow } from './row-mapping.ts';
import type { Credential, RowPage, TenantRow, UserRow } from './rows.ts';
import { changeRights, tenantIdOf, type Transaction } from './tenant-change.ts';

export interface UserDraft {
  id: string;
  email: string;
  name: string | null;
  role: Role;
  passwordHash: string;
}

export type UserChange = Partial<Omit<UserDraft, 'id'>>;

export interface UserRows {
  /** In the order of `ids`; null for an unknown, deleted or foreign one. */
  findMany(claims: Claims, ids: readonly string[]): Promise<(UserRow | null)[]>;
  list(claims: Claims, first: number, afterId: string | null): Promise<RowPage<UserRow>>;
  count(claims: Claims): Promise<number>;
  /** By e-mail without regard to case, in any tenant: for signing in. */
  findCredential(tenantId: string, email: string): Promise<Credential | null>;
  /** `admit` sees the tenant under lock and the number of users, and throws to refuse. A taken e-mail is a unique violation. */
  create(
    claims: Claims,
    draft: UserDraft,
    admit: (tenant: TenantRow, users: number) => void,
  ): Promise<UserRow>;
  /** Throws NOT_FOUND, and CONFLICT where no administrator would be left. A new password ends the user's sessions. */
  update(claims: Claims, id: string, change: UserChange): Promise<UserRow>;
  /** Ends its sessions too. Throws NOT_FOUND, and CONFLICT for the last administrator. */
  remove(claims: Claims, id: string): Promise<void>;
}

/** The user, which exists. Throws NOT_FOUND. */
async function getUser(tx: Transaction, tenantId: string, id: string): Promise<User> {
  const row = await tx.user.findFirst({ where: { id, tenantId, deletedAt: null } });
  if (!row) throw new DomainError('NOT_FOUND', 'The user does not exist');
  return row;
}

/** Under the tenant's lock, so that two administrators cannot remove each other at once. */
async function keepAnAdministrator(tx: Transaction, tenantId: string, leaving: User): Promise<void> {
  if (leaving.role !== 'ADMIN') return;
  const others = await tx.user.count({
    where: { tenantId, role: 'ADMIN', deletedAt: null, id: { not: leaving.id } },
  });
  if (others === 0)
    throw new DomainError('CONFLICT', 'A tenant needs at least one administrator, and this is the last');
}

async function endSessions(tx: Transaction, tenantId: string, userId: string): Promise<void> {
  await tx.session.updateMany({
    where: { tenantId, userId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
}

export function createUserRows(control: ControlDatabase): UserRows {
  return {
    async findMany(claims, ids) {
      const tenantId = tenantIdOf(claims);
      const rows = await control.tenant(claims, (tx) =>
        tx.user.findMany({ where: { tenantId, id: { in: [...ids] }, deletedAt: null } }),
      );
      const byId = new Map(rows.map((row) => [row.id, toUserRow(row)]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },

    async list(claims, first, afterId) {
      const tenantId = tenantIdOf(claims);
      const rows = await control.tenant(claims, (tx) =>
        tx.user.findMany({
          where: { tenantId, deletedAt: null, ...(afterId ? { id: { gt: afterId } } : {}) },
          orderBy: { id: 'asc' },
          take: first + 1,
        }),
      );
      return { rows: rows.slice(0, first).map(toUserRow), hasNextPage: rows.length > first };
    },

    count(claims) {
      const tenantId = tenantIdOf(claims);
      return control.tenant(claims, (tx) => tx.user.count({ where: { tenantId, deletedAt: null } }));
    },

    async findCredential(tenantId, email) {
      const [row] = await control.platform.$queryRaw<
        User[]
      >`select id, email, name, role, created_at as "createdAt",
          password_hash as "passwordHash"
        from users where tenant_id = ${tenantId}::uuid and lower(email) = lower(${email}) and deleted_at is null`;
      return row ? { user: toUserRow(row), passwordHash: row.passwordHash } : null;
    },

    create(claims, draft, admit) {
      return changeRights(control, claims, async (tx, tenant) => {
        admit(tenant, await tx.user.count({ where: { tenantId: tenant.id, deletedAt: null } }));
        return toUserRow(await tx.user.create({ data: { ...draft, tenantId: tenant.id } }));
      });
    },

    update(claims, id, change) {
      return changeRights(control, claims, async (tx, tenant) => {
        const user = await getUser(tx, tenant.id, id);
        if (change.role && change.role !== 'ADMIN') await keepAnAdministrator(tx, tenant.id, user);
        if (change.passwordHash) await endSessions(tx, tenant.id, id);
        return toUserRow(await tx.user.update({ where: { id }, data: { ...change, updatedAt: new Date() } }));
      });
    },

    async remove(claims, id) {
      await changeRights(control, claims, async (tx, tenant) => {
        await keepAnAdministrator(tx, tenant.id, await getUser(tx, tenant.id, id));
        await endSessions(tx, tenant.id, id);
        await tx.user.update({ where: { id }, data: { deletedAt: new Date() } });
      });
    },
  };
}
