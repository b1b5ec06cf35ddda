/** The entities subgraph: definitions, and the typed API that they generate. */
import type { Claims } from '#schema/claims.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { requestContextOf } from '#subgraphs/server/request-context.ts';
import { createSubgraphService } from '#subgraphs/server/subgraph-service.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { withNewestPermissions } from '#subgraphs/model/permissions/newest-permissions.ts';
import { rolesThatTellPeopleApart } from '#subgraphs/model/permissions/access.ts';
import { type AnswerBudget, createAnswerBudgets } from './answer-budget.ts';
import { type EntitiesContext, emptyModel } from './context.ts';
import { createDefinitionService, type DefinitionService } from './definitions/service.ts';
import { createFileService, type FileService, type FileServiceOptions } from './files/service.ts';
import { createLoaders } from './loaders.ts';
import { createEntitiesSchemas } from './schema-builder/entities-schemas.ts';
import type { DefinitionStore } from './store/definition-store.ts';
import type { RecordStore, StoreContext } from './store/record-store.ts';
import type { TransferTools } from './transfer/run.ts';
import { createTransferService, type TransferService } from './transfer/service.ts';
import type { TransferStore } from './transfer/transfer.ts';

export interface EntitiesServiceOptions {
  records: RecordStore;
  definitions: DefinitionStore;
  logger: Logger;
  wakeUp: WakeUp;
  /** Absent: imports and exports are not served. */
  transfers?: TransferParts;
  /** Absent: no content of FILE fields is served, nor taken. */
  files?: FileParts;
}

/** What FILE fields need of their own. */
export type FileParts = Pick<FileServiceOptions, 'fileRecords' | 'store' | 'secret' | 'limits'>;

/** What imports and exports need of their own. */
export interface TransferParts extends Pick<TransferTools, 'files' | 'known' | 'people'> {
  readonly store: TransferStore;
}

export interface EntitiesService extends SubgraphService, AsyncDisposable {
  /** For what runs beside requests: demo data, tests. */
  readonly definitions: DefinitionService;
  readonly transfers: TransferService | null;
  readonly files: FileService | null;
}

/**
 * Dispose before the database is closed: what deleted definitions left behind is being cleared in the background. PUBLIC
 * callers get no part of it, PLATFORM (an operator without a tenant) the static part.
 */
export function createEntitiesService({
  records,
  definitions: store,
  logger,
  wakeUp,
  transfers: transferParts,
  files: fileParts,
}: EntitiesServiceOptions): EntitiesService {
  const definitions = createDefinitionService({ store, wakeUp, logger });
  const schemas = createEntitiesSchemas();
  const budgetOf = createAnswerBudgets();
  const getModel = (claims: Claims): Promise<TenantModel> => definitions.models.get(claims, null);
  const files = fileParts ? createFileService({ ...fileParts, records, getModel, logger }) : null;
  const transfers = transferParts ? startTransfers(transferParts) : null;

  function startTransfers({ store: transferStore, ...parts }: TransferParts): TransferService {
    const tools = { ...parts, records, definitions, getModel, tenantFiles: files?.tenantFiles ?? null };
    const service = createTransferService({ store: transferStore, tools, wakeUp, logger });
    service.runner.start();
    return service;
  }

  // Schema and context of a request must be of one model, also when another is loaded in between.
  const models = new WeakMap<SubgraphRequest, Promise<TenantModel>>();

  function modelOf(request: SubgraphRequest): Promise<TenantModel> {
    let model = models.get(request);
    if (!model) {
      model = loadModel(request);
      models.set(request, model);
    }
    return model;
  }

  async function heldToNewest(claims: Claims, model: TenantModel): Promise<TenantModel> {
    return claims.tenantId === null
      ? model
      : withNewestPermissions(model, await definitions.models.get(claims, null));
  }

  async function loadModel({ claims, definitionsVersion }: SubgraphRequest): Promise<TenantModel> {
    if (claims.tenantId === null) return emptyModel;
    if (definitionsVersion === null) return definitions.models.get(claims, null);
    return definitions.models.getExact(claims, definitionsVersion);
  }

  const service = createSubgraphService<EntitiesContext>({
    name: 'entities',
    logger,

    async getSdl({ audience, tenantId, version }) {
      if (audience === 'PUBLIC') return { sdl: null, version: null };
      if (audience === 'PLATFORM' || tenantId === null)
        return { sdl: schemas.getSdl(emptyModel), version: null };
      const model = await definitions.models.get(
        { tenantId, actorKind: 'GATEWAY', actorId: null, role: null, authVersion: 0, sessionId: null },
        version,
      );
      return {
        sdl: schemas.getSdl(model),
        version: model.version,
        // A transfer is told to whoever started it.
        perUser: { roles: rolesThatTellPeopleApart(model), subscriptions: ['transferProgress'] },
      };
    },

    getSchema: async (request) => schemas.getSchema(await modelOf(request)),

    async createContext(request) {
      const model = await heldToNewest(request.claims, await modelOf(request));
      const storeContext: StoreContext = { claims: request.claims, model, requestId: request.requestId };
      const budget = budgetOf(request.query);
      return {
        ...requestContextOf(request),
        model,
        storeContext,
        records: meterLists(records, budget),
        definitions,
        loaders: createLoaders(records, storeContext, budget),
        transfers,
        files,
      };
    },
  });

  return {
    ...service,
    definitions,
    transfers,
    files,
    async [Symbol.asyncDispose]() {
      await transfers?.[Symbol.asyncDispose]();
      await files?.[Symbol.asyncDispose]();
      await definitions[Symbol.asyncDispose]();
    },
  };
}

/** The loaders count for themselves. */
function meterLists(records: RecordStore, budget: AnswerBudget): RecordStore {
  return {
    ...records,
    async list(context, request) {
      const page = await records.list(context, request);
      budget.spend(page.edges.length);
      return page;
    },
  };
}
