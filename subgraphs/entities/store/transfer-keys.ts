/** Looks up, for a whole batch of an import at once, which unique values and which ids are taken. */
import type { RecordDatabase } from '#prisma/record-database.ts';
import type { KnownKeys } from '../transfer/import/known-keys.ts';

/** Both by primary key, one probe for each value. Under row-level security: another tenant's are not there. */
export function createKnownKeys(database: RecordDatabase): KnownKeys {
  return {
    async findOwners(claims, { entityId, keyId, hashes }) {
      if (hashes.length === 0) return new Map();
      // The bytes themselves: a function of them is not leakproof, and would keep row-level security from the key's hash.
      const rows = await database.read<{ hash: string; id: string }>(claims, {
        name: 'transfers_key_owners',
        text: `select encode(u.h, 'hex') as hash, k.record_id as id from unnest($4::bytea[]) as u (h)
          join record_keys k on k.tenant_id = $1::uuid and k.entity_id = $2::uuid and k.key_id = $3::uuid and k.hash = u.h`,
        values: [claims.tenantId, entityId, keyId, hashes.map((hash) => Buffer.from(hash, 'hex'))],
      });
      return new Map(rows.map((row) => [row.hash, row.id]));
    },

    async findIds(claims, { entityId, ids }) {
      if (ids.length === 0) return new Set();
      const rows = await database.read<{ id: string }>(claims, {
        name: 'transfers_ids',
        text: `select r.id from unnest($3::uuid[]) as u (id)
          join records r on r.tenant_id = $1::uuid and r.entity_id = $2::uuid and r.id = u.id`,
        values: [claims.tenantId, entityId, ids],
      });
      return new Set(rows.map((row) => row.id));
    },
  };
}
