/** What an import asks of uniqueness: which values, and which ids, are taken. Implementation: store/transfer-keys.ts. */
import type { Claims } from '#schema/claims.ts';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { uniqueHash } from '#subgraphs/model/unique-keys.ts';
import type { StoreContext } from '../../store/record-store.ts';

export interface KnownKeys {
  /**
   * The ids of the live records that have these keys of a unique field or group, by their hashes (`keyHash`);
   * `onlyVisible`: of those that the caller may see. One statement.
   */
  findOwners(
    context: Pick<StoreContext, 'claims' | 'model'>,
    request: { entity: EntityDefinition; keyId: string; hashes: readonly string[]; onlyVisible: boolean },
  ): Promise<ReadonlyMap<string, string>>;
  /** Those of `ids` that records of the entity have, deleted ones included. One statement. */
  findIds(
    claims: Claims,
    request: { entityId: string; ids: readonly string[] },
  ): Promise<ReadonlySet<string>>;
}

export interface Reference {
  /** The entity that is referred to. */
  readonly target: EntityDefinition;
  /** A unique field of the record that is referred to. */
  readonly by: FieldDefinition;
  /** In stored form, never null. */
  readonly stored: unknown;
}

/** Ids by field, then by the hash of the value; values that no record has are missing. One statement for each field. */
export async function findReferences(
  keys: KnownKeys,
  context: Pick<StoreContext, 'claims' | 'model'>,
  references: readonly Reference[],
): Promise<Map<FieldDefinition, ReadonlyMap<string, string>>> {
  const found = new Map<FieldDefinition, ReadonlyMap<string, string>>();
  for (const [by, group] of Map.groupBy(references, (reference) => reference.by)) {
    const [first] = group;
    if (!first) continue;
    const hashes = [...new Set(group.map(({ stored }) => uniqueHash(by, stored)))];
    const request = { entity: first.target, keyId: by.id, hashes, onlyVisible: true };
    found.set(by, await keys.findOwners(context, request));
  }
  return found;
}
