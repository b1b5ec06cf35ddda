/** Resolvers and rules of schema/files.graphql. */
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { filePath } from '#schema/file-content.ts';
import { atLeastInTenant } from '#subgraphs/server/base-rules.ts';
import type { Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { ShieldRules } from '#subgraphs/server/shield.ts';
import type { CreateUploadInput, FileService } from './service.ts';

/** What the resolvers need of a request's context. */
export interface FileContext {
  readonly claims: Claims;
  /** Null where this process keeps no files. */
  readonly files: FileService | null;
}

function serviceOf({ files }: FileContext): FileService {
  if (files) return files;
  throw new DomainError('SUBGRAPH_UNAVAILABLE', 'Files are not served here');
}

export const fileResolvers = {
  File: {
    signedUrl: ({ id }: { id: string }, { expiresIn }: { expiresIn: number }, context: FileContext) =>
      serviceOf(context).links.sign(context.claims, id, expiresIn),
  },
  Mutation: {
    async createUpload(_: unknown, { input }: { input: CreateUploadInput }, context: FileContext) {
      const { id, maxBytes, expiresAt } = await serviceOf(context).createUpload(context.claims, input);
      return { id, maxBytes, expiresAt, uploadUrl: filePath(id) };
    },
  },
} satisfies Resolvers;

export const fileRules: ShieldRules = { Mutation: { createUpload: atLeastInTenant('USER') } };
