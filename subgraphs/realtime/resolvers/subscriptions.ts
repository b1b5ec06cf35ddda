import { invalidField } from '#schema/errors.ts';
import type { ChangeOperation } from '#schema/events.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import type { Change } from '../changes/change.ts';
import { type DefinitionsChange, DefinitionsFeed, definitionsFeedKey } from '../changes/definitions-feed.ts';
import { EntityFeed, entityFeedKey } from '../changes/entity-feed.ts';
import { RecordFeed, recordFeedKey } from '../changes/record-feed.ts';
import type { EventLog } from '../log/event-log.ts';
import type { EventStore } from '../log/event-store.ts';
import type { LogStream } from '../log/subscriber.ts';
import { getEntities, getModel, type RealtimeContext } from '../request-context.ts';

/** Ids that one subscription may name. */
const maxIds = 1_000;

type Stream<Value> = Promise<LogStream<Value>>;

export interface RecordChangedArguments {
  entities?: readonly string[] | null;
  operations?: readonly ChangeOperation[] | null;
  after?: string | null;
}

export interface EntityChangedArguments {
  ids?: readonly string[] | null;
  operations?: readonly ChangeOperation[] | null;
  filter?: Readonly<Record<string, unknown>> | null;
  after?: string | null;
}

/** The subscriptions' `subscribe`. Each is authorised here: rules on a Subscription field run for each event, too late. */
export interface Subscriptions {
  recordChanged(context: RealtimeContext, args: RecordChangedArguments): Stream<Change>;
  /** `entity` is looked up in the context's model. */
  entityChanged(
    context: RealtimeContext,
    entity: EntityDefinition,
    args: EntityChangedArguments,
  ): Stream<Change>;
  definitionsChanged(context: RealtimeContext): Stream<DefinitionsChange>;
}

export function createSubscriptions(log: EventLog, store: EventStore): Subscriptions {
  return {
    async recordChanged(context, args) {
      const { claims } = context;
      assertTenantRole(claims, 'VIEWER');
      const model = getModel(context);
      const request = {
        entities: args.entities ? getEntities(model, args.entities) : null,
        operations: args.operations ?? null,
      };
      return log.subscribe(model.tenantId, {
        after: args.after ?? null,
        keyOf: (newest) => recordFeedKey(request, newest, claims),
        createFeed: () => new RecordFeed(request, claims, store),
      });
    },

    async entityChanged(context, entity, args) {
      const { claims } = context;
      assertTenantRole(claims, 'VIEWER');
      if (args.ids && args.ids.length > maxIds) {
        throw invalidField('ids', 'maxLength', `ids must hold at most ${maxIds}, holds ${args.ids.length}`);
      }
      const request = {
        entity,
        ids: args.ids ?? null,
        operations: args.operations ?? null,
        filter: args.filter ?? null,
      };
      return log.subscribe(getModel(context).tenantId, {
        after: args.after ?? null,
        keyOf: (newest) => entityFeedKey(request, newest, claims),
        createFeed: () => new EntityFeed(request, claims, store),
      });
    },

    async definitionsChanged(context) {
      assertTenantRole(context.claims, 'VIEWER');
      return log.subscribe(getModel(context).tenantId, {
        after: null,
        keyOf: () => definitionsFeedKey,
        createFeed: () => new DefinitionsFeed(),
      });
    },
  };
}
