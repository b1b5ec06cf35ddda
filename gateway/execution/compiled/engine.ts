/** Our own executor behind the seam: Apollo's planner at compile time, nothing of a schema at run time. */
import type { GraphEngine, SubgraphMap } from '../executor.ts';
import type { AuthorizationMode } from './authorization/guarded-operation.ts';
import { createLoadedGraph } from './loaded-graph.ts';

export interface CompiledEngineOptions {
  readonly subgraphs: SubgraphMap;
  /** Whether `__schema` and `__type` may be asked for. Default true. */
  readonly introspection?: boolean;
  /** Whether a supergraph is checked in full when it is loaded; needless for one composed here. Default false. */
  readonly validateSupergraph?: boolean;
  /** What happens to an operation that asks for more than its caller is granted. Default: such supergraphs are refused. */
  readonly authorization?: AuthorizationMode;
}

export function createCompiledEngine({
  subgraphs,
  introspection = true,
  validateSupergraph = false,
  authorization,
}: CompiledEngineOptions): GraphEngine {
  return {
    async load(supergraphSdl) {
      return createLoadedGraph(supergraphSdl, {
        subgraphs,
        introspection,
        validateSupergraph,
        authorization,
      });
    },
  };
}
