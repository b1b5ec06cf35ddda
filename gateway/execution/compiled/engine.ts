/** Our own executor behind the seam: Apollo's planner at compile time, nothing of a schema at run time. */
import { LRUCache } from 'lru-cache';
import type { GraphEngine, SubgraphMap } from '../executor.ts';
import type { AuthorizationMode } from './authorization/guarded-operation.ts';
import { readEngineVersion } from './engine-version.ts';
import { prepareIntrospection } from './introspection.ts';
import { createLoadedGraph } from './loaded-graph.ts';
import { readRecipe } from './portable-recipe.ts';
import type { InputTypeRecipe } from './recipe.ts';
import { CompiledOperation } from './run/compiled-operation.ts';

export interface CompiledEngineOptions {
  readonly subgraphs: SubgraphMap;
  /** Whether `__schema` and `__type` may be asked for. Default true. */
  readonly introspection?: boolean;
  /** Whether a supergraph is checked in full when it is loaded; needless for one composed here. Default false. */
  readonly validateSupergraph?: boolean;
  /** What happens to an operation that asks for more than its caller is granted. Default: such supergraphs are refused. */
  readonly authorization?: AuthorizationMode;
  /** Whether operations may go to other processes and come from there. Default false. */
  readonly portable?: boolean;
}

/** Graphs whose input types are kept for operations that come from elsewhere. */
const maxGraphs = 5_000;

export function createCompiledEngine({
  subgraphs,
  introspection = true,
  validateSupergraph = false,
  authorization,
  portable = false,
}: CompiledEngineOptions): GraphEngine {
  // Shared by the operations of a graph, which hold them whatever becomes of this.
  const inputTypes = new LRUCache<string, Map<string, InputTypeRecipe>>({ max: maxGraphs });
  const exchange: Pick<GraphEngine, 'revive' | 'version'> = {
    version: portable ? readEngineVersion({ introspection }) : undefined,
    revive(text, graphHash) {
      let types = inputTypes.get(graphHash);
      if (!types) inputTypes.set(graphHash, (types = new Map()));
      const recipe = readRecipe(text, types);
      return new CompiledOperation({ recipe, inputTypes: types, subgraphs, introspect: needsNoSchema });
    },
  };
  return {
    ...(portable ? exchange : {}),
    async load(supergraphSdl) {
      return createLoadedGraph(supergraphSdl, {
        subgraphs,
        introspection,
        validateSupergraph,
        ...{ authorization, portable },
      });
    },
    introspect(apiSdl, parsed) {
      return prepareIntrospection(apiSdl, parsed, { subgraphs, introspection, portable });
    },
  };
}

/** Recipes that ask the schema at run time do not leave their process. */
function needsNoSchema(): never {
  throw new Error('An operation from elsewhere answers introspection by itself');
}
