/** Many resolvers' reads of one request become one statement each: to-one relations, references, inverse lists and their totals. */
import DataLoader from 'dataloader';
import type { EntityDefinition, FieldDefinition } from '#subgraphs/model/definition.ts';
import { isUnionView } from '#subgraphs/model/union-relations.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import type { AnswerBudget } from './answer-budget.ts';
import type {
  InverseRequest,
  ListRequest,
  Page,
  RecordStore,
  StoreContext,
  StoredRecord,
} from './store/record-store.ts';

/** The arguments of an inverse list. */
export type InverseArguments = Pick<ListRequest, 'first' | 'after' | 'filter' | 'orderBy'>;

export interface Loaders {
  /** Null for what is unknown, deleted, another tenant's, or no id at all. */
  findRecord(entity: EntityDefinition, id: string): Promise<StoredRecord | null>;
  /** Records of `entity` whose relation `field` is `parentId`, or that are linked to it: one statement for all parents with the same arguments. */
  listInverse(
    entity: EntityDefinition,
    field: FieldDefinition,
    parentId: string,
    args: InverseArguments,
    link?: InverseRequest['link'],
  ): Promise<Page>;
  countInverse(
    entity: EntityDefinition,
    field: FieldDefinition,
    parentId: string,
    filter: InverseArguments['filter'],
    link?: InverseRequest['link'],
  ): Promise<number>;
  /** Forgets what was read: after a write. */
  clear(): void;
}

/** For one request: what it read once, it keeps. What it hands out counts against `budget` each time. */
export function createLoaders(store: RecordStore, context: StoreContext, budget: AnswerBudget): Loaders {
  const records = new Map<string, DataLoader<string, StoredRecord | null>>();
  const pages = new Map<string, DataLoader<string, Page>>();
  const counts = new Map<string, DataLoader<string, number>>();

  const inverseRequest = (
    entity: EntityDefinition,
    field: FieldDefinition,
    args: InverseArguments,
    parentIds: readonly string[],
    link: InverseRequest['link'],
  ): InverseRequest => ({
    ...args,
    entity,
    relationFieldId: field.id,
    ...(isUnionView(field) ? { targetEntityId: field.targetEntityId as string } : {}),
    parentIds,
    ...(link === undefined ? {} : { link }),
  });

  return {
    async findRecord(entity, id) {
      const canonical = readId(id);
      if (canonical === null) return null;
      const loader = memoise(
        records,
        entity.id,
        () => new DataLoader<string, StoredRecord | null>((ids) => store.findMany(context, entity, ids)),
      );
      const record = await loader.load(canonical);
      if (record) budget.spend(1);
      return record;
    },

    async listInverse(entity, field, parentId, args, link) {
      const loader = memoise(
        pages,
        `${field.id} ${field.targetEntityId} ${link} ${JSON.stringify(args)}`,
        () =>
          new DataLoader<string, Page>((parentIds) =>
            store.listInverse(context, inverseRequest(entity, field, args, parentIds, link)),
          ),
      );
      const page = await loader.load(parentId);
      budget.spend(page.edges.length);
      return page;
    },

    countInverse(entity, field, parentId, filter, link) {
      const loader = memoise(
        counts,
        `${field.id} ${field.targetEntityId} ${link} ${JSON.stringify(filter)}`,
        () =>
          new DataLoader<string, number>((parentIds) =>
            store.countInverse(context, inverseRequest(entity, field, { filter }, parentIds, link)),
          ),
      );
      return loader.load(parentId);
    },

    clear() {
      records.clear();
      pages.clear();
      counts.clear();
    },
  };
}

function memoise<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = create();
  map.set(key, made);
  return made;
}
