/** A filter in SQL on records as they were, or would be: on images of them that stand in no table. */
import type { EntityDefinition, TenantModel } from '../definition.ts';
import { slotColumns, slotValues, toStoredData } from '../stored-form.ts';
import type { FilterNode } from './node.ts';
import type { FilteredRecord } from './predicate.ts';
import { filterSql } from './sql.ts';
import { createSqlParameters } from './sql-parameters.ts';

const imageColumns = [
  'n int',
  'id uuid',
  'data jsonb',
  'version int',
  'created_at timestamptz',
  'updated_at timestamptz',
  'created_by uuid',
  'deleted_at timestamptz',
];
const slotTypes: Readonly<Record<string, string>> = {
  t: 'text collate "C"',
  n: 'float8',
  d: 'timestamptz',
  r: 'uuid',
};

/** Which of some images of records match a filter, by place: rows of `n`. What it says of related records is their state now. */
export function matchingImagesSql(
  model: Pick<TenantModel, 'tenantId'>,
  entity: EntityDefinition,
  node: FilterNode,
  images: readonly FilteredRecord[],
): { text: string; values: unknown[] } {
  const parameters = createSqlParameters();
  const rows = images.map((record, n) => ({
    n,
    id: record.id,
    data: toStoredData(entity, record.data),
    version: record.version,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    created_by: record.createdBy,
    deleted_at: record.deletedAt,
    ...slotValues(entity, record.data),
  }));
  const slots = slotColumns(entity).map((slot) => `${slot} ${slotTypes[slot.charAt(0)]}`);
  const given = parameters.add(JSON.stringify(rows), 'jsonb');
  const type = parameters.add(entity.id, 'uuid');
  const condition = filterSql(node, { alias: 'r', entity }, { tenantId: model.tenantId, parameters });
  return {
    text: `
      select r.n from (
        select u.*, ${type} as entity_id from jsonb_to_recordset(${given}) as u (${[...imageColumns, ...slots].join(', ')})
      ) r where ${condition}`,
    values: parameters.values,
  };
}
