/** Rows of `records` as they are written: any number of one entity's in one statement. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { searchForm } from '#subgraphs/model/stored-form.ts';
import { slotColumns, slotValues, toStoredData } from './converted-form.ts';
import { writeLinks } from './record-links.ts';
import { nameStatement } from './named-statement.ts';
import type { StoredRecord } from './record-store.ts';
import type { WriteScope } from './write-scope.ts';

const slotTypes: Readonly<Record<string, string>> = { t: 'text', n: 'float8', d: 'timestamptz', r: 'uuid' };

const columns = {
  id: 'uuid',
  data: 'jsonb',
  version: 'int',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  created_by: 'uuid',
  deleted_at: 'timestamptz',
  search: 'text',
  search_parts: 'jsonb',
};

/** Inserts the records as they are. */
export async function insertRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  records: readonly StoredRecord[],
): Promise<void> {
  const names = [...Object.keys(columns), ...slotColumns(entity)];
  const text = `insert into records (tenant_id, entity_id, ${names.join(', ')}) select $1::uuid, $2::uuid, ${names.map((name) => `u.${name}`).join(', ')} from ${recordset(entity)}`;
  await Promise.all([
    scope.tx.query(nameStatement(text, [scope.tenantId, entity.id, toRows(entity, records)])),
    writeLinks(scope, entity, records, true),
  ]);
}

/** Writes the records, which exist and are locked, as they are: all of them but `id`, `created_at` and `created_by`. */
export async function updateRecords(
  scope: WriteScope,
  entity: EntityDefinition,
  records: readonly StoredRecord[],
): Promise<void> {
  const names = [
    'data',
    'version',
    'updated_at',
    'deleted_at',
    'search',
    'search_parts',
    ...slotColumns(entity),
  ];
  const set = `update records x set ${names.map((name) => `${name} = u.${name}`).join(', ')} from ${recordset(entity)} where x.tenant_id = $1::uuid and x.entity_id = $2::uuid`;
  const values = [scope.tenantId, entity.id, toRows(entity, records)];
  const [first] = records;
  // One record is found by its whole key. More are joined, and planned each time for how many records there are.
  const isAlone = records.length === 1 && first !== undefined;
  await Promise.all([
    scope.tx.query(
      isAlone
        ? nameStatement(`${set} and x.id = $4::uuid`, [...values, first.id])
        : { text: `${set} and x.id = u.id`, values },
    ),
    writeLinks(scope, entity, records, false),
  ]);
}

function recordset(entity: EntityDefinition): string {
  const own = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  const slots = slotColumns(entity).map((slot) => `${slot} ${slotTypes[slot.charAt(0)]}`);
  return `jsonb_to_recordset($3::jsonb) as u (${[...own, ...slots].join(', ')})`;
}

function toRows(entity: EntityDefinition, records: readonly StoredRecord[]): string {
  return JSON.stringify(
    records.map((record) => ({
      id: record.id,
      data: toStoredData(entity, record.data),
      version: record.version,
      created_at: record.createdAt,
      updated_at: record.updatedAt,
      created_by: record.createdBy,
      deleted_at: record.deletedAt,
      ...searchForm(entity, record),
      ...slotValues(entity, record.data),
    })),
  );
}
