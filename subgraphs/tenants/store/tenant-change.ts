/** What every change of a tenant's rights does: lock the tenant, change, raise its authVersion, in one transaction. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import type { Prisma } from '#prisma/generated/client.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { toTenantRow } from './row-mapping.ts';
import type { TenantRow } from './rows.ts';

export type Transaction = Prisma.TransactionClient;

/** The claims' tenant. Throws TENANT_REQUIRED. */
export function tenantIdOf(claims: Claims): string {
  if (claims.tenantId === null) throw new DomainError('TENANT_REQUIRED', 'This needs a tenant');
  return claims.tenantId;
}

/**
 * Raises the tenant's authVersion, so that whoever acts under the old one is looked up again, and puts the tenant where gateways
 * that poll for changes find it. The last statement of a transaction: it locks the row that every writer of the tenant needs.
 */
export async function raiseAuthVersion(tx: Transaction, tenantId: string): Promise<void> {
  await tx.$executeRaw`update tenant_heads set auth_version = auth_version + 1, changed_xid = pg_current_xact_id()
    where tenant_id = ${tenantId}::uuid`;
}

/**
 * The tenant's row, locked against other changes of its users and plan until the transaction ends; foreign keys to it
 * do not wait. Throws TENANT_NOT_FOUND.
 */
export async function lockTenant(tx: Transaction, tenantId: string): Promise<TenantRow> {
  await tx.$queryRaw`select 1 as locked from tenants where id = ${tenantId}::uuid for no key update`;
  const row = await tx.tenant.findUnique({ where: { id: tenantId } });
  if (!row) throw new DomainError('TENANT_NOT_FOUND', 'The tenant does not exist');
  return toTenantRow(row);
}

/** Runs `work` with the claims' tenant locked, then raises its authVersion. */
export function changeRights<T>(
  control: ControlDatabase,
  claims: Claims,
  work: (tx: Transaction, tenant: TenantRow) => Promise<T>,
): Promise<T> {
  const tenantId = tenantIdOf(claims);
  return control.tenant(claims, async (tx) => {
    const result = await work(tx, await lockTenant(tx, tenantId));
    await raiseAuthVersion(tx, tenantId);
    return result;
  });
}

/** Whether the database refused a row because another has the same unique value. */
export function isUniqueViolation(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'P2002';
}
