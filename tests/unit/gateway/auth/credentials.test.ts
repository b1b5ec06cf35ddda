import { describe, expect, it } from 'vitest';
import { readCredentials, subdomainOf, type CredentialSource } from '#gateway/auth/credentials.ts';

const rules = { baseDomain: 'api.example.com', allowedOrigins: ['https://console.example'] };
const read = (source: Partial<CredentialSource>) =>
  readCredentials({ headers: {}, cookies: {}, ...source }, rules);

describe('subdomainOf', () => {
  it.each([
    ['acme.api.example.com', 'acme'],
    ['ACME.api.example.com:4000', 'acme'],
    ['api.example.com', null],
    ['a.b.api.example.com', null],
    ['acme.other.com', null],
    ['evilapi.example.com', null],
    [undefined, null],
  ])('%s is of %s', (host, slug) => {
    expect(subdomainOf(host, 'api.example.com')).toBe(slug);
  });
});

describe('readCredentials', () => {
  it('finds nothing where there is nothing', () => {
    expect(read({})).toEqual({ authorization: null, tenant: null, subdomain: null });
    expect(read({ headers: { authorization: '  ', 'x-tenant-id': '' } })).toMatchObject({
      authorization: null,
      tenant: null,
    });
  });

  it('takes a connection’s parameters, however they are written, before headers and cookies', () => {
    const source = {
      headers: { authorization: 'Bearer header', 'x-tenant-id': 'header', host: 'acme.api.example.com' },
      cookies: { tenantry_session: 'cookie' },
      connectionParams: { Authorization: 'Bearer parameter', 'X-Tenant-ID': 'parameter' },
    };
    expect(read(source)).toEqual({
      authorization: 'Bearer parameter',
      tenant: 'parameter',
      subdomain: 'acme',
    });
  });

  it('takes no parameter that is no text', () => {
    expect(
      read({ connectionParams: { authorization: { toString: () => 'Bearer x' } } }).authorization,
    ).toBeNull();
  });

  it.each([
    ['no origin, no browser', {}, true],
    ['our own page', { origin: 'https://api.example.com', host: 'api.example.com' }, true],
    ['an allowed page', { origin: 'https://console.example', host: 'api.example.com' }, true],
    ['a foreign page', { origin: 'https://evil.example', host: 'api.example.com' }, false],
    ['a page in a sandbox', { origin: 'null', host: 'api.example.com' }, false],
    [
      'a page whose origin only looks allowed',
      { origin: 'https://console.example.evil', host: 'api.example.com' },
      false,
    ],
    ['a cross-site GET', { 'sec-fetch-site': 'cross-site' }, false],
    ['a sibling’s GET', { 'sec-fetch-site': 'same-site' }, false],
    ['our own GET', { 'sec-fetch-site': 'same-origin' }, true],
    ['an address that was typed', { 'sec-fetch-site': 'none' }, true],
  ])('lets the cookie count for %s: %o → %s', (_what, headers, counts) => {
    const { authorization } = read({ headers, cookies: { tenantry_session: 'token' } });
    expect(authorization).toBe(counts ? 'Bearer token' : null);
  });
});
