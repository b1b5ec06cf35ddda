import { Kind, parse } from 'graphql';
import type { GatewayConfig } from '#gateway/config.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import { keepAskedFields } from './asked-fields.ts';
import { createExtraClaimsSigner } from './claims-signer.ts';
import { createPlainSubgraph } from './plain-subgraph.ts';

/**
 * Other teams' subgraphs as the configuration names them, disposed with `stack`. Each gets its callers' claims, signed for
 * it alone, and the allowed headers; of what it answers counts what it was asked.
 */
export function createExtraSubgraphs(
  config: Pick<GatewayConfig, 'extraSubgraphs' | 'subgraphSecret' | 'subgraphTimeoutMs' | 'shareInFlight'>,
  stack: AsyncDisposableStack,
): SubgraphService[] {
  return [...config.extraSubgraphs].map(([name, url]) => {
    const service = stack.use(
      createPlainSubgraph({
        ...{ name, url },
        signer: createExtraClaimsSigner(config.subgraphSecret, name),
        timeoutMs: config.subgraphTimeoutMs,
        shareReads: config.shareInFlight,
      }),
    );
    let abstractTypes: ReadonlySet<string> = new Set();
    return keepAskedFields(
      {
        ...service,
        async getSdl(request) {
          const answer = await service.getSdl(request);
          abstractTypes = findAbstractTypes(answer.sdl ?? '');
          return answer;
        },
      },
      (type) => abstractTypes.has(type),
    );
  });
}

/** Names of the interfaces and unions of an SDL; of one that cannot be read, none. */
function findAbstractTypes(sdl: string): ReadonlySet<string> {
  const abstract = new Set<string>([
    Kind.INTERFACE_TYPE_DEFINITION,
    Kind.INTERFACE_TYPE_EXTENSION,
    Kind.UNION_TYPE_DEFINITION,
    Kind.UNION_TYPE_EXTENSION,
  ]);
  try {
    const names = parse(sdl, { noLocation: true }).definitions.flatMap((node) =>
      abstract.has(node.kind) && 'name' in node && node.name ? node.name.value : [],
    );
    return new Set(names);
  } catch {
    return new Set();
  }
}
