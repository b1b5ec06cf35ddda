/** The tenants subgraph, put together. */
import { randomUUIDv7 } from 'node:crypto';
import type { IdentityService, SubgraphService } from '#schema/subgraph-protocol.ts';
import { buildExecutableSubgraph } from '#subgraphs/server/executable-subgraph.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { scalarResolvers } from '#subgraphs/server/scalars.ts';
import { readStaticSdl, sharedSdl } from '#subgraphs/server/static-sdl.ts';
import { createSubgraphService } from '#subgraphs/server/subgraph-service.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { createAdministration } from './administration.ts';
import { hashPassword, verifyPassword } from './auth/passwords.ts';
import { createSessions } from './auth/sessions.ts';
import { createSigningKeys } from './auth/signing-keys.ts';
import { createTenantsContext } from './context.ts';
import { createIdentityService } from './identity.ts';
import { pickRootFields } from './public-sdl.ts';
import { createRegistrationDesk } from './registration.ts';
import { createMutationResolvers } from './resolvers/mutation-resolvers.ts';
import { createQueryResolvers } from './resolvers/query-resolvers.ts';
import { typeResolvers } from './resolvers/type-resolvers.ts';
import { publicFields, tenantsRules } from './rules.ts';
import type { OperatorRows } from './store/operator-rows.ts';
import type { TenantStore } from './store/tenant-store.ts';

export interface OperatorSignIn {
  email: string;
  password: string;
}

export interface TenantsServiceOptions {
  store: TenantStore;
  /** SUBGRAPH_SECRET: signing keys are encrypted under it. */
  secret: string;
  logger: Logger;
  /** Created or given this password at start; null: operators stay as they are. */
  operator: OperatorSignIn | null;
  /** Applies templates at registration. */
  entities: Pick<SubgraphService, 'execute'>;
  /** Told of each tenant whose rights changed. */
  wakeUp: Pick<WakeUp, 'publish'>;
}

async function upsertOperator(rows: OperatorRows, { email, password }: OperatorSignIn): Promise<void> {
  const known = await rows.findCredential(email);
  if (known && (await verifyPassword(known.passwordHash, password))) return;
  await rows.setPassword({ id: randomUUIDv7(), email, passwordHash: await hashPassword(password) });
}

/** Resolves once it can serve: the operator exists, a signing key exists, and nothing is left of interrupted registrations. */
export async function createTenantsService(
  options: TenantsServiceOptions,
): Promise<{ service: SubgraphService; identity: IdentityService }> {
  const { store, logger, entities } = options;
  const announce = (tenantId: string) => options.wakeUp.publish(tenantId);
  const keys = createSigningKeys({ rows: store.signingKeys, secret: options.secret, logger });
  const sessions = createSessions({ store, keys, announce });
  const registration = createRegistrationDesk({ store, sessions, entities, logger, announce });
  const administration = createAdministration({ store, announce });

  const sdl = `${readStaticSdl('tenants')}\n${sharedSdl}`;
  const publicSdl = pickRootFields(sdl, publicFields);
  const schema = buildExecutableSubgraph(
    sdl,
    {
      ...scalarResolvers,
      ...typeResolvers,
      Query: createQueryResolvers(store),
      Mutation: createMutationResolvers({ store, sessions, registration, administration, announce }),
    },
    tenantsRules,
  );

  await keys.getCurrent();
  if (options.operator) await upsertOperator(store.operators, options.operator);
  const swept = await registration.sweep();
  if (swept > 0) logger.info({ swept }, 'removed registrations that were never finished');

  const service = createSubgraphService({
    name: 'tenants',
    logger,
    // The same at every version of a tenant's definitions.
    getSdl: async ({ audience }) => ({
      sdl: audience === 'PUBLIC' ? publicSdl : sdl,
      version: null,
      // `me` depends on the user, but no subscription leads there.
      perUser: { roles: [], subscriptions: [] },
    }),
    getSchema: async () => schema,
    createContext: (request) => createTenantsContext(request, store.users),
  });
  return { service, identity: createIdentityService({ rows: store.identities, keys }) };
}
