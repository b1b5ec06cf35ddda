/** A new tenant, all or nothing: the tenant, its administrator, its key and its templates, or none of it. */
import { randomUUIDv7 } from 'node:crypto';
import { DomainError, type ErrorCode, errorCodes } from '#schema/errors.ts';
import type { SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import type { Logger } from '#subgraphs/server/logger.ts';
import { hashPassword } from './auth/passwords.ts';
import { apiKeyPrefix, createSecretToken, recognisablePart } from './auth/secret-tokens.ts';
import type { Authentication, Sessions } from './auth/sessions.ts';
import { createInputCheck } from './input-rules.ts';
import { slugCandidates, slugFromName, slugProblem } from './slug.ts';
import type { PlanCode, UserRow } from './store/rows.ts';
import { isUniqueViolation } from './store/tenant-change.ts';
import { systemClaims, type TenantDraft } from './store/tenant-rows.ts';
import type { TenantStore } from './store/tenant-store.ts';

export interface RegisterTenantInput {
  name: string;
  adminEmail: string;
  adminPassword: string;
  adminName?: string | null;
  slug?: string | null;
  plan?: PlanCode | null;
  maxUsers?: number | null;
  templates?: readonly string[] | null;
}

export interface Registration {
  readonly authentication: Authentication;
  /** The key itself. */
  readonly apiKey: string;
}

export interface RegistrationDesk {
  /** BAD_USER_INPUT; CONFLICT naming `slug`. */
  register(input: RegisterTenantInput, request: RequestFacts): Promise<Registration>;
  /** Removes what registrations that a crash interrupted left behind. Returns how many. */
  sweep(): Promise<number>;
}

type RequestFacts = Pick<SubgraphRequest, 'requestId' | 'clientAddress'>;

export interface RegistrationOptions {
  store: TenantStore;
  sessions: Sessions;
  /** Knows the templates and applies them. */
  entities: Pick<SubgraphService, 'execute'>;
  logger: Logger;
  announce(tenantId: string): void;
}

/** A registration that is older has been abandoned: none takes nearly as long. */
const abandonedAfterMs = 10 * 60 * 1000;
const mostTemplates = 20;
/** Rounds of ten candidates before a derived slug is given up. */
const slugRounds = 100;

function checkInput(input: RegisterTenantInput): void {
  const check = createInputCheck();
  check.name('name', input.name);
  check.email('adminEmail', input.adminEmail);
  check.password('adminPassword', input.adminPassword);
  if (input.adminName) check.name('adminName', input.adminName);
  const problem = input.slug === null || input.slug === undefined ? null : slugProblem(input.slug);
  if (problem) check.broken('slug', 'slug', problem);
  if (typeof input.maxUsers === 'number' && input.maxUsers < 1)
    check.broken('maxUsers', 'min', 'must be at least 1');
  if ((input.templates?.length ?? 0) > mostTemplates) {
    check.broken('templates', 'length', `may name at most ${mostTemplates}`);
  }
  check.done();
}

function slugTaken(slug: string): DomainError {
  const message = `slug "${slug}" is taken`;
  return new DomainError('CONFLICT', message, { fields: [{ field: 'slug', rule: 'unique', message }] });
}

export function createRegistrationDesk(options: RegistrationOptions): RegistrationDesk {
  const { store, entities, logger } = options;

  /** Runs an operation of the entities subgraph as the platform, in the tenant. Its first error is thrown. */
  async function ask(
    tenantId: string,
    request: RequestFacts,
    query: string,
    variables?: Record<string, unknown>,
  ) {
    const { requestId, clientAddress } = request;
    const result = await entities.execute({
      query,
      variables,
      claims: systemClaims(tenantId),
      definitionsVersion: null,
      requestId,
      clientAddress,
    });
    const [error] = result.errors ?? [];
    if (!error) return result.data ?? {};
    const code = error.extensions?.code;
    const known = errorCodes.includes(code as ErrorCode) ? (code as ErrorCode) : 'INTERNAL_SERVER_ERROR';
    throw new DomainError(known, error.message, { cause: error });
  }

  async function applyTemplates(
    tenantId: string,
    names: readonly string[],
    request: RequestFacts,
  ): Promise<void> {
    if (names.length === 0) return;
    const { templates } = (await ask(tenantId, request, '{ templates { name } }')) as {
      templates: { name: string }[];
    };
    const known = new Set(templates.map((template) => template.name));
    const check = createInputCheck();
    for (const [index, name] of names.entries()) {
      if (known.has(name)) continue;
      check.broken(`templates.${index}`, 'known', `must be one of ${[...known].join(', ')}`);
    }
    check.done();
    const mutation = 'mutation ApplyTemplate($name: String!) { applyTemplate(name: $name) { name } }';
    for (const name of new Set(names)) await ask(tenantId, request, mutation, { name });
  }

  /** Inserts the draft under its slug, or under the first free one made from the name. */
  async function insert(draft: Omit<TenantDraft, 'slug'>, asked: string | null): Promise<UserRow> {
    const base = asked ?? slugFromName(draft.name);
    for (let round = 0; round < slugRounds; round += 1) {
      const candidates = asked === null ? slugCandidates(base, round * 10 + 1, 10) : [base];
      const taken = await store.tenants.takenSlugs(candidates);
      for (const slug of candidates.filter((candidate) => !taken.has(candidate))) {
        try {
          return (await store.tenants.register({ ...draft, slug })).user;
        } catch (error) {
          // Somebody was faster; the next candidate may be free.
          if (!isUniqueViolation(error)) throw error;
        }
      }
      if (asked !== null) break;
    }
    throw slugTaken(base);
  }

  async function remove(tenantId: string): Promise<void> {
    try {
      await store.tenants.remove(tenantId);
    } catch (error) {
      // It stays INACTIVE and marked; the sweep removes it.
      logger.error({ err: error, tenantId }, 'an unfinished registration could not be removed');
    }
  }

  return {
    async register(input, request) {
      checkInput(input);
      const key = createSecretToken(apiKeyPrefix);
      const id = randomUUIDv7();
      const draft = {
        id,
        name: input.name.trim(),
        plan: input.plan ?? 'FREE',
        maxUsers: input.maxUsers ?? null,
        contactEmail: input.adminEmail,
        admin: {
          id: randomUUIDv7(),
          email: input.adminEmail,
          name: input.adminName?.trim() || null,
          passwordHash: await hashPassword(input.adminPassword),
        },
        apiKey: { id: randomUUIDv7(), name: 'default', prefix: recognisablePart(key.text), hash: key.hash },
      };
      const user = await insert(draft, input.slug ?? null);
      try {
        await applyTemplates(id, input.templates ?? [], request);
        const tenant = await store.tenants.complete(id);
        const authentication = await options.sessions.open(
          { user, passwordHash: draft.admin.passwordHash },
          tenant,
        );
        options.announce(id);
        return { authentication, apiKey: key.text };
      } catch (error) {
        await remove(id);
        throw error;
      }
    },

    async sweep() {
      const abandoned = await store.tenants.findAbandoned(new Date(Date.now() - abandonedAfterMs));
      for (const id of abandoned) await remove(id);
      return abandoned.length;
    },
  };
}
