/** What a caller who is held to permissions sees of a record's versions. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { matchingImagesSql } from '#subgraphs/model/filter/images-sql.ts';
import { type EntityAccess, modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { RecordVersion, StoreContext, StoredRecord } from './record-store.ts';

/**
 * Leaves out versions that lay outside the caller's row filter and those that changed hidden fields alone, and of the rest
 * what came from outside, and hidden fields. Null for who is not restricted. Throws FORBIDDEN where READ is not allowed.
 */
export function createVersionSight(
  database: RecordDatabase,
  context: StoreContext,
  entity: EntityDefinition,
): ((versions: readonly RecordVersion[]) => Promise<RecordVersion[]>) | null {
  const access = modelAccess(context.model, context.claims).of(entity);
  if (!access.isRestricted) return null;
  access.assertAllows('READ');
  return async (versions) => {
    // A record that is created has nothing before it; whatever `before` holds then is not looked at.
    const images = versions.flatMap(({ record, before }) => [record, { ...record, data: before }]);
    const seen = await findSeen(database, context, entity, access, images);
    return versions.flatMap((version, n): RecordVersion[] => {
      if (!seen.has(2 * n)) return [];
      const changedFields = readableKeys(entity, access, version.changedFields);
      if (version.operation === 'UPDATED' && version.changedFields.length > 0 && changedFields.length === 0)
        return [];
      return [{ ...version, changedFields, before: seen.has(2 * n + 1) ? version.before : {} }];
    });
  };
}

/** Places in `images` of those within the caller's row filter. What it says of related records is their state now. */
async function findSeen(
  database: RecordDatabase,
  { claims, model }: StoreContext,
  entity: EntityDefinition,
  { rowFilter }: EntityAccess,
  images: readonly StoredRecord[],
): Promise<ReadonlySet<number>> {
  if (rowFilter === null) return new Set(images.keys());
  const rows = await database.read<{ n: number }>(
    claims,
    matchingImagesSql(model, entity, rowFilter, images),
  );
  return new Set(rows.map(({ n }) => n));
}

function readableKeys(
  entity: EntityDefinition,
  access: EntityAccess,
  keys: readonly string[],
): readonly string[] {
  const readable = new Set(entity.fields.filter((field) => access.mayRead(field)).map((field) => field.key));
  return keys.filter((key) => readable.has(key));
}
