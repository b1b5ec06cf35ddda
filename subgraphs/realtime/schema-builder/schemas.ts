import { createHash } from 'node:crypto';
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { buildExecutableSubgraph } from '#subgraphs/server/executable-subgraph.ts';
import { buildRealtimeResolvers, realtimeRules, type ResolverSources } from './resolvers.ts';
import { buildRealtimeSdl, staticRealtimeSdl } from './sdl.ts';

/** SDL characters whose schemas are kept; a schema takes about 4 bytes of heap for each. */
const maxKeptSdlLength = 20_000_000;

export interface RealtimeSchemas {
  getSdl(model: TenantModel | null): string;
  /** The same object for tenants with equal definitions. `model` null: the static part. */
  getSchema(model: TenantModel | null): GraphQLSchema;
}

/** Executable schemas, kept by the hash of their SDL. */
export function createRealtimeSchemas(sources: ResolverSources): RealtimeSchemas {
  const texts = new WeakMap<TenantModel, { sdl: string; hash: string }>();
  const schemas = new LRUCache<string, { schema: GraphQLSchema; length: number }>({
    maxSize: maxKeptSdlLength,
    sizeCalculation: (entry) => entry.length,
  });
  const fixed = buildExecutableSubgraph(
    staticRealtimeSdl,
    buildRealtimeResolvers(null, sources),
    realtimeRules,
  );

  function textOf(model: TenantModel): { sdl: string; hash: string } {
    let text = texts.get(model);
    if (!text) {
      const sdl = buildRealtimeSdl(model);
      text = { sdl, hash: createHash('sha256').update(sdl).digest('base64') };
      texts.set(model, text);
    }
    return text;
  }

  return {
    getSdl: (model) => (model ? textOf(model).sdl : staticRealtimeSdl),
    getSchema(model) {
      if (!model) return fixed;
      const { sdl, hash } = textOf(model);
      const known = schemas.get(hash);
      if (known) return known.schema;
      const schema = buildExecutableSubgraph(sdl, buildRealtimeResolvers(model, sources), realtimeRules);
      schemas.set(hash, { schema, length: Math.min(sdl.length, maxKeptSdlLength) });
      return schema;
    },
  };
}
