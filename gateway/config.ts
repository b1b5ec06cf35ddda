import { z } from 'zod';
import { subgraphNames } from '#schema/subgraph-protocol.ts';
import { mayForward } from './execution/http/forwarded-headers.ts';
import { parseNamedUrls } from './named-urls.ts';

/** What the gateway reads from its environment. Read once, where the process starts. */
export interface GatewayConfig {
  readonly port: number;
  readonly host: string;
  /** Signs the claims that subgraphs over HTTP are sent. */
  readonly subgraphSecret: string;
  /** Where each subgraph is served; null: in this process. */
  readonly subgraphUrls: {
    readonly tenants: string | null;
    readonly entities: string | null;
    readonly realtime: string | null;
  };
  readonly subgraphTimeoutMs: number;
  /** What gateways share and are woken by; null: each makes its own and polls. */
  readonly redisUrl: string | null;
  /** Whether equal reads of one identity that are under way at once share one call to a subgraph over HTTP. */
  readonly shareInFlight: boolean;
  /** Other teams' subgraphs in every tenant's graph: where each is served, by its name. */
  readonly extraSubgraphs: ReadonlyMap<string, string>;
  /** In lower case: the client's headers that extra subgraphs get. */
  readonly forwardHeaders: readonly string[];
  /** Whether `__schema`, `__type` and /schema.graphql answer. */
  readonly introspection: boolean;
  /** What loaded graphs may hold together. */
  readonly graphHeapMb: number;
  readonly logLevel: (typeof logLevels)[number];
  /** Origins whose pages may use the session cookie. */
  readonly allowedOrigins: readonly string[];
  /** Names under it are tenants' slugs: `acme.localhost`. */
  readonly baseDomain: string;
  /** Whether a proxy's `X-Forwarded-*` headers are believed. */
  readonly trustProxy: boolean;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const minSecretLength = 16;

/** Only outside production, where everything runs on one machine. */
const developmentSecret = 'tenantry-development-secret';

const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .default(String(fallback))
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      message: `a whole number from ${min} to ${max}`,
    })
    .transform(Number);

const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'], { message: 'true or false' })
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');

const url = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), {
    message: 'http://… or https://…',
  })
  .nullable()
  .default(null);

const redisUrl = z
  .string()
  .refine((text) => URL.canParse(text) && /^rediss?:$/.test(new URL(text).protocol), {
    message: 'redis://… or rediss://…',
  })
  .nullable()
  .default(null);

const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').flatMap((item) => item.trim() || []));

const origins = list.refine(
  (items) => items.every((item) => URL.canParse(item) && new URL(item).origin === item),
  {
    message: 'origins ("https://app.example.com"), separated by commas',
  },
);

const extraSubgraphs = z
  .string()
  .default('')
  .transform(parseNamedUrls)
  .refine((urls) => urls !== null && areExtraNames([...urls.keys()]), {
    message: `name=http://…, separated by commas, each name once and none of ${subgraphNames.join(', ')}`,
  })
  .transform((urls) => urls ?? new Map<string, string>());

/** Names that differ in case alone would be taken for each other in logs. */
function areExtraNames(names: readonly string[]): boolean {
  const all = [...subgraphNames, ...names].map((name) => name.toLowerCase());
  return new Set(all).size === all.length;
}

/** Options whose value is never repeated in a message. */
const secretOptions = new Set(['SUBGRAPH_SECRET']);

function shapeOf(production: boolean) {
  const secret = z
    .string({ message: `${minSecretLength} characters or more, the same for the gateway and every subgraph` })
    .min(minSecretLength, { message: `${minSecretLength} characters or more` });
  return z.object({
    PORT: wholeNumber(0, 65_535, 4_000),
    HOST: z.string().default('0.0.0.0'),
    SUBGRAPH_SECRET: production ? secret : secret.default(developmentSecret),
    TENANTS_URL: url,
    ENTITIES_URL: url,
    REALTIME_URL: url,
    SUBGRAPH_TIMEOUT_MS: wholeNumber(100, 600_000, 15_000),
    REDIS_URL: redisUrl,
    SHARE_IN_FLIGHT: flag(true),
    EXTRA_SUBGRAPHS: extraSubgraphs,
    FORWARD_HEADERS: list
      .transform((names) => names.map((name) => name.toLowerCase()))
      .refine((names) => names.every(mayForward), {
        message: 'names of headers, separated by commas, that are not the gateway’s own',
      }),
    INTROSPECTION: flag(true),
    GRAPH_HEAP_MB: wholeNumber(16, 1_000_000, 512),
    LOG_LEVEL: z.enum(logLevels, { message: `one of ${logLevels.join(', ')}` }).default('info'),
    ALLOWED_ORIGINS: origins,
    BASE_DOMAIN: z
      .string()
      .default('localhost')
      .refine((text) => /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(text), { message: 'a domain name in lower case' }),
    TRUST_PROXY: flag(false),
  });
}

/**
 * Reads and checks the environment (an empty value counts as none). Throws one Error that lists every option that is
 * wrong, what it was and what it may be.
 */
export function readGatewayConfig(environment: Readonly<Record<string, string | undefined>>): GatewayConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = shapeOf(given['NODE_ENV'] === 'production').safeParse(given);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path: [name = ''], message }) =>
      describe(String(name), given, message),
    );
    throw new Error(`The gateway's configuration is wrong:\n${problems.join('\n')}`);
  }
  const options = parsed.data;
  return {
    port: options.PORT,
    host: options.HOST,
    subgraphSecret: options.SUBGRAPH_SECRET,
    subgraphUrls: {
      tenants: options.TENANTS_URL,
      entities: options.ENTITIES_URL,
      realtime: options.REALTIME_URL,
    },
    subgraphTimeoutMs: options.SUBGRAPH_TIMEOUT_MS,
    redisUrl: options.REDIS_URL,
    shareInFlight: options.SHARE_IN_FLIGHT,
    extraSubgraphs: options.EXTRA_SUBGRAPHS,
    forwardHeaders: options.FORWARD_HEADERS,
    introspection: options.INTROSPECTION,
    graphHeapMb: options.GRAPH_HEAP_MB,
    logLevel: options.LOG_LEVEL,
    allowedOrigins: options.ALLOWED_ORIGINS,
    baseDomain: options.BASE_DOMAIN,
    trustProxy: options.TRUST_PROXY,
  };
}

function describe(name: string, given: Readonly<Record<string, string | undefined>>, rule: string): string {
  const value = given[name];
  if (value === undefined) return `  ${name} is not set: it must be ${rule}`;
  const was = secretOptions.has(name) ? `has ${value.length} characters` : `was "${value}"`;
  return `  ${name} ${was}: it must be ${rule}`;
}
