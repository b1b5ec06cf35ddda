/** Who may do what. A root field without a rule is public: `publicFields` names those, and nothing else has none. */
import { atLeast, atLeastInTenant, hasTenant, isAuthenticated } from '#subgraphs/server/base-rules.ts';
import type { ShieldRules } from '#subgraphs/server/shield.ts';

/** Root fields for anonymous callers; all of the PUBLIC graph. */
export const publicFields: Readonly<Record<string, readonly string[]>> = {
  Query: ['plans'],
  Mutation: ['registerTenant', 'login', 'refreshSession'],
};

const reader = atLeastInTenant('VIEWER');
const administrator = atLeastInTenant('ADMIN');
const operator = atLeast('OPERATOR');

export const tenantsRules: ShieldRules = {
  Query: {
    me: isAuthenticated,
    tenant: reader,
    config: reader,
    users: reader,
    user: reader,
    apiKeys: administrator,
    tenants: operator,
    _entities: hasTenant,
  },
  Mutation: {
    logout: isAuthenticated,
    createUser: administrator,
    updateUser: administrator,
    deleteUser: administrator,
    createApiKey: administrator,
    revokeApiKey: administrator,
    updateTenant: administrator,
    changePlan: administrator,
    setTenantStatus: operator,
  },
};
