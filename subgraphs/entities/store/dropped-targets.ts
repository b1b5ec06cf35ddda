/** A relation to several entities loses one of them: not while live records point at it. */
import type { Statement, TenantTransaction } from '#prisma/record-database.ts';
import { DomainError } from '#schema/errors.ts';
import type { DroppedTargets } from '../definitions/definition-change.ts';

/** One row: the `count` of live records whose relation points at what it cannot point at any more. */
export function countPointing(tenantId: string, { field, entityIds }: DroppedTargets): Statement {
  return {
    name: 'definitions_dropped_targets',
    text: `
      select count(*)::int as count from public.records
      where tenant_id = $1 and entity_id = $2 and deleted_at is null and left(data ->> $3::text, 36) = any($4::text[])`,
    values: [tenantId, field.entityId, field.key, entityIds],
  };
}

/** CONFLICT that says how many. */
export async function refuseDroppedTargets(
  tx: TenantTransaction,
  dropped: readonly DroppedTargets[],
): Promise<void> {
  for (const one of dropped) {
    const [row] = await tx.query<{ count: number }>(countPointing(tx.claims.tenantId, one));
    const count = row?.count ?? 0;
    if (count === 0) continue;
    const message = `"${one.field.name}" cannot leave out an entity that ${count} records refer to: let them refer to another one first`;
    throw new DomainError('CONFLICT', message, {
      fields: [{ field: 'targetEntities', rule: 'unchanged', message }],
    });
  }
}
