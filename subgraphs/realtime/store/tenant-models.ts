import { readDefinitionRows } from '#prisma/definition-rows.ts';
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import { parseTenantModel } from '#subgraphs/model/tenant-model.ts';
import { createTenantModels, type TenantModels } from '#subgraphs/model/tenant-models.ts';

/** The tenants' definitions as they are stored, kept in memory by version. */
export function createStoredTenantModels(database: RecordDatabase): TenantModels {
  return createTenantModels({
    async load(claims: Claims) {
      const rows = await readDefinitionRows({ query: (statement) => database.read(claims, statement) });
      return parseTenantModel(claims.tenantId as string, rows);
    },
  });
}
