/** What the resolvers of this subgraph know of a request. */
import type { RequestContext } from '#subgraphs/server/request-context.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import type { DefinitionService } from './definitions/service.ts';
import type { FileService } from './files/service.ts';
import type { Loaders } from './loaders.ts';
import type { TransferService } from './transfer/service.ts';
import type { RecordStore, StoreContext } from './store/record-store.ts';

export interface EntitiesContext extends RequestContext {
  /**
   * The definitions that the request's graph was planned with, or the newest where they are gone. The schema holds no id,
   * slot or key: resolvers find them here by name. Without entities where the request has no tenant (rules refuse it).
   */
  readonly model: TenantModel;
  /** For reads. */
  readonly storeContext: StoreContext;
  readonly records: RecordStore;
  readonly definitions: DefinitionService;
  readonly loaders: Loaders;
  /** Null where this process keeps no files. */
  readonly transfers: TransferService | null;
  /** Null where this process keeps no files. */
  readonly files: FileService | null;
}

/** Of nobody: for requests without a tenant. */
export const emptyModel: TenantModel = {
  tenantId: '',
  version: 0,
  entities: [],
  allEntities: [],
  entityByName: new Map(),
  entityByType: new Map(),
  entityById: new Map(),
};
