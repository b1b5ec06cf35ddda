/** A tenant's API keys. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { Claims, Role } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { toApiKeyRow } from './row-mapping.ts';
import type { ApiKeyRow, SecretHash } from './rows.ts';
import { changeRights, tenantIdOf } from './tenant-change.ts';

export interface ApiKeyDraft {
  id: string;
  name: string;
  role: Role;
  prefix: string;
  hash: SecretHash;
  createdBy: string | null;
  expiresAt: Date | null;
}

export interface ApiKeyRows {
  /** Those not revoked, oldest first. */
  list(claims: Claims): Promise<ApiKeyRow[]>;
  /** Throws QUOTA_EXCEEDED where the tenant has `maxKeys` already. */
  create(claims: Claims, draft: ApiKeyDraft, maxKeys: number): Promise<ApiKeyRow>;
  /** Throws NOT_FOUND, also for one that was revoked before. */
  revoke(claims: Claims, id: string): Promise<void>;
}

export function createApiKeyRows(control: ControlDatabase): ApiKeyRows {
  return {
    async list(claims) {
      const tenantId = tenantIdOf(claims);
      const rows = await control.tenant(claims, (tx) =>
        tx.apiKey.findMany({ where: { tenantId, revokedAt: null }, orderBy: { id: 'asc' } }),
      );
      return rows.map(toApiKeyRow);
    },

    create(claims, draft, maxKeys) {
      return changeRights(control, claims, async (tx, tenant) => {
        const count = await tx.apiKey.count({ where: { tenantId: tenant.id, revokedAt: null } });
        if (count >= maxKeys)
          throw new DomainError('QUOTA_EXCEEDED', `A tenant has at most ${maxKeys} API keys`);
        return toApiKeyRow(await tx.apiKey.create({ data: { ...draft, tenantId: tenant.id } }));
      });
    },

    async revoke(claims, id) {
      await changeRights(control, claims, async (tx, tenant) => {
        const { count } = await tx.apiKey.updateMany({
          where: { id, tenantId: tenant.id, revokedAt: null },
          data: { revokedAt: new Date() },
        });
        if (count === 0) throw new DomainError('NOT_FOUND', 'The API key does not exist');
      });
    },
  };
}
