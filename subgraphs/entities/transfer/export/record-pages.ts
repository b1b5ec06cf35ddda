/** All records of an entity, page by key: no snapshot is held, and what is written meanwhile may or may not be there. */
import type { EntityDefinition } from '#subgraphs/model/definition.ts';
import type { ListRequest, RecordStore, StoreContext, StoredRecord } from '../../store/record-store.ts';

export const pageSize = 1_000;

export interface RecordPage {
  /** The one that it was read with. */
  readonly context: StoreContext;
  readonly records: readonly StoredRecord[];
}

/** In order of creation. `getContext` is asked before each page: rights and definitions may have changed. */
export async function* readPages(
  records: Pick<RecordStore, 'list'>,
  getContext: () => Promise<{ context: StoreContext; entity: EntityDefinition }>,
  request: Pick<ListRequest, 'filter' | 'search'> = {},
): AsyncGenerator<RecordPage> {
  let after: string | null = null;
  for (;;) {
    const { context, entity } = await getContext();
    const page = await records.list(context, {
      ...request,
      entity,
      first: pageSize,
      after,
      orderBy: [{ createdAt: 'ASC' }],
    });
    if (page.edges.length > 0) yield { context, records: page.edges.map((edge) => edge.record) };
    after = page.edges.at(-1)?.cursor ?? null;
    if (!page.hasNextPage || after === null) return;
  }
}
