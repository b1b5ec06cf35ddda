/** What can be read. */
import { DomainError } from '#schema/errors.ts';
import type { TenantStatus } from '#schema/subgraph-protocol.ts';
import type { TenantsContext } from '../context.ts';
import { buildConnection, type PageArguments, parsePlace } from '../paging.ts';
import { plans } from '../plans.ts';
import type { UserRow } from '../store/rows.ts';
import type { TenantStore } from '../store/tenant-store.ts';

/** Paths on the gateway. */
const endpoints = {
  graphql: '/graphql',
  subscriptions: '/graphql',
  graphiql: '/graphiql',
  schema: '/schema.graphql',
};

async function findMe({ claims, users }: TenantsContext, store: TenantStore): Promise<UserRow> {
  if (!claims.actorId || (claims.actorKind !== 'USER' && claims.actorKind !== 'OPERATOR')) {
    throw new DomainError('FORBIDDEN', 'Only a user has a me');
  }
  const { actorId } = claims;
  const me = await (claims.actorKind === 'OPERATOR'
    ? store.operators.findById(actorId)
    : users.load(actorId));
  if (!me) throw new DomainError('UNAUTHENTICATED', 'This user does not exist any more');
  return me;
}

export function createQueryResolvers(store: TenantStore) {
  return {
    plans: () => Object.values(plans),
    me: (_root: unknown, _args: unknown, context: TenantsContext) => findMe(context, store),
    tenant: (_root: unknown, _args: unknown, { claims }: TenantsContext) => store.tenants.get(claims),

    async config(_root: unknown, _args: unknown, { claims }: TenantsContext) {
      const tenant = await store.tenants.get(claims);
      const plan = plans[tenant.plan];
      return { tenant, plan, features: plan.features, endpoints };
    },

    async users(_root: unknown, args: PageArguments, { claims }: TenantsContext) {
      const place = parsePlace(args);
      const page = await store.users.list(claims, place.first, place.afterId);
      return buildConnection(page, place, () => store.users.count(claims));
    },

    user: (_root: unknown, { id }: { id: string }, { users }: TenantsContext) => users.load(id),
    apiKeys: (_root: unknown, _args: unknown, { claims }: TenantsContext) => store.apiKeys.list(claims),

    async tenants(
      _root: unknown,
      args: PageArguments & { search?: string | null; status?: TenantStatus | null },
      _context: TenantsContext,
    ) {
      const place = parsePlace(args);
      // PostgreSQL's text cannot hold U+0000, and no name has it.
      if (args.search?.includes('\u0000'))
        return buildConnection({ rows: [], hasNextPage: false }, place, async () => 0);
      const listing = { search: args.search ?? null, status: args.status ?? null };
      const page = await store.tenants.list(listing, place.first, place.afterId);
      return buildConnection(page, place, () => store.tenants.count(listing));
    },
  };
}
