/** The tenant's users, as far as the export of a whole tenant knows them: without secrets. */
import type { Claims, Role } from '#schema/claims.ts';

export interface Person {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
}

export interface TenantPeople {
  /** All of them, page by page. */
  list(claims: Claims, requestId: string): AsyncIterable<readonly Person[]>;
  /**
   * Makes somebody a user of the claims' tenant, who signs in once given a password. Null for one who was refused (no
   * seat is left, the address is taken), with the reason.
   */
  add(
    claims: Claims,
    requestId: string,
    person: Omit<Person, 'id'>,
  ): Promise<{ id: string } | { id: null; reason: string }>;
}
