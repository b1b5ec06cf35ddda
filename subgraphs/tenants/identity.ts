/** What the gateway asks of this subgraph alone: who a credential is, which tenants changed, which keys sign. */
import type { Claims } from '#schema/claims.ts';
import type { IdentityService } from '#schema/subgraph-protocol.ts';
import { apiKeyPrefix, hashSecret } from './auth/secret-tokens.ts';
import type { SigningKeys } from './auth/signing-keys.ts';
import type { IdentityRows } from './store/identity-rows.ts';
import { isUuid } from './uuid.ts';

async function identifyKey(rows: IdentityRows, key: string): Promise<Claims | null> {
  if (!key.startsWith(apiKeyPrefix)) return null;
  const found = await rows.findKey(hashSecret(key));
  if (!found) return null;
  const { tenantId, keyId, role, authVersion } = found;
  return { tenantId, actorKind: 'SERVICE', actorId: keyId, role, authVersion, sessionId: null };
}

async function identifySubject(
  rows: IdentityRows,
  { sub, sid, tenantId }: { sub: string; sid: string; tenantId: string | null },
): Promise<Claims | null> {
  if (!isUuid(sub) || !isUuid(sid) || (tenantId !== null && !isUuid(tenantId))) return null;
  if (tenantId === null) {
    const operator = await rows.findOperatorInSession(sub, sid);
    if (!operator) return null;
    return {
      tenantId,
      actorKind: 'OPERATOR',
      actorId: operator.id,
      role: 'OPERATOR',
      authVersion: 0,
      sessionId: sid,
    };
  }
  const found = await rows.findUser(tenantId, sub, sid);
  if (!found) return null;
  const { user, authVersion } = found;
  return { tenantId, actorKind: 'USER', actorId: user.id, role: user.role, authVersion, sessionId: sid };
}

/**
 * Claims say what is true now: the role of today, and null for a key that is revoked or expired, a user who is gone, a session that
 * has ended. The tenant's status is not looked at: the gateway knows it from `getVersions` and answers for it.
 */
export function createIdentityService(options: { rows: IdentityRows; keys: SigningKeys }): IdentityService {
  const { rows, keys } = options;
  return {
    // A `since` that is none of ours starts again from the beginning.
    getVersions: (since) => rows.versions(since !== null && /^\d{1,19}$/.test(since) ? since : null),
    getJwks: () => keys.getJwks(),
    async identify(request) {
      const claims =
        request.kind === 'API_KEY' ? identifyKey(rows, request.key) : identifySubject(rows, request);
      return { claims: await claims };
    },
  };
}
