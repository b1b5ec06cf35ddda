/** Resolvers of an entity's mutations. */
import type { GraphQLResolveInfo } from 'graphql';
import { DomainError, invalidField } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { rootNames, typeName } from '#subgraphs/model/names.ts';
import type { EntitiesContext } from '../context.ts';
import type { RecordStore, RecordUpdate, StoreContext, StoredRecord } from '../store/record-store.ts';
import { findUniqueField } from './enums.ts';
import { type RecordNode, toNode } from './nodes.ts';

type Input = Readonly<Record<string, unknown>>;
interface Keyed {
  idempotencyKey?: string | null;
}
interface Identified extends Keyed {
  id: string;
  expectedVersion?: number | null;
}

export function writeResolvers(entity: EntityDefinition): Resolvers {
  const type = typeName(entity);
  const names = rootNames(entity);
  const one =
    <Args extends Keyed>(work: (write: Write, args: Args) => Promise<StoredRecord>) =>
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
    <Args extends Keyed>(work: (write: Write, args: Args) => Promise<StoredRecord[]>) =>
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
    [names.updateMany]: many<Keyed & { inputs: RecordUpdate[] }>(
      ({ store, context, entity: owner }, { inputs }) => store.updateMany(context, owner, inputs),
    ),
    [names.update]: one<Identified & { input: Input }>(
      ({ store, context, entity: owner }, { id, input, expectedVersion }) =>
        store.update(context, owner, id, input, expectedVersion),
    ),
  };
  if (entity.fields.some((field) => field.isUnique)) {
    resolvers[names.upsert] = one<Keyed & { on: string; input: Input }>(
      ({ store, context, entity: owner }, { on, input }) =>
        store.upsert(context, owner, uniqueFieldName(owner, on), input),
    );
    resolvers[names.upsertMany] = many<Keyed & { on: string; inputs: Input[] }>(
      ({ store, context, entity: owner }, { on, inputs }) =>
        store.upsertMany(context, owner, uniqueFieldName(owner, on), inputs),
    );
  }
  return resolvers;
}

function uniqueFieldName(entity: EntityDefinition, enumValue: string): string {
  const field = findUniqueField(entity, enumValue);
  if (!field)
    throw invalidField('on', 'unique', `${enumValue} is no unique field of ${typeName(entity)} any more`);
  return field.name;
}

interface Write {
  store: RecordStore;
  context: StoreContext;
  entity: EntityDefinition;
}

/**
 * Writes under the newest definitions that are known, whatever the graph was planned with; where they change meanwhile,
 * the store starts again. The answer is read with the request's own definitions, as its graph expects.
 */
async function writeRecords(
  context: EntitiesContext,
  type: string,
  operation: string,
  { idempotencyKey, ...request }: Keyed,
  work: (write: Write) => Promise<StoredRecord[]>,
): Promise<RecordNode[]> {
  const asked = context.model.entityByType.get(type);
  const model = await context.definitions.models.get(context.claims, context.model.version);
  const entity = asked && model.entityById.get(asked.id);
  if (!asked || !entity) throw new DomainError('NOT_FOUND', `There is no entity ${type} any more`);
  const idempotency =
    typeof idempotencyKey === 'string'
      ? { key: idempotencyKey, operation, entityId: entity.id, request }
      : null;
  const storeContext: StoreContext = { ...context.storeContext, model, idempotency };
  const records = await work({ store: context.records, context: storeContext, entity });
  context.loaders.clear();
  return records.map((record) => toNode(asked, record));
}
