/** Executable schemas by the hash of their SDL, shared by all tenants that have the same. */
import { createHash } from 'node:crypto';
import { getHeapStatistics } from 'node:v8';
import type { GraphQLSchema } from 'graphql';
import { LRUCache } from 'lru-cache';
import { atLeastInTenant } from '#subgraphs/server/base-rules.ts';
import { buildExecutableSubgraph, type Resolvers } from '#subgraphs/server/executable-subgraph.ts';
import type { ShieldRules } from '#subgraphs/server/shield.ts';
import { scalarResolvers } from '#subgraphs/model/scalars.ts';
import type { TenantModel } from '#subgraphs/model/definition.ts';
import { documentResolvers } from '../definitions/document-resolvers.ts';
import { definitionResolvers } from '../definitions/resolvers.ts';
import { fileResolvers, fileRules } from '../files/resolvers.ts';
import { transferResolvers, transferRules } from '../transfer/resolvers.ts';
import { recordResolvers } from './record-resolvers.ts';
import { buildEntitiesSdl } from './sdl.ts';
import { untypedResolvers } from './untyped-resolvers.ts';

/** What a schema and its SDL take of the heap for each character of that; compiled operations come on top. */
const bytesPerCharacter = 4;
/** What schemas may take of the heap that the process may have. Building one again costs tens of milliseconds. */
const heapShare = 0.3;

export interface EntitiesSchemas {
  getSdl(model: TenantModel): string;
  /** The same object for models with the same SDL, while it is kept. */
  getSchema(model: TenantModel): GraphQLSchema;
}

const developer = atLeastInTenant('DEVELOPER');

/** VIEWER reads, USER writes records, DEVELOPER defines. References (`_entities`) need a tenant only. */
const rules: ShieldRules = {
  Query: {
    ...transferRules.Query,
    planRetype: developer,
    exportDefinitions: developer,
    planDefinitions: developer,
    '*': atLeastInTenant('VIEWER'),
  },
  Mutation: {
    createEntity: developer,
    updateEntity: developer,
    deleteEntity: developer,
    createField: developer,
    updateField: developer,
    deleteField: developer,
    renameEntity: developer,
    renameField: developer,
    dropAlias: developer,
    retypeField: developer,
    applyDefinitions: developer,
    applyTemplate: developer,
    setPermissions: atLeastInTenant('ADMIN'),
    ...transferRules.Mutation,
    ...fileRules.Mutation,
    '*': atLeastInTenant('USER'),
  },
};

export function createEntitiesSchemas(): EntitiesSchemas {
  const sdls = new WeakMap<TenantModel, { sdl: string; hash: string }>();
  const schemas = new LRUCache<string, GraphQLSchema>({
    maxSize: Math.floor(getHeapStatistics().heap_size_limit * heapShare),
  });

  function sdlOf(model: TenantModel): { sdl: string; hash: string } {
    const known = sdls.get(model);
    if (known) return known;
    const sdl = buildEntitiesSdl(model);
    const made = { sdl, hash: createHash('sha256').update(sdl).digest('base64') };
    sdls.set(model, made);
    return made;
  }

  return {
    getSdl: (model) => sdlOf(model).sdl,
    getSchema(model) {
      const { sdl, hash } = sdlOf(model);
      const known = schemas.get(hash);
      if (known) return known;
      const schema = buildExecutableSubgraph(sdl, mergeResolvers(recordResolvers(model)), rules);
      schemas.set(hash, schema, { size: sdl.length * bytesPerCharacter });
      return schema;
    },
  };
}

/** The static part's resolvers win nothing over the generated ones: their names are reserved. */
function mergeResolvers(generated: Resolvers): Resolvers {
  return {
    ...generated,
    ...scalarResolvers,
    FieldDefinition: definitionResolvers.FieldDefinition,
    UniqueGroup: definitionResolvers.UniqueGroup,
    RecordConnection: untypedResolvers.RecordConnection,
    Transfer: transferResolvers.Transfer,
    TransferConnection: transferResolvers.TransferConnection,
    File: fileResolvers.File,
    Query: {
      ...generated.Query,
      ...definitionResolvers.Query,
      ...documentResolvers.Query,
      ...untypedResolvers.Query,
      ...transferResolvers.Query,
    },
    Mutation: {
      ...generated.Mutation,
      ...definitionResolvers.Mutation,
      ...documentResolvers.Mutation,
      ...untypedResolvers.Mutation,
      ...transferResolvers.Mutation,
      ...fileResolvers.Mutation,
    },
    Subscription: transferResolvers.Subscription,
  };
}
