/** The platform's operators. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { Operator } from '#prisma/generated/client.ts';
import { toOperatorRow } from './row-mapping.ts';
import type { Credential, UserRow } from './rows.ts';

export interface OperatorRows {
  findById(id: string): Promise<UserRow | null>;
  findCredential(email: string): Promise<Credential | null>;
  /** Creates the operator, or gives it another password, which ends its sessions. */
  setPassword(operator: { id: string; email: string; passwordHash: string }): Promise<void>;
}

export function createOperatorRows({ platform }: ControlDatabase): OperatorRows {
  return {
    async findById(id) {
      const row = await platform.operator.findUnique({ where: { id } });
      return row ? toOperatorRow(row) : null;
    },

    async findCredential(email) {
      const [row] = await platform.$queryRaw<Operator[]>`select id, email, name, created_at as "createdAt",
        password_hash as "passwordHash" from operators where lower(email) = lower(${email})`;
      return row ? { user: toOperatorRow(row), passwordHash: row.passwordHash } : null;
    },

    async setPassword({ id, email, passwordHash }) {
      await platform.$transaction(async (tx) => {
        const [row] = await tx.$queryRaw<{ id: string }[]>`insert into operators (id, email, password_hash)
          values (${id}::uuid, ${email}, ${passwordHash})
          on conflict (lower(email)) do update set password_hash = excluded.password_hash returning id`;
        if (!row || row.id === id) return;
        await tx.session.updateMany({
          where: { operatorId: row.id, revokedAt: null },
          data: { revokedAt: new Date() },
        });
      });
    },
  };
}
