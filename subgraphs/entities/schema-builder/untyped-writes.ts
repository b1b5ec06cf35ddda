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
interface UntypedUpdate {
  id: string;
  data: unknown;
  expectedVersion?: number | null;
}

interface Identified extends Named {
  id: string;
  expectedVersion?: number | null;
}

type Work<Args, Result> = (write: PreparedWrite, args: Args) => Promise<Result>;
type Resolver<Args, Result> = (
  root: unknown,
  args: Args,
  context: EntitiesContext,
  info: GraphQLResolveInfo,
) => Promise<Result>;

function many<Args extends Named>(work: Work<Args, readonly StoredRecord[]>): Resolver<Args, UntypedNode[]> {
  return async (_root, args, context, info) => {
    const entity = getNamedEntity(context, args.entity);
    const records = await work(await prepareWrite(context, entity, info.fieldName, args), args);
    context.loaders.clear();
    const access = accessOf(context.model, entity, context.claims);
    return records.map((record) => new UntypedNode(entity, record, access));
  };
}

function one<Args extends Named>(work: Work<Args, StoredRecord>): Resolver<Args, UntypedNode> {
  const write = many<Args>(async (prepared, args) => [await work(prepared, args)]);
  return async (...call) => (await write(...call))[0] as UntypedNode;
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
  createRecords: many<Named & { inputs: unknown[] }>(({ store, context, entity }, { inputs }) =>
    store.create(context, entity, inputs.map(readInput)),
  ),
  updateRecords: many<Named & { inputs: UntypedUpdate[] }>(({ store, context, entity }, { inputs }) =>
    store.updateMany(
      context,
      entity,
      inputs.map(({ id, data, expectedVersion = null }, index) => ({
        id,
        input: readData(data, `inputs.${index}.data`),
        expectedVersion,
      })),
    ),
  ),
  upsertRecords: many<Named & { on: string; inputs: unknown[] }>(
    ({ store, context, entity }, { on, inputs }) =>
      store.upsertMany(context, entity, on, inputs.map(readInput)),
  ),
  deleteRecords: many<Named & { ids: string[] }>(({ store, context, entity }, { ids }) =>
    store.deleteMany(context, entity, ids),
  ),
  restoreRecords: many<Named & { ids: string[] }>(({ store, context, entity }, { ids }) =>
    store.restoreMany(context, entity, ids),
  ),
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
function readData(data: unknown, path = 'data'): Readonly<Record<string, unknown>> {
  if (typeof data === 'object' && data !== null && !Array.isArray(data))
    return data as Record<string, unknown>;
  throw invalidField(path, 'type', `${path} must be an object, as the input of the entity`);
}

function readInput(input: unknown, index: number): Readonly<Record<string, unknown>> {
  return readData(input, `inputs.${index}`);
}
