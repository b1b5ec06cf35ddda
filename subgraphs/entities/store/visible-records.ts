/** Records that a write has in hand, as far as its caller may see them. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { nameStatement } from './named-statement.ts';
import { visibleSql } from './store-access.ts';
import type { WriteScope } from './write-scope.ts';

/** Which of these records of the entity, deleted or not, the caller may see as they are now. One statement, or none. */
export async function findVisible(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0 || scope.access.of(entity).rowFilter === null) return new Set(ids);
  const parameters = createSqlParameters();
  const tenant = parameters.add(scope.tenantId, 'uuid');
  const ofEntity = parameters.add(entity.id, 'uuid');
  const wanted = parameters.add(ids, 'uuid[]');
  const visible = visibleSql(scope.access, { alias: 'x', entity }, scope.tenantId, parameters);
  const text = `select x.id from records x where x.tenant_id = ${tenant} and x.entity_id = ${ofEntity} and x.id = any(${wanted})${visible}`;
  const rows = await scope.tx.query<{ id: string }>(nameStatement(text, parameters.values));
  return new Set(rows.map((row) => row.id));
}
