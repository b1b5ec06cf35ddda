/** What every resolver and rule of a subgraph may know of the request it serves. */
import type { Claims } from '#schema/claims.ts';
import type { SubgraphRequest } from '#schema/subgraph-protocol.ts';
import type { PlacedStream } from './told-places.ts';

/** A service's own context extends it. One object per request, never shared between requests. */
export interface RequestContext {
  /** Verified: signed by the gateway, or passed in process. */
  readonly claims: Claims;
  /** For logs, events and the message of a masked error. */
  readonly requestId: string;
  /** The caller's network address as the gateway saw it. */
  readonly clientAddress: string | null;
  /** The version of the graph that planned the operation; null without a tenant. */
  readonly definitionsVersion: number | null;
  /** Set by the resolver that subscribes to a log: where its stream is. */
  stream?: PlacedStream;
}

/** The part of a request that the context shares. */
export function requestContextOf(request: SubgraphRequest): RequestContext {
  return {
    claims: request.claims,
    requestId: request.requestId,
    clientAddress: request.clientAddress,
    definitionsVersion: request.definitionsVersion,
  };
}
