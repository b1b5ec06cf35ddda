import type { IncomingHttpHeaders } from 'node:http';
import type { Credentials } from './caller.ts';

/** The cookie in which a browser keeps its access token. */
export const sessionCookie = 'tenantry_session';

export interface CredentialRules {
  /** Names directly under it are slugs of tenants: `acme.api.example.com` under `api.example.com`. */
  readonly baseDomain: string;
  /** Origins beside our own whose pages may use the cookie. */
  readonly allowedOrigins: readonly string[];
}

export interface CredentialSource {
  readonly headers: IncomingHttpHeaders;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** The `connection_init` payload, whose keys go before headers. */
  readonly connectionParams?: Readonly<Record<string, unknown>>;
}

/** Finds credentials in headers, a connection's parameters and the session cookie; believes none of them. */
export function readCredentials(source: CredentialSource, rules: CredentialRules): Credentials {
  const authorization =
    parameter(source, 'authorization') ??
    header(source.headers, 'authorization') ??
    cookieToken(source, rules);
  return {
    authorization,
    tenant: parameter(source, 'x-tenant-id') ?? header(source.headers, 'x-tenant-id'),
    subdomain: subdomainOf(source.headers.host, rules.baseDomain),
  };
}

/** A connection's parameter, in lower case as documented or as a header is usually written. */
function parameter({ connectionParams }: CredentialSource, name: string): string | null {
  for (const [key, value] of Object.entries(connectionParams ?? {})) {
    if (key.toLowerCase() === name && typeof value === 'string' && value.trim() !== '') return value.trim();
  }
  return null;
}

function header(headers: IncomingHttpHeaders, name: string): string | null {
  const value = headers[name];
  const text = (Array.isArray(value) ? value.join(',') : value)?.trim();
  return text ? text : null;
}

function cookieToken(source: CredentialSource, rules: CredentialRules): string | null {
  const token = source.cookies[sessionCookie];
  if (!token || !mayUseCookie(source.headers, rules)) return null;
  return `Bearer ${token}`;
}

/**
 * Browsers add cookies to what any page asks for, so a cookie counts only where the browser tells that the page is ours
 * or allowed. A request that tells neither an origin nor a fetch site is no browser's.
 */
function mayUseCookie(headers: IncomingHttpHeaders, { allowedOrigins }: CredentialRules): boolean {
  const { origin, host } = headers;
  if (origin !== undefined) return allowedOrigins.includes(origin) || hostOf(origin) === host;
  const site = headers['sec-fetch-site'];
  return site === undefined || site === 'same-origin' || site === 'none';
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

/** "acme" of "acme.localhost:4000" under "localhost"; null for the base domain itself and for deeper names. */
export function subdomainOf(host: string | undefined, baseDomain: string): string | null {
  const name = host?.replace(/:\d+$/, '').toLowerCase() ?? '';
  if (!name.endsWith(`.${baseDomain}`)) return null;
  const label = name.slice(0, -baseDomain.length - 1);
  return label !== '' && !label.includes('.') ? label : null;
}
