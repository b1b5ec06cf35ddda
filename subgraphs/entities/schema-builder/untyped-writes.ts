/** The untyped twin's mutations: what the typed ones do, for any entity, with values in JSON. */
import type { GraphQLResolveInfo } from 'graphql';
import { invalidField } from '#schema/errors.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import { accessOf } from '#subgraphs/model/permissions/access.ts';
import type { EntitiesContext } from '../context.ts';
import type { PurgeRequest, StoredRecord } from '../store/record-store.ts';
import { restoreVersion } from './history-resolvers.ts';
import { type Keyed, prepareWrite, type PreparedWrite } from './prepared-write.ts';
import { getNamedEntity, UntypedNode } from './untyped-node.ts';

interface Named extends Keyed {
  entity: string;
}
interface Identified extends Named {
  id: string;
  expectedVersion?: number | null;
}

function one<Args extends Named>(work: (write: PreparedWrite, args: Args) => Promise<StoredRecord>) {
  return async (
    _root: unknown,
    args: Args,
    context: EntitiesContext,
    info: GraphQLResolveInfo,
  ): Promise<UntypedNode> => {
    const entity = getNamedEntity(context, args.entity);
    const record = await work(await prepareWrite(context, entity, info.fieldName, args), args);
    context.loaders.clear();
    return new UntypedNode(entity, record, accessOf(context.model, entity, context.claims));
  };
}

export const untypedWrites: Resolvers = {
  createRecord: one<Named & { data: unknown }>(async ({ store, context, entity }, { data }) => {
    const [record] = await store.create(context, entity, [readData(data)]);
    return record as StoredRecord;
  }),
  updateRecord: one<Identified & { data: unknown }>(
    async ({ store, context, entity }, { id, data, expectedVersion }) =>
      store.update(context, entity, id, readData(data), expectedVersion),
  ),
  upsertRecord: one<Named & { on: string; data: unknown }>(async ({ store, context, entity }, { on, data }) =>
    store.upsert(context, entity, on, readData(data)),
  ),
  deleteRecord: one<Identified>(({ store, context, entity }, { id, expectedVersion }) =>
    store.delete(context, entity, id, expectedVersion),
  ),
  restoreRecord: one<Identified>(({ store, context, entity }, { id }) => store.restore(context, entity, id)),
  restoreRecordVersion: one<Identified & { version: number }>(restoreVersion),
  async purgeRecords(
    _root: unknown,
    args: Named & PurgeRequest,
    context: EntitiesContext,
    info: GraphQLResolveInfo,
  ): Promise<number> {
    assertTenantRole(context.claims, 'DEVELOPER');
    const { store, ...write } = await prepareWrite(
      context,
      getNamedEntity(context, args.entity),
      info.fieldName,
      args,
    );
    return store.purge(write.context, write.entity, args);
  },
};

/** The store checks its members, as those of the typed inputs. */
function readData(data: unknown): Readonly<Record<string, unknown>> {
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return data as Record<string, unknown>;
  throw invalidField('data', 'type', 'data must be an object, as the input of the entity');
}
