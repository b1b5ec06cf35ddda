/** `GET|PUT /internal/files/:id` and its content: a file's way between processes, with the caller's signed claims. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import {
  type ByteRange,
  type FileContent,
  internalFileBytesPath,
  internalFilePath,
} from '#schema/file-content.ts';

type FileRoute = { Params: { id: string } };

/** `claimsOf` throws for a request without good claims; the server's own error handler answers. */
export function addFileRoutes(
  app: FastifyInstance,
  content: FileContent,
  claimsOf: (request: FastifyRequest) => Promise<Claims>,
): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    const requestOf = async (request: FastifyRequest<FileRoute>) => ({
      claims: await claimsOf(request),
      fileId: request.params.id,
      requestId: request.id,
    });

    scope.put<FileRoute>(internalFilePath(':id'), async (request) =>
      content.put({
        ...(await requestOf(request)),
        body: request.body instanceof Readable ? request.body : Readable.from([]),
      }),
    );
    scope.get<FileRoute>(internalFilePath(':id'), async (request) => content.find(await requestOf(request)));
    scope.get<FileRoute>(internalFileBytesPath(':id'), async (request, reply) => {
      const range = readRange(request.headers.range);
      const bytes = await content.read({ ...(await requestOf(request)), range });
      reply.type('application/octet-stream');
      return reply.send(bytes instanceof Readable ? bytes : Readable.from(bytes, { objectMode: false }));
    });
  });
}

/** As the gateway writes it; what clients may write is the gateway's to read. */
function readRange(header: string | undefined): ByteRange | null {
  if (header === undefined) return null;
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (first === undefined || last === undefined) throw new DomainError('BAD_USER_INPUT', 'No such range');
  return { first: Number(first), last: Number(last) };
}
