import { type FormEvent, useState } from 'react';
import type { Credentials } from './credentials.ts';

export interface CredentialsBarProps {
  credentials: Credentials;
  onChange(credentials: Credentials): void;
}

/** Token and tenant; nothing is sent with them before "Use". */
export function CredentialsBar({ credentials, onChange }: CredentialsBarProps) {
  const [token, setToken] = useState(credentials.token);
  const [tenant, setTenant] = useState(credentials.tenant);
  const isUsed = token === credentials.token && tenant === credentials.tenant;

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const next = { token: token.trim(), tenant: tenant.trim() };
    setToken(next.token);
    setTenant(next.tenant);
    onChange(next);
  };
  const clear = () => {
    setToken('');
    setTenant('');
    onChange({ token: '', tenant: '' });
  };
  return (
    <form className="credentials" onSubmit={submit} autoComplete="off">
      <strong>Tenantry</strong>
      <label>
        Token
        <input
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="access token or tk_… API key"
          value={token}
          onChange={(event) => setToken(event.target.value)}
        />
      </label>
      <label>
        Tenant
        <input
          name="tenant"
          spellCheck={false}
          placeholder="the token's"
          value={tenant}
          onChange={(event) => setTenant(event.target.value)}
        />
      </label>
      <button type="submit" disabled={isUsed}>
        {isUsed ? 'In use' : 'Use'}
      </button>
      <button type="button" onClick={clear} disabled={!credentials.token && !credentials.tenant}>
        Forget
      </button>
      <a href="/schema.graphql" hidden={credentials.token !== ''}>
        schema.graphql
      </a>
    </form>
  );
}
