import { describe, expect, it } from 'vitest';
import { databaseRoles, deriveRolePassword, roleUrl } from '#prisma/roles.ts';

describe('roleUrl', () => {
  const { app, platform } = databaseRoles;

  it('replaces user and password and keeps everything else', () => {
    const url = 'postgresql://owner:p%40ss@db.example:6432/tenantry?sslmode=require';
    expect(roleUrl(url, app, 'a b/c')).toBe(
      'postgresql://tenantry_app:a%20b%2Fc@db.example:6432/tenantry?sslmode=require',
    );
  });

  it('takes the password away where the role has none', () => {
    expect(roleUrl('postgresql://owner:secret@127.0.0.1:5432/x', platform, null)).toBe(
      'postgresql://tenantry_platform@127.0.0.1:5432/x',
    );
  });

  it('lets no user or password in the query win', () => {
    const url = 'postgresql://127.0.0.1/x?user=owner&password=secret&host=/var/run/postgresql';
    const parsed = new URL(roleUrl(url, app, 'p'));
    expect([...parsed.searchParams.keys()]).toEqual(['host']);
    expect(parsed.username).toBe('tenantry_app');
  });
});

describe('deriveRolePassword', () => {
  it('is the same for the same secret, and tells nothing of it', () => {
    const password = deriveRolePassword('a secret of some length');
    expect(deriveRolePassword('a secret of some length')).toBe(password);
    expect(deriveRolePassword('a secret of some lengti')).not.toBe(password);
    expect(password).toMatch(/^[\w-]{43}$/);
  });
});
