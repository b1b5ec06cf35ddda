import { HeaderMap } from '@apollo/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import { readCredentials, type CredentialRules } from '#gateway/auth/credentials.ts';
import { pickHeaders } from '#gateway/execution/http/forwarded-headers.ts';
import { DomainError } from '#schema/errors.ts';
import type { ApolloHost, RequestContext } from './apollo-host.ts';
import { toHttpError } from './error-status.ts';

export interface GraphQLRouteOptions {
  readonly host: ApolloHost;
  readonly authenticator: Authenticator;
  readonly credentialRules: CredentialRules;
  /** Names of the headers that are passed on to subgraphs that are not ours. Default: none. */
  readonly forwardHeaders?: readonly string[];
  /** Where a browser that opens the path is sent; null: nowhere. Default "/graphiql". */
  readonly page?: string | null;
}

/** `POST|GET /graphql`. Other methods answer 405; a browser that opens it without a query is sent to the IDE. */
export function addGraphQLRoute(app: FastifyInstance, options: GraphQLRouteOptions): void {
  const { host, authenticator, credentialRules, forwardHeaders = [], page = '/graphiql' } = options;

  async function createContext(
    request: FastifyRequest,
    signal: AbortSignal,
    outcome: RequestContext['outcome'],
  ): Promise<RequestContext> {
    try {
      const caller = await authenticator.authenticate(readCredentials(request, credentialRules));
      const headers = pickHeaders(forwardHeaders, [request.headers], request.id);
      return { caller, call: { requestId: request.id, clientAddress: request.ip, headers, signal }, outcome };
    } catch (error) {
      throw error instanceof DomainError ? toHttpError(error) : error;
    }
  }

  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/graphql',
    async handler(request, reply) {
      if (page !== null && wantsPage(request)) return reply.redirect(page);
      const mark = request.url.indexOf('?');
      const outcome = { wellFormed: false };
      const answer = await host.handle(
        {
          method: request.method,
          headers: toHeaderMap(request),
          search: mark < 0 ? '' : request.url.slice(mark),
          body: request.body,
        },
        () => createContext(request, abortWhenGone(reply), outcome),
      );
      const status = answer.status ?? 200;
      // Who reads application/json cannot tell our 400 from a proxy's: there GraphQL's own refusals are 200.
      const hidden = status === 400 && outcome.wellFormed && isPlainJson(answer.headers.get('content-type'));
      reply.code(hidden ? 200 : status);
      if (answer.status === 401) reply.header('www-authenticate', 'Bearer realm="tenantry"');
      for (const [name, value] of answer.headers) reply.header(name, value);
      return answer.body.kind === 'complete' ? reply.send(answer.body.string) : reply.code(406).send();
    },
  });
}

function isPlainJson(contentType: string | undefined): boolean {
  return contentType?.startsWith('application/json') === true;
}

function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' || request.url.includes('query=')) return false;
  return /^text\/html\b/.test(request.headers.accept ?? '');
}

/** What Apollo Server looks at; all else is read from the request itself. */
function toHeaderMap({ headers: { accept, 'content-type': contentType } }: FastifyRequest): HeaderMap {
  const headers = new HeaderMap();
  if (accept !== undefined) headers.set('accept', accept);
  if (contentType !== undefined) headers.set('content-type', contentType);
  return headers;
}

/** Aborts when the client hangs up before it has its answer. */
function abortWhenGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort();
  });
  return controller.signal;
}
