/** What a request of this subgraph carries beside the common part. */
import DataLoader from 'dataloader';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import { type RequestContext, requestContextOf } from '#subgraphs/server/request-context.ts';
import type { UserRow } from './store/rows.ts';
import type { UserRows } from './store/user-rows.ts';
import { isUuid } from './uuid.ts';

export interface TenantsContext extends RequestContext {
  /** Users of the caller's tenant by id; null for unknown, deleted and foreign ones. One statement for all that a request asks. */
  readonly users: { load(id: string): Promise<UserRow | null> };
}

export function createTenantsContext(request: SubgraphRequest, rows: UserRows): TenantsContext {
  const { claims } = request;
  const loader = new DataLoader<string, UserRow | null>((ids) => rows.findMany(claims, ids), {
    maxBatchSize: 1_000,
  });
  return {
    ...requestContextOf(request),
    users: { load: (id) => (isUuid(id) ? loader.load(id.toLowerCase()) : Promise.resolve(null)) },
  };
}
