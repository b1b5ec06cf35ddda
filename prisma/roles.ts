/** The two roles that the product connects as. Neither can bypass row-level security. */
import { createHmac } from 'node:crypto';

/** `app` sees the rows of the claims' tenant; `platform` what must run before a tenant is known, or across tenants. */
export const databaseRoles = { app: 'tenantry_app', platform: 'tenantry_platform' } as const;
export type DatabaseRole = (typeof databaseRoles)[keyof typeof databaseRoles];

/**
 * The password of both roles, derived from the platform's secret: every process that has the secret can log in, and
 * nothing has to be handed around or stored. Roles belong to a whole cluster, so installations that share one share
 * the secret too.
 */
export function deriveRolePassword(secret: string): string {
  return createHmac('sha256', secret).update('tenantry database roles').digest('base64url');
}

/**
 * The URL `url` as `role`. `rolePassword` null: the role logs in without one (a cluster that trusts local
 * connections, as in tests).
 */
export function roleUrl(url: string, role: DatabaseRole, rolePassword: string | null): string {
  const parsed = new URL(url);
  parsed.username = role;
  parsed.password = rolePassword === null ? '' : encodeURIComponent(rolePassword);
  // A user or password in the query would win over these.
  parsed.searchParams.delete('user');
  parsed.searchParams.delete('password');
  return parsed.toString();
}
