/** Resolvers of an entity's mutations. */
import type { GraphQLResolveInfo } from 'graphql';
import { invalidField } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { rootNames, typeName } from '#subgraphs/model/names.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import type { EntitiesContext } from '../context.ts';
import type { PurgeRequest, RecordUpdate, StoredRecord } from '../store/record-store.ts';
import { findUniqueName, hasUniqueKeys } from './enums.ts';
import { restoreVersion } from './history-resolvers.ts';
import { type RecordNode, toNode } from './nodes.ts';
import { type Keyed, prepareWrite, type PreparedWrite } from './prepared-write.ts';
import { getEntity } from './request-entity.ts';

type Input = Readonly<Record<string, unknown>>;
interface Identified extends Keyed {
  id: string;
  expectedVersion?: number | null;
}

export function writeResolvers(entity: EntityDefinition): Resolvers {
  const type = typeName(entity);
  const names = rootNames(entity);
  const one =
    <Args extends Keyed>(work: (write: PreparedWrite, args: Args) => Promise<StoredRecord>) =>
    async (
      _root: unknown,
      args: Args,
      context: EntitiesContext,
      info: GraphQLResolveInfo,
    ): Promise<RecordNode> => {
      const [node] = await writeRecords(context, type, info.fieldName, args, async (write) => [
        await work(write, args),
      ]);
      return node as RecordNode;
    };

  const many =
    <Args extends Keyed>(work: (write: PreparedWrite, args: Args) => Promise<StoredRecord[]>) =>
    (_root: unknown, args: Args, context: EntitiesContext, info: GraphQLResolveInfo): Promise<RecordNode[]> =>
      writeRecords(context, type, info.fieldName, args, (write) => work(write, args));

  const withoutInput: Resolvers = {
    [names.delete]: one<Identified>(({ store, context, entity: owner }, { id, expectedVersion }) =>
      store.delete(context, owner, id, expectedVersion),
    ),
    [names.restore]: one<Identified>(({ store, context, entity: owner }, { id }) =>
      store.restore(context, owner, id),
    ),
    [names.deleteMany]: many<Keyed & { ids: string[] }>(({ store, context, entity: owner }, { ids }) =>
      store.deleteMany(context, owner, ids),
    ),
    [names.purge]: async (
      _root: unknown,
      args: Keyed & PurgeRequest,
      context: EntitiesContext,
      info: GraphQLResolveInfo,
    ): Promise<number> => {
      assertTenantRole(context.claims, 'DEVELOPER');
      const write = await prepareWrite(context, getEntity(context, type), info.fieldName, args);
      return write.store.purge(write.context, write.entity, args);
    },
    [names.restoreMany]: many<Keyed & { ids: string[] }>(({ store, context, entity: owner }, { ids }) =>
      store.restoreMany(context, owner, ids),
    ),
  };
  const create = one<Keyed & { input?: Input }>(async ({ store, context, entity: owner }, { input }) => {
    const [record] = await store.create(context, owner, [input ?? {}]);
    return record as StoredRecord;
  });
  if (entity.fields.length === 0) return { ...withoutInput, [names.create]: create };

  const resolvers: Resolvers = {
    ...withoutInput,
    [names.create]: create,
    [names.createMany]: many<Keyed & { inputs: Input[] }>(({ store, context, entity: owner }, { inputs }) =>
      store.create(context, owner, inputs),
    ),
    [names.restoreVersion]: one<Identified & { version: number }>(restoreVersion),
    [names.updateMany]: many<Keyed & { inputs: RecordUpdate[] }>(
      ({ store, context, entity: owner }, { inputs }) => store.updateMany(context, owner, inputs),
    ),
    [names.update]: one<Identified & { input: Input }>(
      ({ store, context, entity: owner }, { id, input, expectedVersion }) =>
        store.update(context, owner, id, input, expectedVersion),
    ),
  };
  if (hasUniqueKeys(entity)) {
    resolvers[names.upsert] = one<Keyed & { on: string; input: Input }>(
      ({ store, context, entity: owner }, { on, input }) =>
        store.upsert(context, owner, uniqueName(owner, on), input),
    );
    resolvers[names.upsertMany] = many<Keyed & { on: string; inputs: Input[] }>(
      ({ store, context, entity: owner }, { on, inputs }) =>
        store.upsertMany(context, owner, uniqueName(owner, on), inputs),
    );
  }
  return resolvers;
}

function uniqueName(entity: EntityDefinition, enumValue: string): string {
  const name = findUniqueName(entity, enumValue);
  if (name !== undefined) return name;
  throw invalidField(
    'on',
    'unique',
    `${enumValue} is no unique field or group of ${typeName(entity)} any more`,
  );
}

/** The answer is read with the request's own definitions, as its graph expects. */
async function writeRecords(
  context: EntitiesContext,
  type: string,
  operation: string,
  args: Keyed,
  work: (write: PreparedWrite) => Promise<StoredRecord[]>,
): Promise<RecordNode[]> {
  const asked = getEntity(context, type);
  const records = await work(await prepareWrite(context, asked, operation, args));
  context.loaders.clear();
  return records.map((record) => toNode(asked, record));
}
