/** What an import asks of uniqueness: which values, and which ids, are taken. Implementation: store/transfer-keys.ts. */
import type { Claims } from '#schema/claims.ts';
import type { FieldDefinition } from '#subgraphs/model/definition.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';

export interface KnownKeys {
  /** The ids of the live records that have these keys of a unique field or group, by their hashes (`keyHash`). One statement. */
  findOwners(
    claims: Claims,
    request: { entityId: string; keyId: string; hashes: readonly string[] },
  ): Promise<ReadonlyMap<string, string>>;
  /** Those of `ids` that records of the entity have, deleted ones included. One statement. */
  findIds(
    claims: Claims,
    request: { entityId: string; ids: readonly string[] },
  ): Promise<ReadonlySet<string>>;
}

export interface Reference {
  /** A unique field of the record that is referred to. */
  readonly by: FieldDefinition;
  /** In stored form, never null. */
  readonly stored: unknown;
}

/** Ids by field, then by the hash of the value; values that no record has are missing. One statement for each field. */
export async function findReferences(
  keys: KnownKeys,
  claims: Claims,
  references: readonly Reference[],
): Promise<Map<FieldDefinition, ReadonlyMap<string, string>>> {
  const found = new Map<FieldDefinition, ReadonlyMap<string, string>>();
  for (const [by, group] of Map.groupBy(references, (reference) => reference.by)) {
    const hashes = [...new Set(group.map(({ stored }) => uniqueHash(by, stored)))];
    found.set(by, await keys.findOwners(claims, { entityId: by.entityId, keyId: by.id, hashes }));
  }
  return found;
}
