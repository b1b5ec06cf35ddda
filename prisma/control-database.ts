/** The control tables' way to PostgreSQL: Prisma, once for each role. */
import { PrismaPg } from '@prisma/adapter-pg';
import type { Claims } from '#schema/claims.ts';
import { databaseClaims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { Prisma } from './generated/client.ts';
import { PrismaClient } from './generated/client.ts';
import { type DatabaseRole, databaseRoles, roleUrl } from './roles.ts';

export interface ControlDatabase extends AsyncDisposable {
  /** A transaction as tenantry_app under `claims`. TENANT_REQUIRED where they name no tenant. */
  tenant<T>(claims: Claims, work: (tx: Prisma.TransactionClient) => Promise<T>): Promise<T>;
  /** The client as tenantry_platform: what must run before a tenant is known, or across tenants. */
  readonly platform: PrismaClient;
}

export interface ControlDatabaseOptions {
  url: string;
  /** See `deriveRolePassword`; null where the roles log in without one. */
  rolePassword: string | null;
  /** Connections of each role. Default 5. */
  poolSize?: number;
}

/** How long a transaction may wait for a connection, and may take. */
const transactionLimits = { maxWait: 10_000, timeout: 20_000 } as const;

/** Connects with the first query. Dispose of it to close the connections. */
export function createControlDatabase(options: ControlDatabaseOptions): ControlDatabase {
  const connect = (role: DatabaseRole) =>
    new PrismaClient({
      adapter: new PrismaPg({
        connectionString: roleUrl(options.url, role, options.rolePassword),
        max: options.poolSize ?? 5,
        idleTimeoutMillis: 60_000,
      }),
      transactionOptions: transactionLimits,
    });
  const app = connect(databaseRoles.app);
  const platform = connect(databaseRoles.platform);

  return {
    platform,
    async tenant(claims, work) {
      if (claims.tenantId === null) throw new DomainError('TENANT_REQUIRED', 'This needs a tenant');
      return app.$transaction(async (tx) => {
        await tx.$executeRaw`select set_config('request.jwt.claims', ${databaseClaims(claims)}, true)`;
        return work(tx);
      });
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([app.$disconnect(), platform.$disconnect()]);
    },
  };
}
