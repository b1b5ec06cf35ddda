/** Where the sequences of a changed definition go on: after the greatest number that a record has. */
import type { TenantTransaction } from '#prisma/record-database.ts';
import type { SequenceField } from '#subgraphs/model/computed-defaults.ts';
import type { DefinitionChange } from '../definitions/definition-change.ts';

/** Part of the transaction of a definition change, under the counter lock. What was deleted is forgotten. */
export async function writeCounters(tx: TenantTransaction, change: DefinitionChange): Promise<void> {
  const { tenantId } = tx.claims;
  for (const sequence of change.sequences) await startSequence(tx, sequence);
  const fields = change.deletedFields.map(({ id }) => id);
  const entities = change.deletedEntities.map(({ id }) => id);
  if (fields.length + entities.length === 0) return;
  await tx.query({
    name: 'counters_forget_sequences',
    text: 'delete from public.field_sequences where tenant_id = $1 and (field_id = any($2::uuid[]) or entity_id = any($3::uuid[]))',
    values: [tenantId, fields, entities],
  });
  await tx.query({
    name: 'counters_forget_creations',
    text: 'delete from public.entity_creations where tenant_id = $1 and entity_id = any($2::uuid[])',
    values: [tenantId, entities],
  });
}

/** Deleted records count too: they may come back. */
async function startSequence(tx: TenantTransaction, { field, sequence }: SequenceField): Promise<void> {
  const value = 'data ->> $5::text';
  const digits = `substr(${value}, length($6::text) + 1)`;
  const isText = field.type === 'TEXT';
  const number = isText
    ? `case when starts_with(${value}, $6::text) and ${digits} ~ '^[0-9]{1,15}$' then ${digits}::bigint end`
    : `case when abs((${value})::float8) < 9e15 then floor((${value})::float8)::bigint end`;
  await tx.query({
    text: `
      insert into public.field_sequences as s (tenant_id, field_id, entity_id, next)
      select $1::uuid, $2::uuid, $3::uuid, greatest($4::bigint, max(${number}) + 1)
      from public.records where tenant_id = $1::uuid and entity_id = $3::uuid
      on conflict (tenant_id, field_id) do update set next = excluded.next`,
    values: [
      ...[tx.claims.tenantId, field.id, field.entityId, sequence.start ?? 1, field.key],
      ...(isText ? [sequence.prefix ?? ''] : []),
    ],
  });
}
