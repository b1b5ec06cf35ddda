/** What the entities subgraph's own process is told by its environment. */
import {
  createEnvironmentReader,
  type Environment,
  readSubgraphConfig,
  type SubgraphConfig,
} from '#subgraphs/server/subgraph-config.ts';
import { type FilesConfig, readFilesConfig } from './files/files-config.ts';

export interface EntitiesConfig extends SubgraphConfig {
  /** Where files are kept that are not in an S3-compatible store. Replicas share it. */
  dataFolder: string;
  files: FilesConfig;
  /** Whom exports and imports of whole tenants ask for users; null: they have none. */
  tenantsUrl: string | null;
}

/** Throws one error that lists every variable that is wrong, and what it must be. */
export function readEntitiesConfig(env: Environment): EntitiesConfig {
  const reader = createEnvironmentReader(env);
  const config = {
    ...readSubgraphConfig(reader, 4002),
    dataFolder: env['TENANTRY_DATA'] || '.tenantry',
    files: readFilesConfig(reader, env),
    tenantsUrl: reader.optionalUrl('TENANTS_URL', ['http:', 'https:']),
  };
  reader.done();
  return config;
}
