/** Resolvers of an entity's mutations. */
import { DomainError, invalidField } from '#schema/errors.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import { rootNames, typeName } from '#subgraphs/model/names.ts';
import type { EntitiesContext } from '../context.ts';
import type { RecordStore, StoreContext, StoredRecord } from '../store/record-store.ts';
import { findUniqueField } from './enums.ts';
import { type RecordNode, toNode } from './nodes.ts';

type Input = Readonly<Record<string, unknown>>;
interface Identified {
  id: string;
  expectedVersion?: number | null;
}

export function writeResolvers(entity: EntityDefinition): Resolvers {
  const type = typeName(entity);
  const names = rootNames(entity);
  const one =
    <Args>(work: (write: Write, args: Args) => Promise<StoredRecord>) =>
    async (_root: unknown, args: Args, context: EntitiesContext): Promise<RecordNode> => {
      const [node] = await writeRecords(context, type, async (write) => [await work(write, args)]);
      return node as RecordNode;
    };

  const withoutInput: Resolvers = {
    [names.delete]: one<Identified>(({ store, context, entity: owner }, { id, expectedVersion }) =>
      store.delete(context, owner, id, expectedVersion),
    ),
    [names.restore]: one<Identified>(({ store, context, entity: owner }, { id }) =>
      store.restore(context, owner, id),
    ),
  };
  const create = one<{ input?: Input }>(async ({ store, context, entity: owner }, { input }) => {
    const [record] = await store.create(context, owner, [input ?? {}]);
    return record as StoredRecord;
  });
  if (entity.fields.length === 0) return { ...withoutInput, [names.create]: create };

  const resolvers: Resolvers = {
    ...withoutInput,
    [names.create]: create,
    [names.createMany]: (_root: unknown, { inputs }: { inputs: Input[] }, context: EntitiesContext) =>
      writeRecords(context, type, (write) => write.store.create(write.context, write.entity, inputs)),
    [names.update]: one<Identified & { input: Input }>(
      ({ store, context, entity: owner }, { id, input, expectedVersion }) =>
        store.update(context, owner, id, input, expectedVersion),
    ),
  };
  if (entity.fields.some((field) => field.isUnique)) {
    resolvers[names.upsert] = one<{ on: string; input: Input }>(
      ({ store, context, entity: owner }, { on, input }) => {
        const field = findUniqueField(owner, on);
        if (!field) throw invalidField('on', 'unique', `${on} is no unique field of ${type} any more`);
        return store.upsert(context, owner, field.name, input);
      },
    );
  }
  return resolvers;
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
  work: (write: Write) => Promise<StoredRecord[]>,
): Promise<RecordNode[]> {
  const asked = context.model.entityByType.get(type);
  const model = await context.definitions.models.get(context.claims, context.model.version);
  const entity = asked && model.entityById.get(asked.id);
  if (!asked || !entity) throw new DomainError('NOT_FOUND', `There is no entity ${type} any more`);
  const records = await work({ store: context.records, context: { ...context.storeContext, model }, entity });
  context.loaders.clear();
  return records.map((record) => toNode(asked, record));
}
