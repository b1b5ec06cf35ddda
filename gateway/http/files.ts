/** `PUT|GET|HEAD /files/:id`: the content of FILE fields, streamed through. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FileLinkVerifier } from '#gateway/auth/file-links.ts';
import type { Claims } from '#schema/claims.ts';
import { fileLink, type FileContent, type FileFacts, filePath } from '#schema/file-content.ts';
import {
  addContentRoutes,
  bodyOf,
  type ContentRouteOptions,
  disposition,
  toStream,
} from './content-routes.ts';
import { readWantedPart } from './file-conditions.ts';
import { takesFiles } from './slow-requests.ts';

export interface FileRouteOptions extends ContentRouteOptions {
  readonly content: FileContent;
  readonly links: FileLinkVerifier;
}

/** What a browser may show by itself: types that hold no script. All else it saves. */
const inlineTypes: ReadonlySet<string> = new Set([
  ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'],
  ...['audio/mpeg', 'audio/ogg', 'audio/wav', 'audio/webm', 'audio/mp4', 'audio/flac'],
  ...['video/mp4', 'video/webm', 'video/ogg'],
  'text/plain',
]);

/** Whatever a file holds, and whatever a browser makes of it: no script runs, and nothing of our origin is reached. */
const fileSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox";

type FileRoute = { Params: { id: string }; Querystring: Record<string, unknown> };

/** Credentials as for /graphql, or a signed link. Refusals have a GraphQL error's form, with an HTTP status. */
export function addFileRoutes(app: FastifyInstance, options: FileRouteOptions): void {
  const { content, links } = options;
  addContentRoutes(app, options, ({ scope, claimsOf, refuse }) => {
    scope.put<FileRoute>(filePath(':id'), { config: takesFiles }, async (request, reply) => {
      try {
        const claims = await claimsOf(request);
        const { id } = request.params;
        return await content.put({ claims, fileId: id, requestId: request.id, body: bodyOf(request) });
      } catch (error) {
        return refuse(error, request, reply);
      }
    });

    async function serve(request: FastifyRequest<FileRoute>, reply: FastifyReply): Promise<FastifyReply> {
      const { id } = request.params;
      const link = request.query[fileLink.parameter];
      const isLink = typeof link === 'string';
      const claims: Claims = isLink ? await links.verify(link, id) : await claimsOf(request);
      const asked = { claims, fileId: id, requestId: request.id };
      const file = await content.find(asked);
      const etag = `"${file.sha256}"`;
      writeHeaders(reply, file, { etag, isLink, isSaved: 'download' in request.query });

      const part = readWantedPart(request.headers, etag, file.size);
      if (part.kind === 'SAME') return reply.code(304).send();
      if (part.kind === 'OUTSIDE') {
        return reply.code(416).header('content-range', `bytes */${file.size}`).send();
      }
      const range = part.kind === 'RANGE' ? part.range : null;
      if (range) {
        reply.code(206).header('content-range', `bytes ${range.first}-${range.last}/${file.size}`);
      }
      reply.type(file.contentType).header('content-length', range ? range.last - range.first + 1 : file.size);
      if (request.method === 'HEAD') return reply.send();
      return reply.send(toStream(await content.read({ ...asked, range })));
    }

    scope.route<FileRoute>({
      method: ['GET', 'HEAD'],
      url: filePath(':id'),
      handler: async (request, reply) =>
        serve(request, reply).catch((error) => refuse(error, request, reply)),
    });
  });
}

function writeHeaders(
  reply: FastifyReply,
  file: FileFacts,
  { etag, isLink, isSaved }: { etag: string; isLink: boolean; isSaved: boolean },
): void {
  const kind = inlineTypes.has(file.contentType) && !isSaved ? 'inline' : 'attachment';
  reply
    .header('etag', etag)
    .header('accept-ranges', 'bytes')
    .header('content-disposition', disposition(kind, file.name))
    .header('x-content-type-options', 'nosniff')
    .header('content-security-policy', fileSecurityPolicy)
    // Kept by the client, and asked for again each time: the rights may have gone.
    .header('cache-control', 'private, no-cache')
    // A link is made to be put into pages, which may be another site's; what a cookie opens is not.
    .header('cross-origin-resource-policy', isLink ? 'cross-origin' : 'same-site');
}
