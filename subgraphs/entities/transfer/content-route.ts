/** `PUT|GET /internal/transfers/:id/content`: the content's way between processes, with the caller's signed claims. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Claims } from '#schema/claims.ts';
import { fileNameHeader, internalContentPath, type TransferContent } from '#schema/transfer-content.ts';

type ContentRoute = { Params: { id: string } };

/** `claimsOf` throws for a request without good claims; the server's own error handler answers. */
export function addContentRoute(
  app: FastifyInstance,
  content: TransferContent,
  claimsOf: (request: FastifyRequest) => Promise<Claims>,
): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scope.put<ContentRoute>(internalContentPath(':id'), async (request) => {
      const claims = await claimsOf(request);
      const name = request.headers[fileNameHeader];
      return content.put({
        claims,
        transferId: request.params.id,
        requestId: request.id,
        body: request.body instanceof Readable ? request.body : Readable.from([]),
        fileName: typeof name === 'string' ? decodeURIComponent(name) : null,
      });
    });

    scope.get<ContentRoute>(internalContentPath(':id'), async (request, reply) => {
      const claims = await claimsOf(request);
      const file = await content.get({ claims, transferId: request.params.id, requestId: request.id });
      reply
        .type(file.contentType)
        .header('content-length', file.bytes)
        .header(fileNameHeader, encodeURIComponent(file.fileName));
      return reply.send(Readable.from(file.body, { objectMode: false }));
    });
  });
}
