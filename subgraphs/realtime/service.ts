import type { PerUser, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { TenantModels } from '#subgraphs/model/tenant-models.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { requestContextOf } from '#subgraphs/server/request-context.ts';
import { createSubgraphService } from '#subgraphs/server/subgraph-service.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { createEventLog, type EventLogLimits } from './log/event-log.ts';
import type { EventStore } from './log/event-store.ts';
import { systemClaims } from './log/system-claims.ts';
import type { RealtimeContext } from './request-context.ts';
import { createSubscriptions } from './resolvers/subscriptions.ts';
import { createRealtimeSchemas } from './schema-builder/schemas.ts';

export interface RealtimeServiceOptions {
  store: EventStore;
  models: TenantModels;
  wakeUp: Pick<WakeUp, 'subscribe'>;
  logger: Logger;
  limits?: Partial<EventLogLimits>;
}

export interface RealtimeService extends SubgraphService, AsyncDisposable {
  /** Tenants whose logs are being followed. */
  readonly readerCount: number;
}

/** Roles are told by the entities subgraph, whose permissions are the same. */
const perUser: PerUser = { roles: [], subscriptions: ['notificationReceived'] };

/**
 * The realtime subgraph: each tenant's change log as queries and subscriptions, and its part of each tenant's graph.
 * Disposing ends every subscription with SUBGRAPH_UNAVAILABLE and its cursor; store, models and wake-up stay their owner's.
 */
export function createRealtimeService(options: RealtimeServiceOptions): RealtimeService {
  const { store, models } = options;
  const log = createEventLog({
    store,
    getModel: models.get,
    wakeUp: options.wakeUp,
    logger: options.logger,
    limits: options.limits,
  });
  const schemas = createRealtimeSchemas({ store, subscriptions: createSubscriptions(log, store) });

  const modelOf = async ({
    claims,
    definitionsVersion,
  }: Pick<RealtimeContext, 'claims' | 'definitionsVersion'>) => {
    if (claims.tenantId === null) return null;
    return definitionsVersion === null
      ? models.get(claims, null)
      : models.getExact(claims, definitionsVersion);
  };

  const service = createSubgraphService<RealtimeContext>({
    name: 'realtime',
    logger: options.logger,
    async getSdl({ audience, tenantId, version }) {
      if (audience === 'PUBLIC') return { sdl: null, version: null };
      if (audience === 'PLATFORM' || tenantId === null) return { sdl: schemas.getSdl(null), version: null };
      const model = await models.get(systemClaims(tenantId), version);
      return { sdl: schemas.getSdl(model), version: model.version, perUser };
    },
    getSchema: async (request) => schemas.getSchema(await modelOf(request)),
    createContext: async (request) => ({ ...requestContextOf(request), model: await modelOf(request) }),
  });

  return {
    ...service,
    get readerCount() {
      return log.readerCount;
    },
    async [Symbol.asyncDispose]() {
      await log[Symbol.asyncDispose]();
      // The streams' last words are on their way: whoever closes the sockets next does not overtake them.
      await new Promise(setImmediate);
    },
  };
}
