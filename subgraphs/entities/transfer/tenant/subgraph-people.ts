/** The tenant's users, asked of the tenants subgraph: seats, roles and the audit are its own. */
import { randomBytes } from 'node:crypto';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { SubgraphService } from '#schema/subgraph-protocol.ts';
import type { Person, TenantPeople } from './people.ts';

const pageSize = 200;

const listQuery = `query ($first: Int, $after: String) {
  users(first: $first, after: $after) { nodes { id email name role } pageInfo { hasNextPage endCursor } }
}`;
const addMutation = 'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }';

interface UserPage {
  users: { nodes: Person[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } };
}

/** `tenants`: in process, or over HTTP. New users get a password that nobody knows. */
export function createSubgraphPeople(tenants: Pick<SubgraphService, 'execute'>): TenantPeople {
  async function ask<Data>(
    claims: Claims,
    requestId: string,
    query: string,
    variables: Record<string, unknown>,
  ): Promise<Data> {
    const request = { query, variables, claims, requestId, definitionsVersion: null, clientAddress: null };
    const { data, errors } = await tenants.execute(request);
    const [error] = errors ?? [];
    if (error)
      throw new DomainError(
        (error.extensions?.code ?? 'INTERNAL_SERVER_ERROR') as DomainError['code'],
        error.message,
      );
    return data as Data;
  }

  async function* list(claims: Claims, requestId: string): AsyncGenerator<readonly Person[]> {
    let after: string | null = null;
    do {
      const page: UserPage = await ask<UserPage>(claims, requestId, listQuery, { first: pageSize, after });
      if (page.users.nodes.length > 0) yield page.users.nodes;
      after = page.users.pageInfo.hasNextPage ? page.users.pageInfo.endCursor : null;
    } while (after !== null);
  }

  return {
    list,
    async add(claims, requestId, { email, name, role }) {
      const input = { email, name, role, password: randomBytes(24).toString('base64url') };
      try {
        const { createUser } = await ask<{ createUser: { id: string } }>(claims, requestId, addMutation, {
          input,
        });
        return { id: createUser.id };
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        if (error.code === 'INTERNAL_SERVER_ERROR' || error.code === 'SUBGRAPH_UNAVAILABLE') throw error;
        return { id: null, reason: error.message };
      }
    },
  };
}

/** Where the tenants subgraph is out of reach: a tenant's file has no users, and those of a file find none. */
export const nobody: TenantPeople = {
  // oxlint-disable-next-line require-yield
  async *list() {},
  async add() {
    return { id: null, reason: 'the service that keeps users is not reachable from here' };
  },
};
