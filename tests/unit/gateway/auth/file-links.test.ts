/** Links as the entities subgraph signs and the gateway verifies them. */
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import type { Caller } from '#gateway/auth/caller.ts';
import { createFileLinkVerifier } from '#gateway/auth/file-links.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import { createFileLinks } from '#subgraphs/entities/files/file-links.ts';

const secret = 'a secret of sixteen or more';
const tenantId = '0198a1b2-0000-7000-8000-000000000001';
const user: Claims = {
  tenantId,
  actorKind: 'USER',
  actorId: 'u1',
  role: 'VIEWER',
  authVersion: 3,
  sessionId: 's1',
};
const key: Claims = { ...user, actorKind: 'SERVICE', actorId: 'k1', sessionId: null };
/** As equal subscribers share it: nobody in particular. */
const shape: Claims = { ...user, actorId: null, sessionId: null };

function verifier(authVersion = 3, status: 'ACTIVE' | 'SUSPENDED' = 'ACTIVE') {
  const tenant = { tenantId, slug: 't', definitionsVersion: 1, authVersion, status };
  const rechecked: Caller[] = [];
  return {
    rechecked,
    ...createFileLinkVerifier({
      secret,
      authenticator: {
        async recheck(caller) {
          rechecked.push(caller);
          if (authVersion > 3) throw new DomainError('UNAUTHENTICATED', 'The session has ended.');
          return caller;
        },
      },
      tenants: { findById: (id) => (id === tenantId ? tenant : undefined), refresh: async () => {} },
    }),
  };
}

async function link(claims: Claims, now = Date.now(), seconds = 600): Promise<string> {
  return (await createFileLinks(secret, () => now).sign(claims, 'f1', seconds)).split('link=')[1] as string;
}

const ended = { code: 'UNAUTHENTICATED' };

describe('a link', () => {
  it.each([user, key, shape])('gives back the claims of whoever asked for it: %j', async (claims) => {
    expect(await verifier().verify(await link(claims), 'f1')).toEqual(claims);
  });

  it('of a user is looked at again by the session, of a key and of nobody by the version of rights', async () => {
    const current = verifier();
    await current.verify(await link(user), 'f1');
    expect(current.rechecked[0]?.proof).toMatchObject({ kind: 'TOKEN', sub: 'u1', sid: 's1', tenantId });
    for (const claims of [user, key, shape])
      await expect(verifier(4).verify(await link(claims), 'f1')).rejects.toMatchObject(ended);
    for (const claims of [key, shape]) {
      await expect(verifier(3, 'SUSPENDED').verify(await link(claims), 'f1')).rejects.toMatchObject(ended);
      const elsewhere = { ...claims, tenantId: '0198a1b2-0000-7000-8000-000000000002' };
      await expect(verifier().verify(await link(elsewhere), 'f1')).rejects.toMatchObject(ended);
    }
  });

  it('opens its file alone, until it expires', async () => {
    const { verify } = verifier();
    await expect(verify(await link(user), 'f2')).rejects.toMatchObject(ended);
    await expect(verify(await link(user, Date.now() - 1_200_000), 'f1')).rejects.toMatchObject(ended);
    expect(await verify(await link(user, Date.now() - 590_000), 'f1')).toEqual(user);
    const other = await createFileLinks('another secret, as long').sign(user, 'f1', 600);
    await expect(verify(other.split('link=')[1] as string, 'f1')).rejects.toMatchObject(ended);
  });

  it('is no other token of ours, and no other token of ours is one', async () => {
    const { verify } = verifier();
    for (const [issuer, audience] of [
      ['tenantry-gateway', 'tenantry-subgraph'],
      ['tenantry-entities', 'tenantry-subgraph'],
      ['tenantry-gateway', 'tenantry-file'],
    ] as const) {
      const token = await new SignJWT({ claims: user, c: [tenantId, 'USER', 'u1', 'ADMIN', 3, 's1'] })
        .setProtectedHeader({ alg: 'HS256' })
        .setSubject('f1')
        .setIssuer(issuer)
        .setAudience(audience)
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(secret));
      await expect(verify(token, 'f1')).rejects.toMatchObject(ended);
    }
  });

  it('is the same within its interval, so that a cache finds it again', async () => {
    const start = 1_700_000_400_000;
    expect(await link(user, start)).toBe(await link(user, start + 599_999));
    expect(await link(user, start)).not.toBe(await link(user, start + 600_000));
  });
});
