import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import type { Claims } from '#schema/claims.ts';
import type { IdentityRequest, IdentityService } from '#schema/subgraph-protocol.ts';

/** Looks up what a credential may do now, and remembers it as long as it is current. */
export interface Rights {
  /** Null when the key is not, or no longer, good. */
  ofApiKey(key: string): Promise<Claims | null>;
  /** Null when the session ended or the user is gone. `expired`: the token is, so only the session itself counts. */
  ofSubject(
    subject: { readonly sub: string; readonly sid: string; readonly tenantId: string | null },
    options?: { readonly expired: boolean },
  ): Promise<Claims | null>;
}

export interface RightsOptions {
  readonly identity: Pick<IdentityService, 'identify'>;
  readonly tenants: Pick<TenantTable, 'findById'>;
  /**
   * How old an answer may be whatever the tenant's authVersion says: keys and sessions expire without a change, and
   * operators have no tenant whose version could rise. Default 1,500, so that rights are current within two seconds.
   */
  readonly maxAgeMs?: number;
}

interface Known {
  readonly claims: Claims;
  readonly at: number;
}

export function createRights({ identity, tenants, maxAgeMs = 1_500 }: RightsOptions): Rights {
  const known = new LRUCache<string, Known>({ max: 50_000 });
  const flights = new Map<string, Promise<Claims | null>>();

  function isCurrent({ claims, at }: Known, mayExpire: boolean): boolean {
    if (mayExpire && performance.now() - at > maxAgeMs) return false;
    const tenant = claims.tenantId === null ? undefined : tenants.findById(claims.tenantId);
    return !tenant || claims.authVersion >= tenant.authVersion;
  }

  function look(key: string, request: IdentityRequest, mayExpire: boolean): Promise<Claims | null> {
    const answer = known.get(key);
    if (answer && isCurrent(answer, mayExpire)) return Promise.resolve(answer.claims);
    const wanted =
      request.kind === 'SUBJECT' && request.tenantId ? tenants.findById(request.tenantId) : undefined;
    // The version is part of the flight: who heard of a newer one must not get an answer from before it.
    const flightKey = `${key} ${wanted?.authVersion ?? answer?.claims.authVersion ?? ''}`;
    let flight = flights.get(flightKey);
    if (!flight) {
      const at = performance.now();
      const authVersion = wanted?.authVersion ?? 0;
      flight = identity
        .identify(request)
        .then(({ claims }) => {
          if (!claims) {
            known.delete(key);
            return null;
          }
          // Looked up after that version was heard of, so it is at least as new; saying so saves the next look-up.
          const current = { ...claims, authVersion: Math.max(claims.authVersion, authVersion) };
          known.set(key, { claims: current, at });
          return current;
        })
        .finally(() => flights.delete(flightKey));
      flights.set(flightKey, flight);
    }
    return flight;
  }

  return {
    ofApiKey: (key) =>
      look(`key ${createHash('sha256').update(key).digest('base64')}`, { kind: 'API_KEY', key }, true),
    ofSubject: ({ sub, sid, tenantId }, { expired } = { expired: false }) =>
      look(
        `subject ${tenantId} ${sub} ${sid}`,
        { kind: 'SUBJECT', sub, sid, tenantId },
        expired || tenantId === null,
      ),
  };
}
