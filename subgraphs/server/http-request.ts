/** Untrusted HTTP bodies, headers and query strings → the contract's requests. */
import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { Claims } from '#schema/claims.ts';
import { DomainError, invalidInput } from '#schema/errors.ts';
import {
  type IdentityRequest,
  type SdlRequest,
  type SubgraphRequest,
  subgraphHeaders,
} from '#schema/subgraph-protocol.ts';

const operationShape = z.object({
  query: z.string(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

const sdlShape = z.object({
  audience: z.enum(['PUBLIC', 'TENANT', 'PLATFORM']),
  tenant: z.uuid().optional(),
  version: z.coerce.number().int().nonnegative().optional(),
});

const identityShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('API_KEY'), key: z.string().max(200) }),
  z.object({
    kind: z.literal('SUBJECT'),
    sub: z.string(),
    sid: z.string(),
    tenantId: z.string().nullable(),
  }),
]);

function parse<Shape extends z.ZodType>(shape: Shape, value: unknown): z.infer<Shape> {
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(
    parsed.error.issues.map((issue) => ({
      field: issue.path.join('.'),
      rule: issue.code,
      message: issue.message,
    })),
  );
}

/** What travels beside claims: on HTTP in headers, on a WebSocket in the subscribe message's `extensions`. */
export type RequestFacts = Readonly<Record<string, unknown>>;

function textFact(facts: RequestFacts, name: string): string | null {
  const value = facts[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function versionFact(facts: RequestFacts): number | null {
  const value = facts[subgraphHeaders.definitionsVersion];
  if (value === undefined || value === null || value === '') return null;
  const version = Number(value);
  if (Number.isSafeInteger(version) && version >= 0) return version;
  throw new DomainError('BAD_USER_INPUT', `${subgraphHeaders.definitionsVersion} must be a whole number`);
}

/** The request id that came along, or a new one. */
export function requestIdOf(facts: RequestFacts): string {
  return textFact(facts, subgraphHeaders.requestId)?.slice(0, 100) ?? crypto.randomUUID();
}

/** Throws BAD_USER_INPUT. */
export function parseOperation(
  body: unknown,
  facts: IncomingHttpHeaders | RequestFacts,
  claims: Claims,
): SubgraphRequest {
  const { query, operationName, variables } = parse(operationShape, body);
  return {
    query,
    operationName: operationName ?? undefined,
    variables: variables ?? undefined,
    claims,
    definitionsVersion: versionFact(facts),
    requestId: requestIdOf(facts),
    clientAddress: textFact(facts, subgraphHeaders.clientAddress),
    tellsPlace: facts[subgraphHeaders.tellsPlace] === 'true',
  };
}

/** Throws BAD_USER_INPUT; a TENANT's SDL needs the tenant. */
export function parseSdlRequest(query: unknown): SdlRequest {
  const { audience, tenant, version } = parse(sdlShape, query);
  if (audience === 'TENANT' && !tenant)
    throw new DomainError('TENANT_REQUIRED', 'audience TENANT needs tenant');
  return { audience, tenantId: tenant ?? null, version: version ?? null };
}

/** Throws BAD_USER_INPUT. */
export function parseIdentityRequest(body: unknown): IdentityRequest {
  return parse(identityShape, body);
}
