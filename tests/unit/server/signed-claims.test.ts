import { expect, it, vi } from 'vitest';
import { anonymousClaims, signedClaims } from '#schema/claims.ts';
import { createClaimsSigner, createClaimsVerifier } from '#subgraphs/server/signed-claims.ts';

const secret = 'a secret of sixteen or more';

it('come out as they went in, and frozen', async () => {
  const claims = { ...anonymousClaims, tenantId: crypto.randomUUID(), role: 'ADMIN' as const };
  const verified = await createClaimsVerifier(secret).verify(await createClaimsSigner(secret)(claims));
  expect(verified).toEqual(claims);
  expect(Object.isFrozen(verified)).toBe(true);
});

it('are refused once they have expired, also where they were known', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    const verifier = createClaimsVerifier(secret);
    const token = await createClaimsSigner(secret)(anonymousClaims);
    await verifier.verify(token);
    vi.setSystemTime(Date.now() + (signedClaims.lifetimeSeconds - 1) * 1000);
    await expect(verifier.verify(token)).resolves.toEqual(anonymousClaims);
    vi.setSystemTime(Date.now() + 2_000);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  } finally {
    vi.useRealTimers();
  }
});
