/** Claims for tests that start below the gateway. */
import { randomUUID } from 'node:crypto';
import { anonymousClaims, type Claims } from '#schema/claims.ts';

/** A user of a tenant: ADMIN, unless told otherwise. */
export function testClaims(tenantId: string, claims: Partial<Claims> = {}): Claims & { tenantId: string } {
  return {
    ...anonymousClaims,
    actorKind: 'USER',
    actorId: randomUUID(),
    role: 'ADMIN',
    authVersion: 1,
    ...claims,
    tenantId,
  };
}
