/** Everything that the tenants subgraph keeps. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import { type ApiKeyRows, createApiKeyRows } from './api-key-rows.ts';
import { createEndedCredentials, type EndedCredentials } from './ended-credentials.ts';
import { createIdentityRows, type IdentityRows } from './identity-rows.ts';
import { createOperatorRows, type OperatorRows } from './operator-rows.ts';
import { createSessionRows, type SessionRows } from './session-rows.ts';
import { createSigningKeyRows, type SigningKeyRows } from './signing-key-rows.ts';
import { createTenantRows, type TenantRows } from './tenant-rows.ts';
import { createUserRows, type UserRows } from './user-rows.ts';

export interface TenantStore {
  readonly tenants: TenantRows;
  readonly users: UserRows;
  readonly apiKeys: ApiKeyRows;
  readonly sessions: SessionRows;
  readonly operators: OperatorRows;
  readonly signingKeys: SigningKeyRows;
  readonly identities: IdentityRows;
  readonly endedCredentials: EndedCredentials;
}

/** The database stays the caller's, to close. */
export function createTenantStore(control: ControlDatabase): TenantStore {
  return {
    tenants: createTenantRows(control),
    users: createUserRows(control),
    apiKeys: createApiKeyRows(control),
    sessions: createSessionRows(control),
    operators: createOperatorRows(control),
    signingKeys: createSigningKeyRows(control),
    identities: createIdentityRows(control),
    endedCredentials: createEndedCredentials(control),
  };
}
