/** Looks up, for a whole batch of an import at once, which unique values and which ids are taken. */
import type { RecordDatabase, Statement } from '#prisma/record-database.ts';
import type { FilterNode } from '#subgraphs/model/filter/node.ts';
import { filterSql } from '#subgraphs/model/filter/sql.ts';
import { createSqlParameters } from '#subgraphs/model/filter/sql-parameters.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import type { KnownKeys } from '../transfer/import/known-keys.ts';

type OwnersRequest = Parameters<KnownKeys['findOwners']>[1];

/** Both by primary key, one probe for each value. Under row-level security: another tenant's are not there. */
export function createKnownKeys(database: RecordDatabase): KnownKeys {
  return {
    async findOwners({ claims, model }, request) {
      if (request.hashes.length === 0) return new Map();
      const { rowFilter } = modelAccess(model, claims).of(request.entity);
      const statement =
        request.onlyVisible && rowFilter !== null
          ? visibleOwnersStatement(model.tenantId, request, rowFilter)
          : ownersStatement(model.tenantId, request);
      const rows = await database.read<{ hash: string; id: string }>(claims, statement);
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

// The bytes themselves: a function of them is not leakproof, and would keep row-level security from the key's hash.
const bytesOf = (hashes: readonly string[]): Buffer[] => hashes.map((hash) => Buffer.from(hash, 'hex'));

function ownersStatement(tenantId: string, { entity, keyId, hashes }: OwnersRequest): Statement {
  return {
    name: 'transfers_key_owners',
    text: `select encode(u.h, 'hex') as hash, k.record_id as id from unnest($4::bytea[]) as u (h)
      join record_keys k on k.tenant_id = $1::uuid and k.entity_id = $2::uuid and k.key_id = $3::uuid and k.hash = u.h`,
    values: [tenantId, entity.id, keyId, bytesOf(hashes)],
  };
}

function visibleOwnersStatement(
  tenantId: string,
  { entity, keyId, hashes }: OwnersRequest,
  rowFilter: FilterNode,
): Statement {
  const parameters = createSqlParameters();
  const tenant = parameters.add(tenantId, 'uuid');
  const type = parameters.add(entity.id, 'uuid');
  const key = parameters.add(keyId, 'uuid');
  const wanted = parameters.add(bytesOf(hashes), 'bytea[]');
  const condition = filterSql(rowFilter, { alias: 'r', entity }, { tenantId, parameters });
  return {
    text: `select encode(u.h, 'hex') as hash, k.record_id as id from unnest(${wanted}) as u (h)
      join record_keys k on k.tenant_id = ${tenant} and k.entity_id = ${type} and k.key_id = ${key} and k.hash = u.h
      join records r on r.tenant_id = ${tenant} and r.entity_id = ${type} and r.id = k.record_id and ${condition}`,
    values: parameters.values,
  };
}
