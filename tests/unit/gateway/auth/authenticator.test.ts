/** Which tenant a caller is in, and what each contradiction answers. */
import { describe, expect, it } from 'vitest';
import { createAuthenticator } from '#gateway/auth/authenticator.ts';
import type { Credentials } from '#gateway/auth/caller.ts';
import type { Claims } from '#schema/claims.ts';
import type { TenantVersion } from '#schema/subgraph-protocol.ts';

const tenant = (slug: string, change: Partial<TenantVersion> = {}): TenantVersion => ({
  tenantId: `id-of-${slug}`,
  slug,
  status: 'ACTIVE',
  definitionsVersion: 1,
  authVersion: 5,
  ...change,
});

function setUp(
  options: {
    tenants?: TenantVersion[];
    heardOfLater?: TenantVersion[];
    subject?: Claims | null;
    onRefresh?: () => void;
  } = {},
) {
  const known = [...(options.tenants ?? [tenant('acme'), tenant('globex')])];
  const looked: string[] = [];
  let refreshes = 0;
  const authenticator = createAuthenticator({
    tenants: {
      findById: (id) => known.find((it) => it.tenantId === id),
      findBySlug: (slug) => known.find((it) => it.slug === slug),
      async refresh() {
        refreshes += 1;
        known.push(...(options.heardOfLater ?? []));
        options.onRefresh?.();
      },
    },
    tokens: {
      async verify(token) {
        const [role = '', slug, version] = token.split(':');
        return {
          sub: 'u1',
          sid: 's1',
          ...(slug ? { tenant_id: `id-of-${slug}` } : {}),
          role: role as 'ADMIN',
          auth_version: Number(version ?? 5),
          exp: Date.now() / 1000 + 60,
        };
      },
    },
    rights: {
      async ofApiKey() {
        looked.push('key');
        return options.subject ?? null;
      },
      async ofSubject() {
        looked.push('subject');
        return options.subject ?? null;
      },
    },
  });
  const ask = (credentials: Partial<Credentials>) =>
    authenticator.authenticate({ authorization: null, tenant: null, subdomain: null, ...credentials });
  return { authenticator, ask, looked, refreshes: () => refreshes };
}

const operator: Claims = {
  tenantId: null,
  actorKind: 'OPERATOR',
  actorId: 'o1',
  role: 'OPERATOR',
  authVersion: 0,
  sessionId: 's1',
};
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? 'unknown',
  );

describe('authenticate', () => {
  it('believes a token of the current authVersion without a look-up', async () => {
    const { ask, looked } = setUp();
    const { claims, scope } = await ask({ authorization: 'Bearer ADMIN:acme:5' });
    expect(claims).toMatchObject({
      tenantId: 'id-of-acme',
      role: 'ADMIN',
      actorKind: 'USER',
      authVersion: 5,
    });
    expect(scope).toEqual({ audience: 'TENANT', tenantId: 'id-of-acme' });
    expect(looked).toEqual([]);
  });

  it('looks the rights up again when the token is behind', async () => {
    const subject: Claims = {
      ...operator,
      tenantId: 'id-of-acme',
      actorKind: 'USER',
      role: 'VIEWER',
      authVersion: 5,
    };
    const { ask, looked } = setUp({ subject });
    expect((await ask({ authorization: 'Bearer ADMIN:acme:4' })).claims.role).toBe('VIEWER');
    expect(looked).toEqual(['subject']);
    expect(await codeOf(setUp().ask({ authorization: 'Bearer ADMIN:acme:4' }))).toBe('UNAUTHENTICATED');
  });

  it('polls once for a tenant that it has not heard of', async () => {
    const fresh = setUp({ heardOfLater: [tenant('fresh')] });
    expect((await fresh.ask({ authorization: 'Bearer ADMIN:fresh:9' })).claims.tenantId).toBe('id-of-fresh');
    const unknown = setUp();
    expect(await codeOf(unknown.ask({ authorization: 'Bearer ADMIN:nosuch:9' }))).toBe('TENANT_NOT_FOUND');
    expect(unknown.refreshes()).toBe(1);
  });

  it('polls once when the credential knows of a change that it has not heard of', async () => {
    const stale = tenant('acme', { status: 'INACTIVE', authVersion: 5 });
    const onRefresh = () => void Object.assign(stale, tenant('acme', { authVersion: 6 }));
    const { ask, refreshes } = setUp({ tenants: [stale], onRefresh });
    expect((await ask({ authorization: 'Bearer ADMIN:acme:6' })).claims.authVersion).toBe(6);
    expect(refreshes()).toBe(1);
  });

  it('refuses a header that contradicts, and ignores a subdomain that does', async () => {
    const { ask } = setUp();
    for (const other of ['globex', 'id-of-globex', 'nosuch']) {
      expect(await codeOf(ask({ authorization: 'Bearer ADMIN:acme', tenant: other }))).toBe('FORBIDDEN');
    }
    expect((await ask({ authorization: 'Bearer ADMIN:acme', subdomain: 'globex' })).claims.tenantId).toBe(
      'id-of-acme',
    );
  });

  it('refuses whoever belongs to a tenant that is not active, but not the operator', async () => {
    const tenants = [tenant('acme', { status: 'SUSPENDED' })];
    expect(await codeOf(setUp({ tenants }).ask({ authorization: 'Bearer ADMIN:acme' }))).toBe(
      'TENANT_SUSPENDED',
    );
    const inside = await setUp({ tenants, subject: operator }).ask({
      authorization: 'Bearer OPERATOR',
      tenant: 'acme',
    });
    expect(inside.claims).toEqual({ ...operator, tenantId: 'id-of-acme', authVersion: 5 });
  });

  it('lets an operator choose by header, then by subdomain, or not at all', async () => {
    const { ask } = setUp({ subject: operator });
    const authorization = 'Bearer OPERATOR';
    expect((await ask({ authorization })).scope).toEqual({ audience: 'PLATFORM', tenantId: null });
    expect((await ask({ authorization, subdomain: 'globex' })).claims.tenantId).toBe('id-of-globex');
    expect((await ask({ authorization, tenant: 'acme', subdomain: 'globex' })).claims.tenantId).toBe(
      'id-of-acme',
    );
    expect(await codeOf(ask({ authorization, tenant: 'nosuch' }))).toBe('TENANT_NOT_FOUND');
  });

  it('takes nobody without a tenant for an operator', async () => {
    expect(await codeOf(setUp({ subject: operator }).ask({ authorization: 'Bearer ADMIN' }))).toBe(
      'UNAUTHENTICATED',
    );
    expect(await codeOf(setUp().ask({ authorization: 'Bearer OPERATOR' }))).toBe('UNAUTHENTICATED');
    expect(await codeOf(setUp({ subject: operator }).ask({ authorization: 'ApiKey tk_x' }))).toBe(
      'UNAUTHENTICATED',
    );
  });
});

describe('recheck', () => {
  it('answers the same caller while nothing changed', async () => {
    const { authenticator, ask, looked } = setUp();
    const caller = await ask({ authorization: 'Bearer ADMIN:acme:5' });
    expect(await authenticator.recheck(caller)).toBe(caller);
    expect(looked).toEqual([]);
  });

  it('never moves a caller to another tenant', async () => {
    const { authenticator, ask } = setUp({ subject: { ...operator, tenantId: 'id-of-globex' } });
    const caller = await ask({ authorization: 'Bearer ADMIN:acme:5' });
    const behind = { ...caller, claims: { ...caller.claims, authVersion: 1 } };
    expect(await codeOf(authenticator.recheck(behind))).toBe('UNAUTHENTICATED');
  });
});
