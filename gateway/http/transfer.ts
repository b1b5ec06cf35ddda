/** `PUT|GET /transfers/:id/content`: the files of imports and exports, streamed through. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import { readCredentials, type CredentialRules } from '#gateway/auth/credentials.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { fileNameHeader, transferContentPath, type TransferContent } from '#schema/transfer-content.ts';
import { drainRequest } from './drain-request.ts';
import { errorBody, statusOf } from './error-status.ts';
import { takesFiles } from './slow-requests.ts';

export interface TransferRouteOptions {
  readonly content: TransferContent;
  readonly authenticator: Authenticator;
  readonly credentialRules: CredentialRules;
}

/** Beside those of every route: what a client does differently about each. */
const statuses: Readonly<Record<string, number>> = { NOT_FOUND: 404, CONFLICT: 409, TENANT_REQUIRED: 400 };

type ContentRoute = { Params: { id: string } };

/** Credentials as for /graphql. Refusals have a GraphQL error's form, with an HTTP status. */
export function addTransferRoutes(app: FastifyInstance, options: TransferRouteOptions): void {
  const { content } = options;

  async function claimsOf(request: FastifyRequest): Promise<Claims> {
    const credentials = readCredentials(request, options.credentialRules);
    const { claims } = await options.authenticator.authenticate(credentials);
    if (claims.actorKind === 'ANONYMOUS') throw new DomainError('UNAUTHENTICATED', 'Sign in first.');
    return claims;
  }

  async function refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (!(error instanceof DomainError)) throw error;
    // Whoever is still sending reads no answer before it is done.
    await drainRequest(request.raw);
    const isTooLarge = error.fields?.some((field) => field.rule === 'size') ?? false;
    const status = isTooLarge ? 413 : (statuses[error.code] ?? statusOf(error.code));
    if (status === 401) reply.header('www-authenticate', 'Bearer realm="tenantry"');
    return reply.code(status).type('application/json').send(errorBody(error.message, error.code));
  }

  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Whatever it says it is: the body is the file, and nothing of it is kept here.
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

    scope.put<ContentRoute>(transferContentPath(':id'), { config: takesFiles }, async (request, reply) => {
      try {
        const claims = await claimsOf(request);
        const { id } = request.params;
        const body = request.body instanceof Readable ? request.body : Readable.from([]);
        const fileName = fileNameOf(request);
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
          .header('content-disposition', `attachment; filename*=UTF-8''${encodeName(file.fileName)}`)
          .header('x-content-type-options', 'nosniff')
          .header('cache-control', 'private, no-store');
        return reply.send(Readable.from(file.body, { objectMode: false }));
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

/** RFC 5987: what a header's value may hold as it is, the rest in percents. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
}
