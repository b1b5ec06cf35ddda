/** Who GraphiQL speaks as: kept in this browser, sent with every request. */

export interface Credentials {
  /** An access token, an API key ("tk_…"), or a whole Authorization value; empty: nobody. */
  token: string;
  /** Id or slug, where the token names none; empty: the token's own. */
  tenant: string;
}

const storageKey = 'tenantry:credentials';

export function readCredentials(): Credentials {
  try {
    const stored = JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Credentials>;
    return { token: stored.token ?? '', tenant: stored.tenant ?? '' };
  } catch {
    return { token: '', tenant: '' };
  }
}

export function saveCredentials(credentials: Credentials): void {
  localStorage.setItem(storageKey, JSON.stringify(credentials));
}

/** HTTP headers, and (by the same names) the payload of `connection_init`. */
export function credentialHeaders({ token, tenant }: Credentials): Record<string, string> {
  return {
    ...(token ? { authorization: authorization(token) } : {}),
    ...(tenant ? { 'x-tenant-id': tenant } : {}),
  };
}

function authorization(token: string): string {
  if (token.includes(' ')) return token;
  return token.startsWith('tk_') ? `ApiKey ${token}` : `Bearer ${token}`;
}
