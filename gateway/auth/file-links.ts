/** Links that carry their own proof (schema/file-content.ts): whose rights they are, checked as they are now. */
import { jwtVerify } from 'jose';
import { z } from 'zod';
import type { TenantTable } from '#gateway/graph/tenant-table.ts';
import { actorKinds, type Claims, roles } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { fileLink } from '#schema/file-content.ts';
import type { Authenticator } from './authenticator.ts';
import { scopeOf } from './caller.ts';

export interface FileLinkVerifier {
  /** The claims under which the file may be read. UNAUTHENTICATED for a link that is forged, expired or another file's, or whose rights have ended. */
  verify(token: string, fileId: string): Promise<Claims>;
}

export interface FileLinkOptions {
  /** SUBGRAPH_SECRET. */
  readonly secret: string;
  readonly authenticator: Pick<Authenticator, 'recheck'>;
  readonly tenants: Pick<TenantTable, 'findById' | 'refresh'>;
}

const payloadShape = z.object({
  sub: z.string(),
  exp: z.number(),
  c: z.tuple([
    z.uuid(),
    z.enum(actorKinds),
    z.string().nullable(),
    z.enum(roles).nullable(),
    z.number(),
    z.string().nullable(),
  ]),
});

export function createFileLinkVerifier({
  secret,
  authenticator,
  tenants,
}: FileLinkOptions): FileLinkVerifier {
  const key = new TextEncoder().encode(secret);

  async function read(token: string): Promise<z.infer<typeof payloadShape>> {
    try {
      const { issuer, audience, algorithm } = fileLink;
      const { payload } = await jwtVerify(token, key, { algorithms: [algorithm], issuer, audience });
      return payloadShape.parse(payload);
    } catch (cause) {
      throw ended(cause);
    }
  }

  /** A key cannot be looked at again without itself: any change of rights in the tenant since ends its links. */
  async function requireSameVersion({ tenantId, authVersion }: Claims): Promise<void> {
    let tenant = tenants.findById(tenantId ?? '');
    if (!tenant) {
      await tenants.refresh();
      tenant = tenants.findById(tenantId ?? '');
    }
    if (!tenant || tenant.status !== 'ACTIVE' || tenant.authVersion > authVersion) throw ended();
  }

  return {
    async verify(token, fileId) {
      const { sub, exp, c } = await read(token);
      if (sub !== fileId) throw ended();
      const [tenantId, actorKind, actorId, role, authVersion, sessionId] = c;
      const claims: Claims = { tenantId, actorKind, actorId, role, authVersion, sessionId };
      if (actorId === null || sessionId === null) {
        await requireSameVersion(claims);
        return claims;
      }
      const caller = await authenticator.recheck({
        claims,
        scope: scopeOf(claims),
        proof: {
          kind: 'TOKEN',
          sub: actorId,
          sid: sessionId,
          tenantId: actorKind === 'OPERATOR' ? null : tenantId,
          expiresAtMs: exp * 1000,
        },
      });
      return caller.claims;
    },
  };
}

function ended(cause?: unknown): DomainError {
  return new DomainError('UNAUTHENTICATED', 'The link is not valid, or not any more: ask for another.', {
    cause,
  });
}
