/** What work beside requests does instead of writing an event: it ends at the tenant's counter row, as writers do. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';

/** Thrown where the definitions changed while a batch was written by the old ones: again, by the new ones. */
export class Outdated extends Error {}

/**
 * The batch's fence, taken last as writers take theirs: no change of definitions commits between here and COMMIT, and none
 * has since the model was read.
 */
export async function holdVersion(tx: TenantTransaction, model: TenantModel): Promise<void> {
  const held = await tx.query({
    name: 'backfill_fence',
    text: 'select from public.tenant_heads where tenant_id = $1 and definitions_version = $2 for share',
    values: [tx.claims.tenantId, model.version],
  });
  if (held.length === 0) throw new Outdated('the definitions changed');
}
