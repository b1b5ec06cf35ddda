/** Access tokens: what the gateway verifies by JWKS. */
import { SignJWT } from 'jose';
import { accessToken, type AccessTokenPayload } from '#schema/claims.ts';
import type { SigningKeys } from './signing-keys.ts';

export interface IssuedAccessToken {
  readonly text: string;
  readonly expiresAt: Date;
}

/** Signs a token that is good for 15 minutes. */
export async function issueAccessToken(
  keys: SigningKeys,
  payload: AccessTokenPayload,
): Promise<IssuedAccessToken> {
  const { kid, key } = await keys.getCurrent();
  const issuedAt = Math.floor(Date.now() / 1000);
  const expiresAt = issuedAt + accessToken.lifetimeSeconds;
  const text = await new SignJWT({ ...payload })
    .setProtectedHeader({ alg: accessToken.algorithm, kid, typ: 'JWT' })
    .setIssuer(accessToken.issuer)
    .setAudience(accessToken.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key);
  return { text, expiresAt: new Date(expiresAt * 1000) };
}
