import { decodeProtectedHeader, jwtVerify } from 'jose';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClaimsSigner } from '#gateway/execution/http/claims-signer.ts';
import { anonymousClaims, signedClaims, type Claims } from '#schema/claims.ts';

const secret = 'a secret of the test alone';
const claims: Claims = {
  ...anonymousClaims,
  tenantId: 't1',
  actorKind: 'USER',
  actorId: 'u1',
  role: 'USER',
  authVersion: 3,
};

afterEach(() => vi.useRealTimers());

describe('createClaimsSigner', () => {
  it('signs what a subgraph believes', async () => {
    const token = await createClaimsSigner(secret).sign(claims);
    const { payload } = await jwtVerify(token, new TextEncoder().encode(secret), {
      issuer: signedClaims.issuer,
      audience: signedClaims.audience,
      algorithms: [signedClaims.algorithm],
    });
    expect(payload['claims']).toEqual(claims);
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(signedClaims.lifetimeSeconds);
    expect(decodeProtectedHeader(token).alg).toBe('HS256');
  });

  it('signs once for equal claims, and anew for any that differ', async () => {
    const signer = createClaimsSigner(secret);
    const token = await signer.sign(claims);
    expect(await signer.sign({ ...claims })).toBe(token);
    for (const change of [
      { tenantId: 't2' },
      { actorId: 'u2' },
      { role: 'ADMIN' as const },
      { authVersion: 4 },
      { sessionId: 's' },
    ]) {
      expect(await signer.sign({ ...claims, ...change })).not.toBe(token);
    }
  });

  it('renews a token well before it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const signer = createClaimsSigner(secret);
    const token = await signer.sign(claims);
    vi.setSystemTime(Date.now() + 230_000);
    expect(await signer.sign(claims)).toBe(token);
    vi.setSystemTime(Date.now() + 20_000);
    expect(await signer.sign(claims)).not.toBe(token);
  });
});
