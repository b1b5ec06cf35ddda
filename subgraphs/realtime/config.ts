/** What the realtime subgraph's own process is told by its environment. */
export interface RealtimeConfig {
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

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const minSecretLength = 16;

/** Throws one error that lists every variable that is wrong, what it was and what it may be. */
export function readRealtimeConfig(env: Readonly<Record<string, string | undefined>>): RealtimeConfig {
  const problems: string[] = [];
  const read = (name: string, fallback: string, rule: string, isGood: (value: string) => boolean): string => {
    const value = env[name] || fallback;
    if (isGood(value)) return value;
    // A secret or a URL with a password is not repeated.
    const shown = value === '' ? 'is not set' : `is no such (${value.length} characters)`;
    problems.push(`${name} ${shown}: it must be ${rule}`);
    return value;
  };
  const isUrl = (protocols: string[]) => (value: string) =>
    URL.canParse(value) && protocols.includes(new URL(value).protocol);

  const config: RealtimeConfig = {
    databaseUrl: read('DATABASE_URL', '', 'postgres://…', isUrl(['postgres:', 'postgresql:'])),
    secret: read(
      'SUBGRAPH_SECRET',
      '',
      `${minSecretLength} characters or more, the same as the gateway's`,
      (value) => {
        return value.length >= minSecretLength;
      },
    ),
    port: Number(
      read(
        'PORT',
        '4003',
        'a port number, 0 to 65535',
        (value) => /^\d{1,5}$/.test(value) && Number(value) < 65_536,
      ),
    ),
    host: read('HOST', '0.0.0.0', 'an address to listen on', (value) => value.trim() !== ''),
    redisUrl: env.REDIS_URL
      ? read('REDIS_URL', '', 'redis://… or rediss://…', isUrl(['redis:', 'rediss:']))
      : null,
    logLevel: read('LOG_LEVEL', 'info', logLevels.join(', '), (value) => logLevels.includes(value)),
  };
  if (problems.length > 0) throw new Error(`The configuration is not complete:\n  ${problems.join('\n  ')}`);
  return config;
}
