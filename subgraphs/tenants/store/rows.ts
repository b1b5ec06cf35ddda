/** Rows of the control tables as the rest of the subgraph sees them: no secrets, no database types. */
import type { Role } from '#schema/claims.ts';
import type { TenantStatus } from '#schema/subgraph-protocol.ts';

export type PlanCode = 'FREE' | 'PROFESSIONAL' | 'ENTERPRISE';

export interface TenantRow {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly status: TenantStatus;
  readonly plan: PlanCode;
  /** As chosen; the effective number is `seatsOf`. */
  readonly maxUsers: number | null;
  readonly contactEmail: string | null;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly createdAt: Date;
}

/** A user of a tenant, or (role OPERATOR) an operator of the platform. */
export interface UserRow {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  readonly createdAt: Date;
}

export interface ApiKeyRow {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly prefix: string;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
}

/** What a password is checked against. */
export interface Credential {
  readonly user: UserRow;
  readonly passwordHash: string;
}

/** A page in order of id (ids rise with time). */
export interface RowPage<Row> {
  readonly rows: readonly Row[];
  readonly hasNextPage: boolean;
}

/** SHA-256 of a secret that has 256 bits of entropy. */
export type SecretHash = Uint8Array<ArrayBuffer>;
