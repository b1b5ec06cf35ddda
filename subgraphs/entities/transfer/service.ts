/** Imports and exports, as resolvers and the content's route use them. */
import type { Claims, Role } from '#schema/claims.ts';
import { DomainError, invalidField } from '#schema/errors.ts';
import type { TransferContent } from '#schema/transfer-content.ts';
import { assertTenantRole } from '#subgraphs/server/base-rules.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import type { WakeUp } from '#subgraphs/server/wake-up/wake-up.ts';
import { readId } from '#subgraphs/model/values/choice.ts';
import { exportSight, listedActor, mayUse } from './access.ts';
import { createContent } from './content.ts';
import { createExportColumns } from './export/export-columns.ts';
import { parseFilter } from '#subgraphs/model/filter/validate.ts';
import { modelAccess } from '#subgraphs/model/permissions/access.ts';
import { restrictFilter } from '#subgraphs/model/permissions/restricted-filter.ts';
import { readRows } from './formats/read-rows.ts';
import { createImportPlan } from './import/import-plan.ts';
import { type EntityProposal, nameFromFile, proposeEntity } from './inference/propose-entity.ts';
import type { TransferTools } from './run.ts';
import { createTransferRunner, type RunnerOptions, type TransferRunner } from './runner.ts';
import { startOldFileRemoval } from './old-files.ts';
import { followTransfer } from './progress.ts';
import type { RowError } from './import/row-error.ts';
import type { Transfer, TransferStore } from './transfer.ts';
import {
  formatOfName,
  type ImportOptionsInput,
  readExportSettings,
  readImportSettings,
  type StartExportInput,
  type StartImportInput,
} from './transfer-input.ts';

export interface TransferServiceOptions
  extends Pick<RunnerOptions, 'maxRunning' | 'leaseSeconds' | 'pollMs' | 'sliceMs'> {
  readonly store: TransferStore;
  readonly tools: TransferTools;
  readonly wakeUp: WakeUp;
  readonly logger: Logger;
  /** Default 1 GiB. */
  readonly maxUploadBytes?: number;
  /** Of all files of a tenant. Default 10 GiB. */
  readonly maxTenantBytes?: number;
}

/** The longest `transfers(first: …)`, and the errors of one. */
const maxPage = 1_000;

/** Every operation throws UNAUTHENTICATED, TENANT_REQUIRED or FORBIDDEN for who may not, NOT_FOUND where it changes what is not there. */
export interface TransferService extends AsyncDisposable {
  readonly content: TransferContent;
  readonly runner: TransferRunner;
  startImport(claims: Claims, input: StartImportInput): Promise<Transfer>;
  startExport(claims: Claims, input: StartExportInput): Promise<Transfer>;
  /** `kind` of a whole tenant: an import waits for its file. */
  startTenant(claims: Claims, kind: Transfer['kind']): Promise<Transfer>;
  resume(claims: Claims, id: string, input: ImportOptionsInput): Promise<Transfer>;
  stop(claims: Claims, id: string): Promise<Transfer>;
  propose(claims: Claims, id: string, name: string | null): Promise<EntityProposal>;
  find(claims: Claims, id: string): Promise<Transfer | null>;
  list(
    claims: Claims,
    request: { first: number; after: string | null },
  ): Promise<{ transfers: Transfer[]; hasMore: boolean }>;
  count(claims: Claims): Promise<number>;
  errors(claims: Claims, transfer: Transfer, first: number): Promise<RowError[]>;
  /** Now, and with each change until it is at an end. */
  follow(claims: Claims, id: string): Promise<AsyncIterableIterator<Transfer>>;
}

/** Disposing leaves running transfers to the next process. Dispose it before the database. */
export function createTransferService(options: TransferServiceOptions): TransferService {
  const { store, tools, wakeUp, logger, maxTenantBytes = 10 * 1024 ** 3 } = options;
  const runner = createTransferRunner({ ...options, store, tools, wakeUp, logger });
  const oldFiles = startOldFileRemoval({ store, files: tools.files, logger });

  async function find(claims: Claims, id: string): Promise<Transfer | null> {
    assertTenantRole(claims, 'USER');
    const known = readId(id);
    const transfer = known === null ? null : await store.find(claims, known);
    return transfer && mayUse(claims, transfer) ? transfer : null;
  }

  async function get(claims: Claims, id: string): Promise<Transfer> {
    const transfer = await find(claims, id);
    if (!transfer) throw new DomainError('NOT_FOUND', 'There is no such transfer');
    return transfer;
  }

  async function insert(
    claims: Claims,
    needed: Role,
    transfer: Pick<Transfer, 'kind' | 'entity' | 'format' | 'settings'> & {
      isWholeTenant?: boolean;
      fileName?: string | null;
      isRequested: boolean;
    },
  ): Promise<Transfer> {
    assertTenantRole(claims, needed);
    const made = await store.insert(claims, {
      id: crypto.randomUUID(),
      isWholeTenant: false,
      fileName: null,
      ...transfer,
    });
    announce(made);
    return made;
  }

  async function getRoom(claims: Claims): Promise<number> {
    const room = maxTenantBytes - (await store.usedBytes(claims));
    if (room > 0) return room;
    const message = `The files of imports and exports are more than ${maxTenantBytes} bytes; they go a week after their end`;
    throw new DomainError('QUOTA_EXCEEDED', message);
  }

  /** Followers see the change; what may run begins. */
  function announce(transfer: Transfer): void {
    wakeUp.publish(transfer.tenantId);
    const hasFile = transfer.kind === 'EXPORT' || transfer.fileId !== null;
    if (transfer.status === 'PENDING' && transfer.isRequested && hasFile)
      runner.wake(transfer.tenantId, transfer.id);
  }

  return {
    runner,
    content: createContent({
      store,
      files: tools.files,
      getModel: tools.getModel,
      get,
      announce,
      maxUploadBytes: options.maxUploadBytes ?? 1024 ** 3,
      getRoom,
    }),
    find,

    async startImport(claims, input) {
      assertTenantRole(claims, 'USER');
      const format = input.format ?? formatOfName(input.fileName);
      if (format === null) {
        throw invalidField(
          'format',
          'required',
          'format is required where the name of the file does not tell it',
        );
      }
      const settings = readImportSettings(input);
      const entity = input.entity ?? null;
      if (entity !== null) createImportPlan(await tools.getModel(claims), claims, entity, settings);
      const fileName = input.fileName?.slice(0, 255) ?? null;
      return insert(claims, 'USER', {
        kind: 'IMPORT',
        entity,
        format,
        settings,
        fileName,
        isRequested: entity !== null,
      });
    },

    async startExport(claims, input) {
      assertTenantRole(claims, 'USER');
      const settings = readExportSettings(input);
      const model = await tools.getModel(claims);
      const entity = model.entityByName.get(input.entity);
      if (!entity) throw new DomainError('NOT_FOUND', `There is no entity "${input.entity.slice(0, 80)}"`);
      await getRoom(claims);
      const access = modelAccess(model, claims);
      access.of(entity).assertAllows('READ');
      createExportColumns(model, entity, { ...settings, format: input.format, access });
      restrictFilter(access, entity, parseFilter(model, entity, settings.filter));
      return insert(claims, 'USER', {
        kind: 'EXPORT',
        entity: entity.name,
        format: input.format,
        settings: { ...settings, sight: exportSight(model, claims) },
        isRequested: true,
      });
    },

    async startTenant(claims, kind) {
      assertTenantRole(claims, 'ADMIN');
      await getRoom(claims);
      return insert(claims, 'ADMIN', {
        kind,
        entity: null,
        format: 'NDJSON',
        settings: {},
        isWholeTenant: true,
        isRequested: true,
      });
    },

    async resume(claims, id, input) {
      const transfer = await get(claims, id);
      const change = await readResumption(claims, transfer, input);
      const resumed = await store.request(claims, transfer, change);
      if (!resumed)
        throw new DomainError('CONFLICT', 'The transfer changed at the same time: look at it, and try again');
      announce(resumed);
      return resumed;
    },

    async stop(claims, id) {
      const transfer = await get(claims, id);
      const stopped = await store.stop(claims, transfer.id);
      if (!stopped)
        throw new DomainError('CONFLICT', `The transfer is at its end already: ${transfer.status}`);
      announce(stopped);
      return stopped;
    },

    async propose(claims, id, name) {
      const transfer = await get(claims, id);
      if (transfer.kind !== 'IMPORT' || transfer.isWholeTenant) {
        throw new DomainError('CONFLICT', 'An entity is proposed from the file of an import');
      }
      const file =
        transfer.fileId === null ? null : await tools.files.read(transfer.tenantId, transfer.fileId);
      if (!file) throw new DomainError('CONFLICT', 'The transfer has no file yet: upload it first');
      const model = await tools.getModel(claims);
      return proposeEntity(
        readRows(file.content, { format: transfer.format, delimiter: transfer.settings.delimiter ?? null }),
        {
          name: name ?? nameFromFile(transfer.fileName),
          existing: model.entities,
          isTextOnly: transfer.format === 'CSV',
        },
      );
    },

    async list(claims, { first, after }) {
      assertTenantRole(claims, 'USER');
      requirePage(first);
      const before = after === null ? null : await find(claims, after);
      if (after !== null && !before) throw invalidField('after', 'cursor', 'after is no cursor of this list');
      const found = await store.list(claims, { first: first + 1, before, actorId: listedActor(claims) });
      return { transfers: found.slice(0, first), hasMore: found.length > first };
    },

    async count(claims) {
      assertTenantRole(claims, 'USER');
      return store.count(claims, listedActor(claims));
    },

    async errors(claims, transfer, first) {
      requirePage(first);
      return store.listErrors(claims, transfer.id, first);
    },

    async follow(claims, id) {
      const transfer = await get(claims, id);
      return followTransfer({ transfer, read: () => find(claims, transfer.id), wakeUp });
    },

    async [Symbol.asyncDispose]() {
      await oldFiles[Symbol.asyncDispose]();
      await runner[Symbol.asyncDispose]();
    },
  };

  async function readResumption(
    claims: Claims,
    transfer: Transfer,
    input: ImportOptionsInput,
  ): Promise<Parameters<TransferStore['request']>[2]> {
    const isFinishedDryRun = transfer.status === 'DONE' && transfer.settings.isDryRun === true;
    if (transfer.status === 'RUNNING' || (transfer.status === 'DONE' && !isFinishedDryRun)) {
      throw new DomainError('CONFLICT', `The transfer cannot be resumed: it is ${transfer.status}`);
    }
    if (transfer.kind === 'EXPORT' || transfer.isWholeTenant) {
      if (Object.keys(input).length > 0)
        throw invalidField('input', 'kind', 'input is for the import of an entity');
      const startsOver = transfer.kind === 'EXPORT';
      // An export is of what its reader may see when it begins.
      const sight = startsOver ? { sight: exportSight(await tools.getModel(claims), claims) } : {};
      return { entity: transfer.entity, settings: { ...transfer.settings, ...sight }, startsOver };
    }
    if (transfer.fileId === null)
      throw new DomainError('CONFLICT', 'The transfer has no file: upload it first');
    const settings = readImportSettings(
      isFinishedDryRun ? { dryRun: false, ...input } : input,
      transfer.settings,
    );
    const entity = input.entity ?? transfer.entity;
    if (entity === null) throw invalidField('entity', 'required', 'entity is required: where the rows go');
    createImportPlan(await tools.getModel(claims), claims, entity, settings);
    const startsOver = isFinishedDryRun || transfer.settings.isDryRun === true;
    if (!startsOver && transfer.rows > 0) refuseNewCourse(transfer, entity, settings);
    return { entity, settings, startsOver };
  }
}

/** Rows are written: the rest goes the same way. Mappings may be mended. */
function refuseNewCourse(transfer: Transfer, entity: string, settings: Transfer['settings']): void {
  const before = { ...transfer.settings, entity: transfer.entity };
  for (const member of ['entity', 'mode', 'upsertOn', 'delimiter', 'isDryRun'] as const) {
    const now = member === 'entity' ? entity : settings[member];
    if (now !== before[member]) {
      throw new DomainError(
        'CONFLICT',
        `${transfer.rows} rows are imported already: ${member} cannot change any more`,
      );
    }
  }
}

function requirePage(first: number): void {
  if (Number.isInteger(first) && first >= 1 && first <= maxPage) return;
  throw invalidField('first', 'range', `first must be from 1 to ${maxPage}, not ${first}`);
}
