/** Another subgraph over HTTP, for the few calls between subgraphs that need one. The gateway has its own client. */
import type { ExecutionResult } from 'graphql';
import { signedClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { type SubgraphService, subgraphHeaders } from '#schema/subgraph-protocol.ts';
import { createClaimsSigner } from './signed-claims.ts';

export interface RemoteSubgraphOptions {
  /** Where it is served ("http://entities:4002"). */
  url: string;
  /** SUBGRAPH_SECRET. */
  secret: string;
  /** Default 30,000. */
  timeoutMs?: number;
}

/** Throws SUBGRAPH_UNAVAILABLE when it cannot be reached, does not answer in time or answers no GraphQL result. */
export function createRemoteSubgraph(options: RemoteSubgraphOptions): Pick<SubgraphService, 'execute'> {
  const sign = createClaimsSigner(options.secret);
  const endpoint = new URL('/graphql', options.url);
  const timeoutMs = options.timeoutMs ?? 30_000;

  return {
    async execute(request) {
      const headers: Record<string, string> = {
        'content-type': 'application/json',
        [signedClaims.header]: await sign(request.claims),
        [subgraphHeaders.requestId]: request.requestId,
      };
      if (request.definitionsVersion !== null)
        headers[subgraphHeaders.definitionsVersion] = String(request.definitionsVersion);
      if (request.clientAddress !== null) headers[subgraphHeaders.clientAddress] = request.clientAddress;
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const response = await fetch(endpoint, {
          method: 'POST',
          headers,
          body: JSON.stringify({
            query: request.query,
            operationName: request.operationName,
            variables: request.variables,
          }),
          signal: request.signal ? AbortSignal.any([request.signal, timeout]) : timeout,
        });
        return (await response.json()) as ExecutionResult;
      } catch (cause) {
        throw new DomainError('SUBGRAPH_UNAVAILABLE', `${endpoint.host} does not answer`, { cause });
      }
    },
  };
}
