import type { Statement } from '#prisma/record-database.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';

/** Which of some records match a filter now. Deleted ones are judged by what they were: their rows are still there. */
export function matchingStatement(
  model: TenantModel,
  entity: EntityDefinition,
  filter: Readonly<Record<string, unknown>>,
  ids: readonly string[],
): Statement {
  const parameters = createSqlParameters();
  const tenant = parameters.add(model.tenantId, 'uuid');
  const type = parameters.add(entity.id, 'uuid');
  const wanted = parameters.add(ids, 'uuid[]');
  const node = parseFilter(model, entity, filter);
  const condition = filterSql(node, { alias: 'r', entity }, { tenantId: model.tenantId, parameters });
  return {
    text: `
      select r.id from records r
      where r.tenant_id = ${tenant} and r.entity_id = ${type} and r.id = any (${wanted}) and ${condition}`,
    values: parameters.values,
  };
}
