/** What the routes have in common whose bodies are files: credentials, streamed bodies, refusals. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import { readCredentials, type CredentialRules } from '#gateway/auth/credentials.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { drainRequest } from './drain-request.ts';
import { errorBody, statusOf } from './error-status.ts';

export interface ContentRouteOptions {
  readonly authenticator: Authenticator;
  readonly credentialRules: CredentialRules;
}

export interface ContentRoutes {
  /** The server for these routes alone: a body is passed on as it comes, and nothing of it is kept. */
  readonly scope: FastifyInstance;
  /** As for /graphql; UNAUTHENTICATED for nobody. */
  claimsOf(request: FastifyRequest): Promise<Claims>;
  /** Answers a DomainError in a GraphQL error's form, with an HTTP status. Throws every other error. */
  refuse(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
}

/** Beside those of every route: what a client does differently about each. */
const statuses: Readonly<Record<string, number>> = { NOT_FOUND: 404, CONFLICT: 409, TENANT_REQUIRED: 400 };

export function addContentRoutes(
  app: FastifyInstance,
  { authenticator, credentialRules }: ContentRouteOptions,
  add: (routes: ContentRoutes) => void,
): void {
  async function claimsOf(request: FastifyRequest): Promise<Claims> {
    const { claims } = await authenticator.authenticate(readCredentials(request, credentialRules));
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
    // Whatever it says it is: the body is the file.
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    add({ scope, claimsOf, refuse });
  });
}

export function bodyOf(request: FastifyRequest): AsyncIterable<Uint8Array> {
  return request.body instanceof Readable ? request.body : Readable.from([]);
}

/** A stream that fastify ends with its connection. */
export function toStream(bytes: AsyncIterable<Uint8Array>): Readable {
  return bytes instanceof Readable ? bytes : Readable.from(bytes, { objectMode: false });
}

/** `attachment` or `inline`, with the name as RFC 5987 writes it: what a header may hold as it is, the rest in percents. */
export function disposition(kind: 'attachment' | 'inline', name: string): string {
  const encoded = encodeURIComponent(name.toWellFormed()).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return `${kind}; filename*=UTF-8''${encoded}`;
}
