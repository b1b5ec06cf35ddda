/** What the realtime subgraph's own process is told by its environment. */
import {
  createEnvironmentReader,
  type Environment,
  readSubgraphConfig,
  type SubgraphConfig,
} from '#subgraphs/server/subgraph-config.ts';

/** Throws one error that lists every variable that is wrong, and what it must be. */
export function readRealtimeConfig(env: Environment): SubgraphConfig {
  const reader = createEnvironmentReader(env);
  const config = readSubgraphConfig(reader, 4003);
  reader.done();
  return config;
}
