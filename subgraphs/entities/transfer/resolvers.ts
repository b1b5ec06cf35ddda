/** Resolvers and rules of schema/transfers.graphql. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { transferContentPath } from '#schema/transfer-content.ts';
import { atLeastInTenant } from '#subgraphs/server/base-rules.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { ShieldRules } from '#subgraphs/server/shield.ts';
import type { EntityProposal } from './inference/propose-entity.ts';
import type { TransferService } from './service.ts';
import type { Transfer } from './transfer.ts';
import type { ImportOptionsInput, StartExportInput, StartImportInput } from './transfer-input.ts';

/** What the resolvers need of a request's context. */
export interface TransferContext {
  readonly claims: Claims;
  /** Null where this process keeps no files. */
  readonly transfers: TransferService | null;
}

function serviceOf({ transfers }: TransferContext): TransferService {
  if (transfers) return transfers;
  throw new DomainError('SUBGRAPH_UNAVAILABLE', 'Imports and exports are not served here');
}

export const transferResolvers = {
  Query: {
    transfer: async (_: unknown, { id }: { id: string }, context: TransferContext) => {
      const transfer = await serviceOf(context).find(context.claims, id);
      return transfer && toOutput(transfer);
    },

    async transfers(_: unknown, args: { first: number; after?: string | null }, context: TransferContext) {
      const after = args.after ?? null;
      const { transfers, hasMore } = await serviceOf(context).list(context.claims, {
        first: args.first,
        after,
      });
      const nodes = transfers.map(toOutput);
      const [start, end] = [nodes[0]?.id ?? null, nodes.at(-1)?.id ?? null];
      return {
        edges: nodes.map((node) => ({ cursor: node.id, node })),
        nodes,
        pageInfo: {
          hasNextPage: hasMore,
          hasPreviousPage: after !== null,
          startCursor: start,
          endCursor: end,
        },
      };
    },
  },

  TransferConnection: {
    totalCount: (_: unknown, _args: unknown, context: TransferContext) =>
      serviceOf(context).count(context.claims),
  },

  Transfer: {
    errors: (transfer: TransferOutput, { first }: { first: number }, context: TransferContext) =>
      serviceOf(context).errors(context.claims, transfer.source, first),
  },

  Mutation: {
    startImport: async (_: unknown, { input }: { input: StartImportInput }, context: TransferContext) =>
      toOutput(await serviceOf(context).startImport(context.claims, input)),
    startExport: async (_: unknown, { input }: { input: StartExportInput }, context: TransferContext) =>
      toOutput(await serviceOf(context).startExport(context.claims, input)),
    exportTenant: async (_: unknown, _args: unknown, context: TransferContext) =>
      toOutput(await serviceOf(context).startTenant(context.claims, 'EXPORT')),
    importTenant: async (_: unknown, _args: unknown, context: TransferContext) =>
      toOutput(await serviceOf(context).startTenant(context.claims, 'IMPORT')),
    resumeTransfer: async (
      _: unknown,
      { id, input }: { id: string; input?: ImportOptionsInput | null },
      context: TransferContext,
    ) => toOutput(await serviceOf(context).resume(context.claims, id, input ?? {})),
    stopTransfer: async (_: unknown, { id }: { id: string }, context: TransferContext) =>
      toOutput(await serviceOf(context).stop(context.claims, id)),
    proposeEntity: async (
      _: unknown,
      { transferId, name }: { transferId: string; name?: string | null },
      context: TransferContext,
    ) => toProposal(await serviceOf(context).propose(context.claims, transferId, name ?? null)),
  },

  Subscription: {
    transferProgress: {
      subscribe: (_: unknown, { id }: { id: string }, context: TransferContext) =>
        serviceOf(context).follow(context.claims, id),
      resolve: (transfer: Transfer) => toOutput(transfer),
    },
  },
} satisfies Resolvers;

const user = atLeastInTenant('USER');
const admin = atLeastInTenant('ADMIN');

/** Importing writes and exporting reads everything: both are for USER and up. Defining what was proposed is `createEntity`'s matter. */
export const transferRules = {
  Query: { transfer: user, transfers: user },
  Mutation: {
    ...{
      startImport: user,
      startExport: user,
      resumeTransfer: user,
      stopTransfer: user,
      proposeEntity: user,
    },
    ...{ exportTenant: admin, importTenant: admin },
  },
} as const satisfies ShieldRules;

type TransferOutput = ReturnType<typeof toOutput>;

/** Plain values only: compiled execution reads them as they are. */
function toOutput(transfer: Transfer) {
  const { counts, failure, actorKind, actorId } = transfer;
  return {
    source: transfer,
    ...{
      id: transfer.id,
      kind: transfer.kind,
      status: transfer.status,
      isWholeTenant: transfer.isWholeTenant,
    },
    ...{
      entity: transfer.entity,
      format: transfer.format,
      fileName: transfer.fileName,
      fileBytes: transfer.fileBytes,
    },
    contentPath: transferContentPath(transfer.id),
    isDryRun: transfer.settings.isDryRun === true,
    rowCount: transfer.rows,
    totalCount: transfer.totalCount,
    progress: progressOf(transfer),
    createdCount: counts.created,
    updatedCount: counts.updated,
    failedCount: counts.failed,
    errorCount: transfer.errorCount,
    ignoredColumns: transfer.ignoredColumns,
    failure: failure && { code: failure.code, message: failure.message },
    createdBy: actorKind === 'USER' && actorId !== null ? { __typename: 'User', id: actorId } : null,
    createdAt: transfer.createdAt,
    startedAt: transfer.startedAt,
    finishedAt: transfer.finishedAt,
  };
}

function progressOf({ kind, status, rows, totalCount, readBytes, fileBytes }: Transfer): number | null {
  if (status === 'DONE') return 1;
  const [done, all] = kind === 'EXPORT' ? [rows, totalCount] : [readBytes, fileBytes];
  return all === null || all === 0 ? null : Math.min(1, done / all);
}

function toProposal({ entity, columns, rows, isSample }: EntityProposal) {
  return {
    name: entity.name,
    pluralName: entity.pluralName ?? `${entity.name}s`,
    fields: (entity.fields ?? []).map((field) => ({
      name: field.name,
      label: field.label ?? null,
      type: field.type,
      isRequired: field.isRequired ?? false,
      isUnique: field.isUnique ?? false,
      options: field.options ?? null,
    })),
    columns: columns.map(({ column, field, dateFormat = null, nullTexts }) => ({
      ...{ column, field, dateFormat },
      nullTexts: nullTexts ?? [],
    })),
    rows,
    isSample,
  };
}
