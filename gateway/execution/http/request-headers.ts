import { subgraphHeaders, type SubgraphRequest } from '#schema/subgraph-protocol.ts';

/** The facts of a request that travel beside the claims. */
export function toHeaders(request: SubgraphRequest): Record<string, string> {
  const headers: Record<string, string> = { [subgraphHeaders.requestId]: request.requestId };
  if (request.definitionsVersion !== null) {
    headers[subgraphHeaders.definitionsVersion] = String(request.definitionsVersion);
  }
  if (request.clientAddress !== null) headers[subgraphHeaders.clientAddress] = request.clientAddress;
  if (request.tellsPlace) headers[subgraphHeaders.tellsPlace] = 'true';
  return headers;
}
