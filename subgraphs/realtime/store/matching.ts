import type { Statement } from '#prisma/record-database.ts';
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { slotColumns, slotValues, toStoredData } from '#subgraphs/model/stored-form.ts';
import type { RecordImage } from '../log/event-store.ts';

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
export function matchingImagesStatement(
  model: TenantModel,
  entity: EntityDefinition,
  node: FilterNode,
  images: readonly RecordImage[],
): Statement {
  const parameters = createSqlParameters();
  const rows = images.map(({ id, record }, n) => ({
    n,
    id,
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
