import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import type { AccessTokens } from '#gateway/auth/access-tokens.ts';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import { readCredentials, type CredentialRules } from '#gateway/auth/credentials.ts';
import type { ExtraReport } from '#gateway/graph/extras/extras.ts';
import type { GraphStore } from '#gateway/graph/graph-store.ts';
import type { GraphRegistry } from '#gateway/graph/registry.ts';
import { DomainError } from '#schema/errors.ts';
import { errorBody, statusOf } from './error-status.ts';

export interface PagesOptions {
  readonly authenticator: Authenticator;
  readonly credentialRules: CredentialRules;
  readonly tokens: Pick<AccessTokens, 'getJwks'>;
  readonly registry: GraphRegistry;
  readonly store: GraphStore;
  /** Whether `/schema.graphql` is given out. */
  readonly introspection: boolean;
  /** What `/graphiql` serves; null: no such page. */
  readonly graphiqlFolder: string | null;
  /** Whether requests can be served now. */
  readonly isReady: () => boolean;
  /** Of subgraphs that are not ours: none of them decides whether this is ready. */
  readonly reportExtras: () => readonly ExtraReport[];
}

/** Everything beside `/graphql`. */
export async function addPages(app: FastifyInstance, options: PagesOptions): Promise<void> {
  const { authenticator, credentialRules, tokens, registry, store } = options;

  app.get('/healthz', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const extraSubgraphs = options.reportExtras();
    const details = extraSubgraphs.length > 0 ? { extraSubgraphs } : {};
    return options.isReady()
      ? { status: 'ready', ...details }
      : reply.code(503).send({ status: 'not ready', ...details });
  });
  app.get('/.well-known/jwks.json', async (_request, reply) => {
    const jwks = await tokens.getJwks();
    return reply.header('cache-control', 'public, max-age=60').send(jwks);
  });

  app.get('/schema.graphql', async (request, reply) => {
    if (!options.introspection) return reply.callNotFound();
    try {
      const caller = await authenticator.authenticate(readCredentials(request, credentialRules));
      const active = await registry.getActive(caller.scope);
      const etag = `"${active.hash}"`;
      reply
        .header('etag', etag)
        .header('vary', 'authorization, x-tenant-id, cookie')
        .header('cache-control', 'private, no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304).send();
      const sdl =
        (await store.findApiSdl(active.hash)) ?? (await registry.load(caller.scope, active)).graph.apiSdl;
      return reply.type('text/plain; charset=utf-8').send(sdl);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      return reply
        .code(statusOf(error.code))
        .type('application/json')
        .send(errorBody(error.message, error.code));
    }
  });

  if (options.graphiqlFolder !== null) {
    await app.register(fastifyStatic, {
      root: options.graphiqlFolder,
      prefix: '/graphiql/',
      redirect: false,
    });
    app.get('/graphiql', async (_request, reply) => reply.sendFile('index.html'));
  }
}
