/** How many records a change of definitions would take something from. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { DefinitionChange } from '../definitions/definition-change.ts';
import { countPointing } from './dropped-targets.ts';
import { planRetype } from './field-retype.ts';

/** By id of the entity or field: records that go, records with a value that goes, values that do not convert, records that point at what they cannot point at any more. */
export async function countLosses(
  database: RecordDatabase,
  claims: Claims,
  change: DefinitionChange,
): Promise<ReadonlyMap<string, number>> {
  const lost = new Map<string, number>();
  const count = async (id: string, entityId: string, key: string | null): Promise<void> => {
    const [row] = await database.read<{ count: number }>(claims, {
      name: 'definitions_losses',
      text: `
        select count(*)::int as count from public.records
        where tenant_id = $1 and entity_id = $2 and ($3::text is null or data -> $3::text is not null)`,
      values: [claims.tenantId, entityId, key],
    });
    lost.set(id, row?.count ?? 0);
  };
  for (const { id } of change.deletedEntities) await count(id, id, null);
  for (const { id, entityId, key } of change.deletedFields) await count(id, entityId, key);
  for (const dropped of change.droppedTargets) {
    const statement = countPointing(claims.tenantId ?? '', dropped);
    const [row] = await database.read<{ count: number }>(claims, statement);
    lost.set(dropped.field.id, row?.count ?? 0);
  }
  for (const { before, after } of change.retypes) {
    const { failed } = await planRetype(database, claims, before, after);
    lost.set(after.id, failed);
  }
  return lost;
}
