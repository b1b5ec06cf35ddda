import { DomainError } from '#schema/errors.ts';
import { graphEntities } from '#subgraphs/model/aliases.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { changeTypeName, rootNames, typeName } from '#subgraphs/model/names.ts';
import { scalarResolvers } from '#subgraphs/model/scalars.ts';
import { assertTenantRole, atLeastInTenant } from '#subgraphs/server/base-rules.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { ShieldRules } from '#subgraphs/server/shield.ts';
import type { Change } from '../changes/change.ts';
import type { EventStore } from '../log/event-store.ts';
import type { Delivery } from '../log/feed.ts';
import type { LogStream } from '../log/subscriber.ts';
import { getModel, type RealtimeContext } from '../request-context.ts';
import { type ChangesArguments, readChangesPage } from '../resolvers/changes-page.ts';
import type {
  EntityChangedArguments,
  RecordChangedArguments,
  Subscriptions,
} from '../resolvers/subscriptions.ts';
import { changeFields } from './change-fields.ts';

export interface ResolverSources {
  store: EventStore;
  subscriptions: Subscriptions;
}

export const realtimeRules: ShieldRules = { Query: { changes: atLeastInTenant('VIEWER') } };

/** What a stream yields becomes the root field: its value, or the error that ended it, which so gets its place in the answer. */
function unwrap<Value>(delivery: Delivery<Value>): Value {
  if ('error' in delivery) throw delivery.error;
  return delivery.value;
}

/** Lets the service tell the stream's place beside its results. */
async function followed<Value>(
  context: RealtimeContext,
  opening: Promise<LogStream<Value>>,
): Promise<LogStream<Value>> {
  const stream = await opening;
  context.stream = stream;
  return stream;
}

/** Resolvers for a tenant's schema. `model` null: the static part. They keep names, never ids: schemas are shared by tenants. */
export function buildRealtimeResolvers(model: TenantModel | null, sources: ResolverSources): Resolvers {
  const { store, subscriptions } = sources;
  const resolvers: Resolvers = {
    ...scalarResolvers,
    Query: {
      changes: (_root: unknown, args: ChangesArguments, context: RealtimeContext) =>
        readChangesPage(store, context, args),
    },
    Subscription: {
      recordChanged: {
        subscribe: (_root: unknown, args: RecordChangedArguments, context: RealtimeContext) =>
          followed(context, subscriptions.recordChanged(context, args)),
        resolve: unwrap,
      },
      definitionsChanged: {
        subscribe: (_root: unknown, _args: unknown, context: RealtimeContext) =>
          followed(context, subscriptions.definitionsChanged(context)),
        resolve: unwrap,
      },
    },
  };
  for (const entity of model ? graphEntities(model) : []) {
    const type = typeName(entity);
    const fields = changeFields(entity);
    resolvers.Subscription[rootNames(entity).changed] = {
      subscribe: async (_root: unknown, args: EntityChangedArguments, context: RealtimeContext) => {
        assertTenantRole(context.claims, 'VIEWER');
        const current = getModel(context).entityByType.get(type);
        if (!current) throw new DomainError('NOT_FOUND', `The type ${type} does not exist any more`);
        return followed(context, subscriptions.entityChanged(context, current, args));
      },
      resolve: unwrap,
    };
    resolvers[changeTypeName(entity)] = {
      [fields.id]: (change: Change) => change.recordId,
      [fields.record]: (change: Change) => (change.hasRecord ? { id: change.recordId } : null),
    };
  }
  return resolvers;
}
