/** Fields that are more than a row's column. */
import type { TenantsContext } from '../context.ts';
import { seatsOf } from '../plans.ts';
import type { ApiKeyRow, TenantRow } from '../store/rows.ts';

interface Countable {
  count(): Promise<number>;
}

const totalCount = (connection: Countable) => connection.count();

export const typeResolvers = {
  Tenant: { maxUsers: (tenant: TenantRow) => seatsOf(tenant) },
  User: {
    __resolveReference: ({ id }: { id: unknown }, { users }: TenantsContext) =>
      typeof id === 'string' ? users.load(id) : null,
  },
  ApiKey: {
    createdBy: ({ createdBy }: ApiKeyRow, _args: unknown, { users }: TenantsContext) =>
      createdBy === null ? null : users.load(createdBy),
  },
  UserConnection: { totalCount },
  TenantConnection: { totalCount },
};
