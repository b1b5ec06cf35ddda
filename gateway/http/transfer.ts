/** `PUT|GET /transfers/:id/content`: the files of imports and exports, streamed through. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { fileNameHeader, transferContentPath, type TransferContent } from '#schema/transfer-content.ts';
import {
  addContentRoutes,
  bodyOf,
  type ContentRouteOptions,
  disposition,
  toStream,
} from './content-routes.ts';
import { takesFiles } from './slow-requests.ts';

export interface TransferRouteOptions extends ContentRouteOptions {
  readonly content: TransferContent;
}

type ContentRoute = { Params: { id: string } };

/** Credentials as for /graphql. Refusals have a GraphQL error's form, with an HTTP status. */
export function addTransferRoutes(app: FastifyInstance, options: TransferRouteOptions): void {
  const { content } = options;
  addContentRoutes(app, options, ({ scope, claimsOf, refuse }) => {
    scope.put<ContentRoute>(transferContentPath(':id'), { config: takesFiles }, async (request, reply) => {
      try {
        const claims = await claimsOf(request);
        const { id } = request.params;
        const [body, fileName] = [bodyOf(request), fileNameOf(request)];
        return await content.put({ claims, transferId: id, requestId: request.id, body, fileName });
      } catch (error) {
        return refuse(error, request, reply);
      }
    });

    scope.get<ContentRoute>(transferContentPath(':id'), async (request, reply) => {
      try {
        const claims = await claimsOf(request);
        const { id } = request.params;
        const file = await content.get({ claims, transferId: id, requestId: request.id });
        // Never shown in a page of ours: a tenant's file may be HTML at heart.
        reply
          .type(file.contentType)
          .header('content-length', file.bytes)
          .header('content-disposition', disposition('attachment', file.fileName))
          .header('x-content-type-options', 'nosniff')
          .header('cache-control', 'private, no-store');
        return reply.send(toStream(file.body));
      } catch (error) {
        return refuse(error, request, reply);
      }
    });
  });
}

function fileNameOf(request: FastifyRequest): string | null {
  const header = request.headers[fileNameHeader];
  if (typeof header !== 'string') return null;
  try {
    return decodeURIComponent(header);
  } catch {
    return header;
  }
}
