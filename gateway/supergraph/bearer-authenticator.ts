import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import type { Authenticator } from '#gateway/auth/authenticator.ts';
import { anonymousCaller, type Caller } from '#gateway/auth/caller.ts';
import { noGrants, type Grants } from '#gateway/auth/grants.ts';
import { DomainError } from '#schema/errors.ts';
import type { SupergraphConfig } from './config.ts';

/** Nobody is known, nothing is granted; credentials are passed on for the subgraphs to judge. */
const nobody: Authenticator = {
  authenticate: async () => ({ ...anonymousCaller, grants: noGrants }),
  recheck: async (caller) => caller,
};

/**
 * Who shows a bearer token of the configured issuer is authenticated, with its `scope` (or `scp`) and `policies`. A bad
 * token is UNAUTHENTICATED; none is nobody, who gets what is marked by no directive.
 */
export function createBearerAuthenticator(authentication: SupergraphConfig['authentication']): Authenticator {
  if (!authentication) return nobody;
  const { jwksUrl, issuer, audience } = authentication;
  const keys = createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 5_000 });

  async function verify(token: string): Promise<JWTPayload> {
    try {
      const rules = {
        algorithms: [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
        ],
        ...(issuer === null ? {} : { issuer }),
        ...(audience === null ? {} : { audience }),
      };
      return (await jwtVerify(token, keys, rules)).payload;
    } catch (cause) {
      const isToken = cause instanceof errors.JOSEError && !(cause instanceof errors.JWKSTimeout);
      if (isToken) throw new DomainError('UNAUTHENTICATED', 'The access token is not valid.', { cause });
      throw new DomainError('SUBGRAPH_UNAVAILABLE', 'Access tokens cannot be verified now.', { cause });
    }
  }

  return {
    async authenticate({ authorization }): Promise<Caller> {
      if (authorization === null) return { ...anonymousCaller, grants: noGrants };
      const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
      if (!token) throw new DomainError('UNAUTHENTICATED', 'Authorization must be "Bearer <token>".');
      return { ...anonymousCaller, grants: toGrants(await verify(token)) };
    },
    async recheck(caller) {
      const expiresAtMs = caller.grants?.expiresAtMs ?? null;
      if (expiresAtMs === null || expiresAtMs > Date.now()) return caller;
      throw new DomainError('UNAUTHENTICATED', 'The access token has expired.');
    },
  };
}

function toGrants(payload: JWTPayload): Grants {
  return {
    authenticated: true,
    scopes: namesIn(payload['scope'] ?? payload['scp']),
    policies: namesIn(payload['policies']),
    expiresAtMs: payload.exp === undefined ? null : payload.exp * 1000,
  };
}

/** A list of names, or names separated by spaces. */
function namesIn(claim: unknown): ReadonlySet<string> {
  const names = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return new Set(names.filter((name): name is string => typeof name === 'string' && name !== ''));
}
