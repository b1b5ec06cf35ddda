import { createHash } from 'node:crypto';
import { errors, importJWK, jwtVerify, type CryptoKey, type JWK, type JWTHeaderParameters } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { accessToken, roles, type AccessTokenPayload } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { IdentityService } from '#schema/subgraph-protocol.ts';

export type VerifiedToken = AccessTokenPayload & { readonly exp: number };

export interface AccessTokens {
  /** The payload of a genuine token that has not expired. Throws UNAUTHENTICATED; SUBGRAPH_UNAVAILABLE without keys. */
  verify(token: string): Promise<VerifiedToken>;
  /** The public keys as tokens are verified with now; fetched if there are none yet. */
  getJwks(): Promise<{ keys: Record<string, unknown>[] }>;
}

export interface AccessTokensOptions {
  readonly identity: Pick<IdentityService, 'getJwks'>;
  /** Between two fetches for keys that are not known; keeps forged key ids from becoming load. Default 2,000. */
  readonly cooldownMs?: number;
  /** After which known keys are fetched again, so that retired ones go. Default 5 minutes. */
  readonly maxAgeMs?: number;
}

const payloadShape = z.object({
  sub: z.string().min(1),
  sid: z.string().min(1),
  tenant_id: z.string().min(1).optional(),
  role: z.enum(roles),
  auth_version: z.number().int().nonnegative(),
  exp: z.number(),
});

/** Verifies what the tenants subgraph signs. A verified token is remembered until it expires: ES256 costs 100 µs. */
export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { identity, cooldownMs = 2_000, maxAgeMs = 5 * 60_000 } = options;
  const verified = new LRUCache<string, VerifiedToken>({ max: 20_000 });
  let keys = new Map<string, CryptoKey>();
  let jwks: { keys: Record<string, unknown>[] } | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let fetching: Promise<void> | undefined;

  async function fetchKeys(): Promise<void> {
    try {
      const answer = await identity.getJwks();
      const imported = new Map<string, CryptoKey>();
      for (const jwk of answer.keys) {
        const { kid, alg, use } = jwk as JWK;
        if (kid === undefined || (alg ?? accessToken.algorithm) !== accessToken.algorithm || use === 'enc')
          continue;
        imported.set(kid, (await importJWK(jwk as JWK, accessToken.algorithm)) as CryptoKey);
      }
      // A key that is gone takes the tokens with it that it signed.
      if ([...keys.keys()].some((kid) => !imported.has(kid))) verified.clear();
      keys = imported;
      jwks = answer;
    } catch (cause) {
      if (!jwks)
        throw new DomainError('SUBGRAPH_UNAVAILABLE', 'The signing keys cannot be read now.', { cause });
    } finally {
      fetchedAt = performance.now();
      fetching = undefined;
    }
  }

  async function getKey(header: JWTHeaderParameters): Promise<CryptoKey> {
    const age = performance.now() - fetchedAt;
    const known = header.kid === undefined ? undefined : keys.get(header.kid);
    if (known && age <= maxAgeMs) return known;
    if (!jwks || age > (known ? maxAgeMs : cooldownMs)) await (fetching ??= fetchKeys());
    const key = header.kid === undefined ? undefined : keys.get(header.kid);
    if (!key) throw new errors.JWKSNoMatchingKey();
    return key;
  }

  return {
    async verify(token) {
      // The digest is the key, so that a heap dump of the cache holds no credential.
      const digest = createHash('sha256').update(token).digest('base64');
      const known = verified.get(digest);
      if (known) {
        if (known.exp * 1000 > Date.now()) return known;
        verified.delete(digest);
        throw new DomainError('UNAUTHENTICATED', 'The access token has expired.');
      }
      try {
        const { payload } = await jwtVerify(token, getKey, {
          algorithms: [accessToken.algorithm],
          issuer: accessToken.issuer,
          audience: accessToken.audience,
          requiredClaims: ['exp', 'iat', 'sub'],
        });
        const shaped = payloadShape.parse(payload) satisfies VerifiedToken;
        verified.set(digest, shaped);
        return shaped;
      } catch (cause) {
        if (cause instanceof DomainError) throw cause;
        const expired = cause instanceof errors.JWTExpired;
        const message = expired ? 'The access token has expired.' : 'The access token is not valid.';
        throw new DomainError('UNAUTHENTICATED', message, { cause });
      }
    },
    async getJwks() {
      if (!jwks || performance.now() - fetchedAt > maxAgeMs) await (fetching ??= fetchKeys());
      return jwks ?? { keys: [] };
    },
  };
}
