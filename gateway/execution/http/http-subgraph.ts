import type { ExecutionResult } from 'graphql';
import { gatewayClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import {
  type IdentityAnswer,
  type IdentityService,
  type SdlAnswer,
  type SubgraphRequest,
  type SubgraphService,
  type VersionsAnswer,
} from '#schema/subgraph-protocol.ts';
import type { ClaimsSigner } from './claims-signer.ts';
import { toHeaders } from './request-headers.ts';
import { isResult } from './result.ts';
import { shareReads } from './shared-reads.ts';
import { createSubgraphSocket } from './subgraph-socket.ts';
import {
  createTransport,
  parseJson,
  type Transport,
  type TransportAnswer,
  type TransportOptions,
} from './transport.ts';

export interface HttpSubgraphOptions extends TransportOptions {
  readonly signer: ClaimsSigner;
  /** Whether equal reads under way share one call. Default false. */
  readonly shareReads?: boolean;
}

/** A subgraph that another process serves. Failures to reach it are thrown with their code; `callSubgraph` answers them. */
export function createHttpSubgraph(options: HttpSubgraphOptions): SubgraphService & AsyncDisposable {
  const transport = createTransport(options);
  const socket = createSubgraphSocket(options);
  const { name } = options;

  const call = (request: SubgraphRequest): Promise<TransportAnswer> => {
    const { query, operationName, variables, claims, signal } = request;
    return transport.request({
      method: 'POST',
      path: '/graphql',
      claims,
      headers: toHeaders(request),
      body: JSON.stringify({ query, operationName, variables }),
      idempotent: !/^\s*mutation\b/.test(query),
      signal,
    });
  };

  const read = ({ status, text }: TransportAnswer): ExecutionResult => {
    // It does not believe our signature: not the caller's fault, and not to be told as such.
    if (status === 401)
      throw new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" refuses the gateway.`);
    const body = parseJson(text);
    if (!isResult(body)) {
      throw new DomainError(
        'SUBGRAPH_UNAVAILABLE',
        `The subgraph "${name}" gave no GraphQL answer (HTTP ${status}).`,
      );
    }
    return body;
  };

  return {
    name,
    isRemote: true,
    async getSdl({ audience, tenantId, version }) {
      const query = new URLSearchParams({ audience });
      if (tenantId !== null) query.set('tenant', tenantId);
      if (version !== null) query.set('version', String(version));
      return (await getInternal(transport, name, `/internal/sdl?${query}`)) as SdlAnswer;
    },
    execute: options.shareReads ? shareReads(call, read) : async (request) => read(await call(request)),
    subscribe: (request) => socket.subscribe(request),
    async [Symbol.asyncDispose]() {
      await socket[Symbol.asyncDispose]();
      await transport[Symbol.asyncDispose]();
    },
  };
}

/** The tenants subgraph's side of identity, over HTTP. */
export function createHttpIdentity(options: TransportOptions): IdentityService & AsyncDisposable {
  const transport = createTransport({ ...options, connections: options.connections ?? 8 });
  const { name } = options;
  return {
    async getVersions(since) {
      const query = since === null ? '' : `?${new URLSearchParams({ since })}`;
      return (await getInternal(transport, name, `/internal/versions${query}`)) as VersionsAnswer;
    },
    async getJwks() {
      return (await getInternal(transport, name, '/internal/jwks')) as { keys: Record<string, unknown>[] };
    },
    async identify(request) {
      const { status, text } = await transport.request({
        method: 'POST',
        path: '/internal/identity',
        claims: gatewayClaims,
        body: JSON.stringify(request),
        idempotent: true,
      });
      return expectOk(name, status, parseJson(text)) as IdentityAnswer;
    },
    [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose](),
  };
}

async function getInternal(transport: Transport, name: string, path: string): Promise<unknown> {
  const { status, text } = await transport.request({
    method: 'GET',
    path,
    claims: gatewayClaims,
    idempotent: true,
  });
  return expectOk(name, status, parseJson(text));
}

function expectOk(name: string, status: number, body: unknown): unknown {
  if (status === 200 && typeof body === 'object' && body !== null) return body;
  const [error] = isResult(body) ? (body.errors ?? []) : [];
  const reason = error ? `: ${error.message}` : '';
  throw new DomainError('SUBGRAPH_UNAVAILABLE', `The subgraph "${name}" answered HTTP ${status}${reason}.`);
}
