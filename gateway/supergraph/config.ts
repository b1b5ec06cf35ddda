import { parseArgs } from 'node:util';
import { z } from 'zod';
import { mayForward } from '#gateway/execution/http/forwarded-headers.ts';
import { parseNamedUrls } from '#gateway/named-urls.ts';

/** What the gateway in front of a supergraph file is told. */
export interface SupergraphConfig {
  /** The supergraph's file. */
  readonly file: string;
  readonly port: number;
  readonly host: string;
  readonly logLevel: (typeof logLevels)[number];
  readonly introspection: boolean;
  readonly subgraphTimeoutMs: number;
  /** In lower case. */
  readonly forwardHeaders: readonly string[];
  /** Go before the URLs that the supergraph names. */
  readonly subgraphUrls: ReadonlyMap<string, string>;
  /** What becomes of operations that ask for more than their caller is granted. */
  readonly unauthorized: 'filter' | 'refuse';
  /** Null: nobody is authenticated. */
  readonly authentication: {
    readonly jwksUrl: string;
    readonly issuer: string | null;
    readonly audience: string | null;
  } | null;
  readonly shareInFlight: boolean;
  /** Whether equal subscriptions of who sends the same headers share an upstream, each from when it joined. */
  readonly shareSubscriptions: boolean;
  readonly trustProxy: boolean;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const wholeNumber = (min: number, max: number, fallback: number) =>
  z.coerce
    .number({ message: `a whole number from ${min} to ${max}` })
    .int()
    .min(min)
    .max(max)
    .default(fallback);
const flag = (fallback: 'true' | 'false') =>
  z
    .enum(['true', 'false'], { message: 'true or false' })
    .default(fallback)
    .transform((text) => text === 'true');
const url = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'http://… or https://…')
  .nullable()
  .default(null);

const shape = z.object({
  PORT: wholeNumber(0, 65_535, 4_000),
  HOST: z.string().default('127.0.0.1'),
  LOG_LEVEL: z.enum(logLevels, { message: `one of ${logLevels.join(', ')}` }).default('info'),
  INTROSPECTION: flag('true'),
  SUBGRAPH_TIMEOUT_MS: wholeNumber(100, 600_000, 15_000),
  FORWARD_HEADERS: z
    .string()
    .default('authorization,x-request-id')
    .transform((text) => text.split(',').flatMap((name) => name.trim().toLowerCase() || []))
    .refine((names) => names.every(mayForward), 'names of headers that are not the gateway’s own'),
  SUBGRAPH_URLS: z
    .string()
    .default('')
    .transform(parseNamedUrls)
    .refine((urls) => urls !== null, 'name=http://…, separated by commas'),
  UNAUTHORIZED: z.enum(['filter', 'refuse'], { message: 'filter or refuse' }).default('filter'),
  AUTH_JWKS_URL: url,
  AUTH_ISSUER: z.string().nullable().default(null),
  AUTH_AUDIENCE: z.string().nullable().default(null),
  SHARE_IN_FLIGHT: flag('true'),
  SHARE_SUBSCRIPTIONS: flag('true'),
  TRUST_PROXY: flag('false'),
});

/** Whether the gateway is started in front of a supergraph file. */
export function isSupergraphStart(args: readonly string[]): boolean {
  return args.some((arg) => arg === '--supergraph' || arg.startsWith('--supergraph='));
}

/** Reads `--supergraph FILE [--port N]` and the environment. Throws one Error that lists what is wrong. */
export function readSupergraphConfig(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): SupergraphConfig {
  const { values } = parseArgs({
    args: [...args],
    options: { supergraph: { type: 'string' }, port: { type: 'string' } },
  });
  if (!values.supergraph) throw new Error('--supergraph must name a supergraph file');
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = shape.safeParse(values.port === undefined ? given : { ...given, PORT: values.port });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [name], message }) => {
      const value = name === 'PORT' && values.port !== undefined ? values.port : given[String(name)];
      return `  ${String(name)} was "${value}": it must be ${message}`;
    });
    throw new Error(`The gateway's configuration is wrong:\n${problems.join('\n')}`);
  }
  const options = parsed.data;
  return {
    file: values.supergraph,
    port: options.PORT,
    host: options.HOST,
    logLevel: options.LOG_LEVEL,
    introspection: options.INTROSPECTION,
    subgraphTimeoutMs: options.SUBGRAPH_TIMEOUT_MS,
    forwardHeaders: options.FORWARD_HEADERS,
    subgraphUrls: options.SUBGRAPH_URLS ?? new Map(),
    unauthorized: options.UNAUTHORIZED,
    authentication:
      options.AUTH_JWKS_URL === null
        ? null
        : { jwksUrl: options.AUTH_JWKS_URL, issuer: options.AUTH_ISSUER, audience: options.AUTH_AUDIENCE },
    shareInFlight: options.SHARE_IN_FLIGHT,
    shareSubscriptions: options.SHARE_SUBSCRIPTIONS,
    trustProxy: options.TRUST_PROXY,
  };
}
