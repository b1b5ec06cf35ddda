/** Claims as they travel between processes: a short-lived JWT under the secret that all of the platform's processes share. */
import { jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { actorKinds, type Claims, roles, signedClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';

const claimsShape = z.object({
  tenantId: z.uuid().nullable(),
  actorKind: z.enum(actorKinds),
  actorId: z.string().nullable(),
  role: z.enum(roles).nullable(),
  authVersion: z.number(),
  sessionId: z.string().nullable(),
});

/** Verified tokens remembered, so that each is verified once in its life. */
const keptTokens = 10_000;

export interface ClaimsVerifier {
  /** The claims of a token. Throws UNAUTHENTICATED when there is none, or it is expired, forged or malformed. */
  verify(token: string | null | undefined): Promise<Claims>;
}

/** `secret`: SUBGRAPH_SECRET. */
export function createClaimsVerifier(secret: string): ClaimsVerifier {
  const key = new TextEncoder().encode(secret);
  const verified = new LRUCache<string, { claims: Claims; expiresAtMs: number }>({ max: keptTokens });

  return {
    async verify(token) {
      if (!token) throw new DomainError('UNAUTHENTICATED', `The header ${signedClaims.header} is missing`);
      const known = verified.get(token);
      if (known && known.expiresAtMs > Date.now()) return known.claims;
      verified.delete(token);
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: [signedClaims.algorithm],
          issuer: signedClaims.issuer,
          audience: signedClaims.audience,
          requiredClaims: ['exp', 'claims'],
        });
        const claims: Claims = Object.freeze(claimsShape.parse(payload.claims));
        verified.set(token, { claims, expiresAtMs: (payload.exp ?? 0) * 1000 });
        return claims;
      } catch (cause) {
        throw new DomainError('UNAUTHENTICATED', `The header ${signedClaims.header} is not valid`, { cause });
      }
    },
  };
}

/** Signs claims for another process of the platform. */
export function createClaimsSigner(secret: string): (claims: Claims) => Promise<string> {
  const key = new TextEncoder().encode(secret);
  return (claims) =>
    new SignJWT({ claims })
      .setProtectedHeader({ alg: signedClaims.algorithm })
      .setIssuer(signedClaims.issuer)
      .setAudience(signedClaims.audience)
      .setIssuedAt()
      .setExpirationTime(`${signedClaims.lifetimeSeconds}s`)
      .sign(key);
}
