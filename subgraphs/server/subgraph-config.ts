/** What a subgraph's own process is told by its environment; each adds what it alone needs. */
export interface SubgraphConfig {
  databaseUrl: string;
  /** Signs claims between gateway and subgraphs; the database roles' passwords are derived from it. */
  secret: string;
  /** 0: any free one. */
  port: number;
  host: string;
  /** Null: no Redis; changes that other processes make are found by polling. */
  redisUrl: string | null;
  logLevel: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const minSecretLength = 16;

/** Reads variables and gathers what is wrong with them. */
export interface EnvironmentReader {
  /** `rule` says what the value must be; an empty one counts as absent. */
  text(name: string, fallback: string, rule: string, isGood: (value: string) => boolean): string;
  url(name: string, protocols: readonly string[]): string;
  /** Null where it is absent. */
  optionalUrl(name: string, protocols: readonly string[]): string | null;
  /** Throws one error that lists every variable that is wrong, and what it must be. */
  done(): void;
}

export function createEnvironmentReader(env: Environment): EnvironmentReader {
  const problems: string[] = [];
  const reader: EnvironmentReader = {
    text(name, fallback, rule, isGood) {
      const value = env[name] || fallback;
      if (isGood(value)) return value;
      // Its text is not repeated: it may be a secret, or a URL with a password.
      const was = value === '' ? 'is not set' : `is no such (${value.length} characters)`;
      problems.push(`${name} ${was}: it must be ${rule}`);
      return value;
    },
    url(name, protocols) {
      const rule = protocols.map((protocol) => `${protocol}//…`).join(' or ');
      return reader.text(
        name,
        '',
        rule,
        (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      );
    },
    optionalUrl: (name, protocols) => (env[name] ? reader.url(name, protocols) : null),
    done() {
      if (problems.length > 0)
        throw new Error(`The configuration is not complete:\n  ${problems.join('\n  ')}`);
    },
  };
  return reader;
}

/** The variables that all subgraphs share. Throws through `reader.done()`, which the caller calls last. */
export function readSubgraphConfig(reader: EnvironmentReader, defaultPort: number): SubgraphConfig {
  const isPort = (value: string) => /^\d{1,5}$/.test(value) && Number(value) < 65_536;
  const secretRule = `${minSecretLength} characters or more, the same for the gateway and every subgraph`;
  return {
    databaseUrl: reader.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    secret: reader.text('SUBGRAPH_SECRET', '', secretRule, (value) => value.length >= minSecretLength),
    port: Number(reader.text('PORT', String(defaultPort), 'a port number, 0 to 65535', isPort)),
    host: reader.text('HOST', '0.0.0.0', 'an address to listen on', (value) => value.trim() !== ''),
    redisUrl: reader.optionalUrl('REDIS_URL', ['redis:', 'rediss:']),
    logLevel: reader.text('LOG_LEVEL', 'info', logLevels.join(', '), (value) => logLevels.includes(value)),
  };
}
