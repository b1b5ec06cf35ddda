import { subgraphHeaders } from '#schema/subgraph-protocol.ts';

/** Ours to write: what a client says here would be taken for the gateway's word, or break the connection. */
const ownHeaders = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-tenantry-claims',
  'x-definitions-version',
  'x-client-address',
]);

const namePattern = /^[a-z0-9-]{1,64}$/;
/** What a header may hold: no line break can begin another header. */
const valuePattern = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Whether a header of that name, in lower case, may be passed on at all. */
export function mayForward(name: string): boolean {
  return namePattern.test(name) && !ownHeaders.has(name);
}

/** The allowed headers, from the first source that has each; the request's id always is the one that we gave or took. */
export function pickHeaders(
  allowed: readonly string[],
  sources: readonly Readonly<Record<string, unknown>>[],
  requestId: string,
): Record<string, string> | undefined {
  if (allowed.length === 0) return undefined;
  const picked: Record<string, string> = {};
  for (const name of allowed) {
    if (name === subgraphHeaders.requestId) {
      picked[name] = requestId;
      continue;
    }
    for (const source of sources) {
      const key = Object.keys(source).find((given) => given.toLowerCase() === name);
      const value = key === undefined ? undefined : source[key];
      const text = Array.isArray(value) ? value.join(', ') : value;
      if (typeof text !== 'string' || !valuePattern.test(text)) continue;
      picked[name] = text;
      break;
    }
  }
  return picked;
}
