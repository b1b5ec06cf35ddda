import { createHmac } from 'node:crypto';
import { SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { signedClaims, type Claims } from '#schema/claims.ts';

/** Claims as subgraphs over HTTP believe them: a JWT under SUBGRAPH_SECRET, or under an extra subgraph's own secret. */
export interface ClaimsSigner {
  sign(claims: Claims): Promise<string>;
}

interface Signed {
  readonly token: Promise<string>;
  readonly renewAtMs: number;
}

/** A token is renewed this long before it expires: longer than any request takes to arrive. */
const marginSeconds = 60;

/**
 * For a subgraph that is not ours: under a secret and for an audience that are its alone. What it is sent opens no door to
 * our subgraphs or to another team's, and whoever knows its secret can sign for nobody else.
 */
export function createExtraClaimsSigner(subgraphSecret: string, name: string): ClaimsSigner {
  const secret = createHmac('sha256', subgraphSecret).update(`extra-subgraph:${name}`).digest('hex');
  return createClaimsSigner(secret, `${signedClaims.audience}:${name}`);
}

/** Signs once for each identity and keeps the token until it nears its end. */
export function createClaimsSigner(secret: string, audience: string = signedClaims.audience): ClaimsSigner {
  const key = new TextEncoder().encode(secret);
  const tokens = new LRUCache<string, Signed>({ max: 20_000 });

  return {
    sign(claims) {
      const { tenantId, actorKind, actorId, role, authVersion, sessionId } = claims;
      const identity = JSON.stringify([tenantId, actorKind, actorId, role, authVersion, sessionId]);
      const known = tokens.get(identity);
      if (known && Date.now() < known.renewAtMs) return known.token;
      const token = new SignJWT({ claims: { tenantId, actorKind, actorId, role, authVersion, sessionId } })
        .setProtectedHeader({ alg: signedClaims.algorithm })
        .setIssuer(signedClaims.issuer)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${signedClaims.lifetimeSeconds}s`)
        .sign(key);
      const renewAtMs = Date.now() + (signedClaims.lifetimeSeconds - marginSeconds) * 1000;
      tokens.set(identity, { token, renewAtMs });
      return token;
    },
  };
}
