/** What can be changed: each resolver hands over to the part of the subgraph that does it. */
import { DomainError } from '#schema/errors.ts';
import type { TenantStatus } from '#schema/subgraph-protocol.ts';
import type {
  Administration,
  CreateApiKeyInput,
  CreateUserInput,
  UpdateTenantInput,
  UpdateUserInput,
} from '../administration.ts';
import type { LoginInput, Sessions } from '../auth/sessions.ts';
import type { TenantsContext } from '../context.ts';
import type { RegisterTenantInput, RegistrationDesk } from '../registration.ts';
import type { PlanCode } from '../store/rows.ts';
import type { TenantStore } from '../store/tenant-store.ts';
import { isUuid } from '../uuid.ts';

export interface MutationOptions {
  store: TenantStore;
  sessions: Sessions;
  registration: RegistrationDesk;
  administration: Administration;
  announce(tenantId: string): void;
}

export function createMutationResolvers(options: MutationOptions) {
  const { store, sessions, registration, administration } = options;
  return {
    async registerTenant(_root: unknown, { input }: { input: RegisterTenantInput }, context: TenantsContext) {
      const { authentication, apiKey } = await registration.register(input, context);
      return { ...authentication, apiKey };
    },

    login: (_root: unknown, { input }: { input: LoginInput }) => sessions.login(input),
    refreshSession: (_root: unknown, args: { refreshToken?: string | null }) =>
      sessions.refresh(args.refreshToken),
    logout: (_root: unknown, _args: unknown, { claims }: TenantsContext) => sessions.close(claims.sessionId),

    createUser: (_root: unknown, { input }: { input: CreateUserInput }, { claims }: TenantsContext) =>
      administration.createUser(claims, input),

    updateUser: (
      _root: unknown,
      { id, input }: { id: string; input: UpdateUserInput },
      { claims }: TenantsContext,
    ) => administration.updateUser(claims, id, input),

    async deleteUser(_root: unknown, { id }: { id: string }, { claims }: TenantsContext) {
      await administration.deleteUser(claims, id);
      return true;
    },

    createApiKey: (_root: unknown, { input }: { input: CreateApiKeyInput }, { claims }: TenantsContext) =>
      administration.createApiKey(claims, input),

    async revokeApiKey(_root: unknown, { id }: { id: string }, { claims }: TenantsContext) {
      await administration.revokeApiKey(claims, id);
      return true;
    },

    updateTenant: (_root: unknown, { input }: { input: UpdateTenantInput }, { claims }: TenantsContext) =>
      administration.updateTenant(claims, input),

    changePlan: (_root: unknown, { plan }: { plan: PlanCode }, { claims }: TenantsContext) =>
      administration.changePlan(claims, plan),

    async setTenantStatus(_root: unknown, { id, status }: { id: string; status: TenantStatus }) {
      if (!isUuid(id)) throw new DomainError('NOT_FOUND', 'The tenant does not exist');
      const tenant = await store.tenants.setStatus(id, status);
      options.announce(id);
      return tenant;
    },
  };
}
