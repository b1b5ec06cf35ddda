/**
 * Links of many-to-many relations: rows of `record_links` that follow from the lists of ids in the records' data, as slots
 * follow from values. They stay while a record is deleted softly; a link counts while both its records are live.
 */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { inversesOf, isManyToMany } from '#subgraphs/model/relations.ts';
import { nameStatement } from './named-statement.ts';
import type { StoredRecord } from './record-store.ts';
import type { WriteScope } from './write-scope.ts';

/** The ids that a record's relation holds, in their order. */
export function linkedIds(record: Pick<StoredRecord, 'data'>, field: FieldDefinition): readonly string[] {
  const ids = record.data[field.key];
  return Array.isArray(ids) ? (ids as string[]) : [];
}

const deleteText = `delete from record_links l where l.tenant_id = $1::uuid and l.field_id = any($2::uuid[]) and l.owner_id = any($3::uuid[])
  and not exists (select from unnest($4::uuid[], $5::uuid[], $6::uuid[]) as u (f, o, t) where u.f = l.field_id and u.o = l.owner_id and u.t = l.target_id)`;
const insertText = `insert into record_links (tenant_id, field_id, owner_id, target_id)
  select $1::uuid, u.f, u.o, u.t from unnest($2::uuid[], $3::uuid[], $4::uuid[]) as u (f, o, t) order by 2, 3, 4 on conflict do nothing`;

/** Makes the links of these records, which are locked or new, what their data says. */
export async function writeLinks(
  scope: WriteScope,
  entity: EntityDefinition,
  records: readonly StoredRecord[],
  areNew: boolean,
): Promise<void> {
  const fields = entity.fields.filter(isManyToMany);
  if (fields.length === 0) return;
  const links = records.flatMap((record) =>
    fields.flatMap((field) =>
      linkedIds(record, field).map((target) => ({ field: field.id, owner: record.id, target })),
    ),
  );
  const columns = [
    links.map(({ field }) => field),
    links.map(({ owner }) => owner),
    links.map(({ target }) => target),
  ];
  const sent: Promise<unknown>[] = [];
  if (!areNew) {
    const ids = [fields.map(({ id }) => id), records.map(({ id }) => id)];
    sent.push(scope.tx.query(nameStatement(deleteText, [scope.tenantId, ...ids, ...columns])));
  }
  if (links.length > 0) sent.push(scope.tx.query(nameStatement(insertText, [scope.tenantId, ...columns])));
  await Promise.all(sent);
}

/** The links at both ends of records that are removed for good. */
export async function deleteLinksOf(
  scope: WriteScope,
  entity: EntityDefinition,
  ids: readonly string[],
): Promise<void> {
  const owned = entity.fields.filter(isManyToMany);
  const pointing = inversesOf(scope.model, entity).flatMap(({ field }) => (isManyToMany(field) ? field : []));
  const remove = (fields: readonly FieldDefinition[], end: 'owner_id' | 'target_id'): Promise<unknown>[] => {
    if (fields.length === 0) return [];
    const text = `delete from record_links where tenant_id = $1::uuid and field_id = any($2::uuid[]) and ${end} = any($3::uuid[])`;
    return [scope.tx.query({ text, values: [scope.tenantId, fields.map(({ id }) => id), ids] })];
  };
  await Promise.all([...remove(owned, 'owner_id'), ...remove(pointing, 'target_id')]);
}

/** All links of a relation that is deleted. */
export function deleteLinks(tx: TenantTransaction, field: FieldDefinition): Promise<unknown> {
  return tx.query({
    name: 'links_delete',
    text: 'delete from public.record_links where tenant_id = $1 and field_id = $2',
    values: [tx.claims.tenantId, field.id],
  });
}
