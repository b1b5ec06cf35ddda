/** What the entities subgraph's own process is told by its environment. */
import {
  createEnvironmentReader,
  type Environment,
  readSubgraphConfig,
  type SubgraphConfig,
} from '#subgraphs/server/subgraph-config.ts';

export interface EntitiesConfig extends SubgraphConfig {
  /** Where the files of imports and exports are kept. Replicas share it. */
  dataFolder: string;
  /** Whom exports and imports of whole tenants ask for users; null: they have none. */
  tenantsUrl: string | null;
}

/** Throws one error that lists every variable that is wrong, and what it must be. */
export function readEntitiesConfig(env: Environment): EntitiesConfig {
  const reader = createEnvironmentReader(env);
  const config = {
    ...readSubgraphConfig(reader, 4002),
    dataFolder: env['TENANTRY_DATA'] || '.tenantry',
    tenantsUrl: reader.optionalUrl('TENANTS_URL', ['http:', 'https:']),
  };
  reader.done();
  return config;
}
