/** What the tenants subgraph's own process is told by its environment. */
import {
  createEnvironmentReader,
  type Environment,
  readSubgraphConfig,
  type SubgraphConfig,
} from '#subgraphs/server/subgraph-config.ts';
import type { OperatorSignIn } from './service.ts';

export interface TenantsConfig extends SubgraphConfig {
  /** The entities subgraph, which applies templates at registration. */
  entitiesUrl: string;
  /** Created or given this password at start; null: operators stay as they are. */
  operator: OperatorSignIn | null;
}

const shortestPassword = 8;

/** Throws one error that lists every variable that is wrong, and what it must be. */
export function readTenantsConfig(env: Environment): TenantsConfig {
  const reader = createEnvironmentReader(env);
  const common = readSubgraphConfig(reader, 4001);
  const entitiesUrl = reader.url('ENTITIES_URL', ['http:', 'https:']);
  let operator: OperatorSignIn | null = null;
  if (env.OPERATOR_EMAIL || env.OPERATOR_PASSWORD) {
    operator = {
      email: reader.text(
        'OPERATOR_EMAIL',
        '',
        'an e-mail address, set together with OPERATOR_PASSWORD',
        (value) => /^\S+@\S+$/.test(value),
      ),
      password: reader.text(
        'OPERATOR_PASSWORD',
        '',
        `${shortestPassword} characters or more, set together with OPERATOR_EMAIL`,
        (value) => value.length >= shortestPassword,
      ),
    };
  }
  reader.done();
  return { ...common, entitiesUrl, operator };
}
