/** The client's rows → the subgraph's. */
import type { ApiKey, Operator, Tenant, User } from '#prisma/generated/client.ts';
import type { Role } from '#schema/claims.ts';
import type { TenantStatus } from '#schema/subgraph-protocol.ts';
import type { ApiKeyRow, PlanCode, TenantRow, UserRow } from './rows.ts';

export function toTenantRow(row: Tenant): TenantRow {
  const { id, name, slug, maxUsers, contactEmail, createdAt } = row;
  return {
    id,
    name,
    slug,
    status: row.status as TenantStatus,
    plan: row.plan as PlanCode,
    maxUsers,
    contactEmail,
    settings: row.settings as Record<string, unknown>,
    createdAt,
  };
}

export function toUserRow(row: Pick<User, 'id' | 'email' | 'name' | 'role' | 'createdAt'>): UserRow {
  return { id: row.id, email: row.email, name: row.name, role: row.role as Role, createdAt: row.createdAt };
}

export function toOperatorRow(row: Operator): UserRow {
  return toUserRow({ ...row, role: 'OPERATOR' });
}

export function toApiKeyRow(row: ApiKey): ApiKeyRow {
  const { id, name, prefix, createdBy, createdAt, expiresAt } = row;
  return { id, name, role: row.role as Role, prefix, createdBy, createdAt, expiresAt };
}
