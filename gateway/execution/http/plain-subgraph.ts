import type { ExecutionResult } from 'graphql';
import { anonymousClaims, gatewayClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { ClaimsSigner } from './claims-signer.ts';
import { toHeaders } from './request-headers.ts';
import { isResult } from './result.ts';
import { shareReads } from './shared-reads.ts';
import { createIdentitySockets } from './identity-sockets.ts';
import { createSubgraphSocket } from './subgraph-socket.ts';
import { createTransport, parseJson, type TransportAnswer, type TransportOptions } from './transport.ts';

export interface PlainSubgraphOptions extends Omit<TransportOptions, 'signer'> {
  /** With one, the subgraph is told who asks by signed claims. Default null. */
  readonly signer?: ClaimsSigner | null;
  /** Whether equal reads under way share one call. Default false. */
  readonly shareReads?: boolean;
}

/**
 * Any GraphQL server as a subgraph: POST to exactly its URL, subscriptions over graphql-transport-ws at the same one. It
 * gets the allowed headers of the client's request, over a socket as `connection_init`; so each subscription has its own.
 */
export function createPlainSubgraph(options: PlainSubgraphOptions): SubgraphService & AsyncDisposable {
  const { name, signer = null } = options;
  const { origin, pathname, search } = new URL(options.url);
  const path = `${pathname}${search}`;
  const transport = createTransport({ ...options, signer, url: origin });
  const sockets = createIdentitySockets(({ claims, headers = {} }) =>
    createSubgraphSocket({ ...options, url: origin, path, signer, claims, connectionParams: headers }),
  );

  const call = (request: SubgraphRequest): Promise<TransportAnswer> => {
    const { query, operationName, variables, claims, signal } = request;
    return transport.request({
      method: 'POST',
      path,
      claims,
      headers: { ...(signer ? toHeaders(request) : {}), ...request.headers },
      body: JSON.stringify({ query, operationName, variables }),
      idempotent: !/^\s*mutation\b/.test(query),
      signal,
    });
  };

  const read = ({ status, text }: TransportAnswer): ExecutionResult => {
    const body = parseJson(text);
    if (isResult(body)) return body;
    throw new DomainError(
      'SUBGRAPH_UNAVAILABLE',
      `The subgraph "${name}" gave no GraphQL answer (HTTP ${status}).`,
    );
  };

  return {
    name,
    isRemote: true,
    /** By the federation's own query; rejects where the answer is none. */
    async getSdl() {
      const { status, text } = await transport.request({
        method: 'POST',
        path,
        claims: signer ? gatewayClaims : anonymousClaims,
        body: JSON.stringify({ query: '{ _service { sdl } }' }),
        idempotent: true,
      });
      const body = parseJson(text);
      const sdl = isResult(body) ? (body.data?.['_service'] as { sdl?: unknown } | null)?.sdl : undefined;
      if (typeof sdl === 'string' && sdl.trim() !== '') return { sdl, version: null };
      throw new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" gives no SDL (HTTP ${status}).`);
    },
    execute: options.shareReads ? shareReads(call, read) : async (request) => read(await call(request)),
    subscribe: (request) => sockets.subscribe(request),
    async [Symbol.asyncDispose]() {
      await sockets[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}
