/**
 * Records whose search text is not told apart by field yet: what a release without `search_parts` wrote. They are gone
 * through in the background; until then those that a search in some fields may find are split before it is run.
 */
import type { RecordDatabase, Statement, TenantTransaction } from '#prisma/record-database.ts';
import type { Claims } from '#schema/claims.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { holdVersion, Outdated } from './fence.ts';
import type { RecordChoice, RecordStore, StoreContext } from './record-store.ts';
import { type RecordRow, recordColumns, toRecord } from './record-row.ts';
import { updateRecords } from './record-rows-writing.ts';
import { parseSearch, searchedKeys } from './search-sql.ts';
import { accessOf } from './store-access.ts';
import { platformScope } from './write-scope.ts';

/** Records of one transaction. */
const batchSize = 500;

/** As the index `records_unsplit` has it. */
const isUnsplit = `x.search is not null and (x.search_parts ->> '~v')::int is distinct from x.version`;

export interface SplitStorage {
  database: RecordDatabase;
  load(claims: Claims): Promise<TenantModel>;
}

/** All of the tenant's, in batches. Ends early, between two, when the signal says so. */
export async function splitSearch(storage: SplitStorage, claims: Claims, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const model = await storage.load(claims);
    const [next] = await storage.database.read<{ entityId: string }>(claims, {
      name: 'search_split_entity',
      text: `
        select x.entity_id as "entityId" from public.records x
        where x.tenant_id = $1 and x.entity_id = any($2::uuid[]) and ${isUnsplit} limit 1`,
      values: [claims.tenantId, model.allEntities.map(({ id }) => id)],
    });
    if (!next) return;
    await splitBatch(storage.database, claims, model, next.entityId, {
      name: 'search_split_next',
      text: `
        select ${recordColumns('x')} from public.records x
        where x.tenant_id = $1 and x.entity_id = $2 and ${isUnsplit} order by x.id limit ${batchSize} for no key update`,
      values: [claims.tenantId, next.entityId],
    });
  }
}

type Searching = Pick<RecordStore, 'list' | 'count' | 'listInverse' | 'countInverse' | 'aggregate'>;

/** The same reads, which find unsplit records too. */
export function withSplitSearch(reads: Searching, storage: SplitStorage): Searching {
  const prepare = (context: StoreContext, request: RecordChoice): Promise<void> | undefined =>
    request.search && accessOf(context).isRestricted ? splitFound(storage, context, request) : undefined;
  const prepared =
    <Request extends RecordChoice, Answer>(
      read: (context: StoreContext, request: Request) => Promise<Answer>,
    ): ((context: StoreContext, request: Request) => Promise<Answer>) =>
    async (context, request) => {
      await prepare(context, request);
      return read(context, request);
    };
  return {
    list: prepared(reads.list),
    count: prepared(reads.count),
    listInverse: prepared(reads.listInverse),
    countInverse: prepared(reads.countInverse),
    aggregate: prepared(reads.aggregate),
  };
}

/** Splits what the search may find. */
async function splitFound(
  storage: SplitStorage,
  context: StoreContext,
  { entity, search }: RecordChoice,
): Promise<void> {
  const words = parseSearch(search);
  if (words === null || searchedKeys(entity, accessOf(context).of(entity)) === null) return;
  const { claims } = context;
  const values = [context.model.tenantId, entity.id];
  const unsplit = await storage.database.read(claims, {
    name: 'search_split_any',
    text: `select from records x where x.tenant_id = $1 and x.entity_id = $2 and ${isUnsplit} limit 1`,
    values,
  });
  if (unsplit.length === 0) return;
  let { model } = context;
  for (;;) {
    const statement = {
      text: `
        select ${recordColumns('x')} from records x
        where x.tenant_id = $1 and x.entity_id = $2 and x.id = any(array(select search_records($2, $3::text[]))) and ${isUnsplit}
        order by x.id limit ${batchSize} for no key update`,
      values: [...values, words],
    };
    const count = await splitBatch(storage.database, claims, model, entity.id, statement);
    if (count === null) model = await storage.load(claims);
    else if (count < batchSize) return;
  }
}

/** Writes the rows of the statement anew. Answers how many; null where the definitions changed or others were in the way. */
async function splitBatch(
  database: RecordDatabase,
  claims: Claims,
  model: TenantModel,
  entityId: string,
  statement: Statement,
): Promise<number | null> {
  const work = async (tx: TenantTransaction): Promise<number> => {
    const rows = await tx.query<RecordRow>(statement);
    const entity = model.allEntities.find(({ id }) => id === entityId);
    if (!entity || rows.length === 0) return 0;
    const scope = platformScope(tx, model);
    const records = rows.map((row) => toRecord(entityId, row));
    await updateRecords(scope, entity, records);
    await holdVersion(tx, model);
    return rows.length;
  };
  try {
    return await database.transaction(claims, work);
  } catch (error) {
    if (error instanceof Outdated || ['40P01', '40001'].includes((error as { code?: string }).code ?? ''))
      return null;
    throw error;
  }
}
