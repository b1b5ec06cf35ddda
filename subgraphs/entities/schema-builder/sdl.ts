/** A tenant's definitions → the SDL of its entities. */
import type { EntityDefinition, TenantModel } from '#subgraphs/model/definition.ts';
import { deprecateMembers, graphEntities, withFieldAliases } from '#subgraphs/model/aliases.ts';
import { aggregateSdl } from '#subgraphs/model/aggregate/sdl.ts';
import { filterSdl } from '#subgraphs/model/filter/sdl.ts';
import { orderSdl } from '#subgraphs/model/order/sdl.ts';
import { fieldEnumsSdl } from '#subgraphs/model/sdl.ts';
import { connectionSdl } from './connections.ts';
import { uniqueFieldEnumSdl } from './enums.ts';
import { recordInputsSdl } from './inputs.ts';
import { mutationsSdl } from './mutations.ts';
import { nestedInputsSdl, unionInputsSdl } from './nested-inputs.ts';
import { queriesSdl } from './queries.ts';
import { staticEntitiesSdl } from './static-sdl.ts';
import { objectTypeSdl, unionsSdl } from './types.ts';

/**
 * The whole SDL of the entities subgraph for one tenant. Pure: equal definitions give equal text, whoever's they are; no
 * id, slot or key is in it.
 */
export function buildEntitiesSdl(model: TenantModel): string {
  if (model.entities.length === 0) return staticEntitiesSdl;
  const entities = graphEntities(model);
  return [
    staticEntitiesSdl,
    ...entities.flatMap((entity) => entityTypesSdl(model, entity)),
    `extend type Query {\n${entities.map((entity) => deprecateMembers(entity, queriesSdl(withFieldAliases(entity)))).join('\n')}\n}`,
    `extend type Mutation {\n${entities.map((entity) => deprecateMembers(entity, mutationsSdl(withFieldAliases(entity)))).join('\n')}\n}`,
  ].join('\n\n');
}

function entityTypesSdl(model: TenantModel, entity: EntityDefinition): string[] {
  const named = withFieldAliases(entity);
  return [
    objectTypeSdl(model, named),
    unionsSdl(model, named),
    connectionSdl(entity),
    fieldEnumsSdl(named),
    uniqueFieldEnumSdl(named),
    recordInputsSdl(model, named),
    nestedInputsSdl(model, entity),
    unionInputsSdl(model, named),
    filterSdl(model, named),
    orderSdl(model, named),
    aggregateSdl(model, named),
  ].filter((sdl) => sdl !== '');
}
