/**
 * What the gateway asks of a subgraph, in process or over HTTP. In process these are method calls; over HTTP:
 *
 *   POST /graphql                       execute   body { query, operationName, variables }, claims in `x-tenantry-claims`
 *   WS   /graphql                       subscribe (graphql-transport-ws; connection_init { "x-tenantry-claims": … })
 *                                       a subscribe message's `extensions` carry the headers below, and may carry claims of
 *                                       its own, so that one connection serves many identities
 *   GET  /internal/sdl?tenant&version&audience
 *   GET  /internal/versions?since       tenants subgraph only
 *   GET  /internal/jwks                 tenants subgraph only
 *   POST /internal/identity             tenants subgraph only; body IdentityRequest
 *   GET  /healthz                       200 once it can serve
 *
 * /internal/* wants the gateway's own signed claims (actorKind GATEWAY).
 */
import type { ExecutionResult } from 'graphql';
import type { Claims, Role } from './claims.ts';

export const subgraphNames = ['tenants', 'entities', 'realtime'] as const;
export type SubgraphName = (typeof subgraphNames)[number];

/** Headers that travel beside the signed claims. */
export const subgraphHeaders = {
  requestId: 'x-request-id',
  /** The definitionsVersion of the graph that planned the operation; absent without a tenant. */
  definitionsVersion: 'x-definitions-version',
  /** The caller's network address, for limits and the audit log. */
  clientAddress: 'x-client-address',
  /** "true" in a subscribe message: see `SubgraphRequest.tellsPlace`. */
  tellsPlace: 'x-tells-place',
} as const;

export interface SubgraphRequest {
  query: string;
  operationName?: string | undefined;
  variables?: Record<string, unknown> | undefined;
  claims: Claims;
  /** A subgraph that is behind this version reloads first; one that is ahead serves the older schema while it still has it. */
  definitionsVersion: number | null;
  requestId: string;
  clientAddress: string | null;
  /** The client's own headers that the gateway's allow-list lets through; our subgraphs get none. */
  headers?: Readonly<Record<string, string>> | undefined;
  signal?: AbortSignal | undefined;
  /**
   * Set where a subscription's event is completed: which one it is. A read under way for another event may have begun before
   * this one happened, so it must not answer for it.
   */
  event?: string | undefined;
  /**
   * Subscriptions: each result is to say its place in the log, as `extensions.place` (`StreamPlace`). A result that holds
   * nothing else says where the stream begins, or that it has caught up. A subgraph without a log ignores it.
   */
  tellsPlace?: boolean | undefined;
}

/** A place in a stream of a log's events. */
export interface StreamPlace {
  /** For `after`: everything up to here was delivered, or came before the stream began. */
  cursor: string;
  /** Whether it waits for what is new, rather than replaying what was. It stays so. */
  isLive: boolean;
}

/** PUBLIC: for anonymous callers. TENANT: a tenant's whole graph. PLATFORM: the static part, for an operator who chose no tenant. */
export type SdlAudience = 'PUBLIC' | 'TENANT' | 'PLATFORM';

export interface SdlRequest {
  audience: SdlAudience;
  /** For TENANT. */
  tenantId: string | null;
  /** At least this definitionsVersion, for TENANT. */
  version: number | null;
}

export interface SdlAnswer {
  /** Federation 2 SDL; null where this subgraph has no part in the audience's graph. */
  sdl: string | null;
  /** The definitionsVersion it was made from; null without a tenant. */
  version: number | null;
  /**
   * What depends on the very user who asks. All else is the same for everybody of a tenant who acts in the same role, so
   * that they may share a subscription. Absent: everything depends on the user.
   */
  perUser?: PerUser | undefined;
}

export interface PerUser {
  /** Roles whose permissions name the user (`$me`) somewhere. */
  roles: readonly Role[];
  /** Root fields of subscriptions whose events are a user's own. */
  subscriptions: readonly string[];
}

export interface SubgraphService {
  readonly name: string;
  /** A call costs a round trip: the entity calls of one request's turn are merged into one. Absent: in process. */
  readonly isRemote?: boolean;
  getSdl(request: SdlRequest): Promise<SdlAnswer>;
  execute(request: SubgraphRequest): Promise<ExecutionResult>;
  /** A stream of results, or one result with errors when the subscription was refused. `return()` ends it, also while a `next()` is pending. */
  subscribe(request: SubgraphRequest): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult>;
}

export const tenantStatuses = ['ACTIVE', 'INACTIVE', 'SUSPENDED'] as const;
export type TenantStatus = (typeof tenantStatuses)[number];

/** A tenant's place in time: what the gateway must know of every tenant. */
export interface TenantVersion {
  tenantId: string;
  slug: string;
  status: TenantStatus;
  definitionsVersion: number;
  authVersion: number;
}

export interface VersionsAnswer {
  /** Tenants changed since; may repeat some, never misses one. */
  tenants: TenantVersion[];
  /** The `since` of the next call; opaque. */
  next: string;
}

/** A credential to look up, or the subject of a verified token whose rights may have changed. */
export type IdentityRequest =
  | { kind: 'API_KEY'; key: string }
  | { kind: 'SUBJECT'; sub: string; sid: string; tenantId: string | null };

/** Null: not (or no longer) good. */
export interface IdentityAnswer {
  claims: Claims | null;
}

/** What only the tenants subgraph offers to the gateway. */
export interface IdentityService {
  /** `since` null: every tenant. */
  getVersions(since: string | null): Promise<VersionsAnswer>;
  /** Public keys (JWKS) of access tokens. */
  getJwks(): Promise<{ keys: Record<string, unknown>[] }>;
  identify(request: IdentityRequest): Promise<IdentityAnswer>;
}
