/** What the one-process product is told by its environment: the gateway's options and its own. */
import { readGatewayConfig, type GatewayConfig } from '#gateway/config.ts';
import { type FilesConfig, readFilesConfig } from '#subgraphs/entities/files/files-config.ts';
import { createEnvironmentReader, type Environment } from '#subgraphs/server/subgraph-config.ts';

export interface ProductConfig {
  readonly gateway: GatewayConfig;
  /** Null: the embedded PostgreSQL, in the data folder. */
  readonly databaseUrl: string | null;
  readonly dataFolder: string;
  readonly files: FilesConfig;
  /** Null: wake-ups stay in this process. */
  readonly redisUrl: string | null;
  /** Null: one that was made at the first start and is kept in the data folder. */
  readonly secret: string | null;
  readonly operator: { readonly email: string; readonly password: string } | null;
  /** Whether the tenants `acme` and `globex` are made, with data, and their sign-ins printed. */
  readonly demo: boolean;
}

/** Throws one Error that lists every option that is wrong and what it may be. */
export function readProductConfig(environment: Environment): ProductConfig {
  const production = environment['NODE_ENV'] === 'production';
  // On a laptop the demo's sign-ins are known to everybody: nobody else's machine may reach it unless HOST says so.
  const gateway = readGatewayConfig({ HOST: production ? '0.0.0.0' : '127.0.0.1', ...environment });
  const reader = createEnvironmentReader(environment);
  const text = (name: string, rule: string, isGood: (value: string) => boolean): string | null =>
    environment[name] ? reader.text(name, '', rule, isGood) : null;
  const email = text('OPERATOR_EMAIL', 'an e-mail address', (value) => /^\S+@\S+$/.test(value));
  const password = text('OPERATOR_PASSWORD', '8 characters or more', (value) => value.length >= 8);
  const config: ProductConfig = {
    gateway,
    databaseUrl: reader.optionalUrl('DATABASE_URL', ['postgres:', 'postgresql:']),
    dataFolder: environment['TENANTRY_DATA'] || '.tenantry',
    files: readFilesConfig(reader, environment),
    redisUrl: reader.optionalUrl('REDIS_URL', ['redis:', 'rediss:']),
    secret: environment['SUBGRAPH_SECRET'] || null,
    operator: email !== null && password !== null ? { email, password } : null,
    demo:
      reader.text('DEMO', production ? 'false' : 'true', 'true or false', (value) =>
        ['true', 'false'].includes(value),
      ) === 'true',
  };
  reader.done();
  if ((email === null) !== (password === null)) {
    throw new Error('OPERATOR_EMAIL and OPERATOR_PASSWORD are set together, or neither is');
  }
  return config;
}
