/** What a tenant's administrators change: users, keys, the tenant itself. Rights were checked before. */
import { randomUUIDv7 } from 'node:crypto';
import { type Claims, type Role, roleReaches } from '#schema/claims.ts';
import { DomainError, invalidField } from '#schema/errors.ts';
import { hashPassword } from './auth/passwords.ts';
import { apiKeyPrefix, createSecretToken, recognisablePart } from './auth/secret-tokens.ts';
import { createInputCheck } from './input-rules.ts';
import { seatsOf } from './plans.ts';
import type { ApiKeyRow, PlanCode, TenantRow, UserRow } from './store/rows.ts';
import { isUniqueViolation } from './store/tenant-change.ts';
import type { TenantStore } from './store/tenant-store.ts';
import type { UserChange } from './store/user-rows.ts';
import { isUuid } from './uuid.ts';

const mostApiKeys = 100;
const userRoles: readonly Role[] = ['VIEWER', 'USER', 'DEVELOPER', 'ADMIN'];
const keyRoles: readonly Role[] = [...userRoles, 'SERVICE'];

export interface CreateUserInput {
  email: string;
  password: string;
  name?: string | null;
  role?: Role | null;
}

export interface UpdateUserInput {
  email?: string | null;
  password?: string | null;
  name?: string | null;
  role?: Role | null;
}

export interface CreateApiKeyInput {
  name: string;
  role?: Role | null;
  expiresAt?: Date | null;
}

export interface UpdateTenantInput {
  name?: string | null;
  contactEmail?: string | null;
  settings?: unknown;
  maxUsers?: number | null;
}

export interface Administration {
  createUser(claims: Claims, input: CreateUserInput): Promise<UserRow>;
  updateUser(claims: Claims, id: string, input: UpdateUserInput): Promise<UserRow>;
  deleteUser(claims: Claims, id: string): Promise<void>;
  createApiKey(claims: Claims, input: CreateApiKeyInput): Promise<{ apiKey: ApiKeyRow; key: string }>;
  revokeApiKey(claims: Claims, id: string): Promise<void>;
  updateTenant(claims: Claims, input: UpdateTenantInput): Promise<TenantRow>;
  changePlan(claims: Claims, plan: PlanCode): Promise<TenantRow>;
}

/** Throws FORBIDDEN for a role above the caller's own, BAD_USER_INPUT for one that cannot be given here. */
function requireGrantable(claims: Claims, role: Role, grantable: readonly Role[]): void {
  if (!roleReaches(claims.role, role))
    throw new DomainError('FORBIDDEN', `You cannot give the role ${role}: it is above yours`);
  if (!grantable.includes(role))
    throw invalidField('role', 'oneOf', `role must be one of ${grantable.join(', ')}`);
}

function requireId(id: string, what: string): void {
  if (!isUuid(id)) throw new DomainError('NOT_FOUND', `The ${what} does not exist`);
}

/** Where the database says that an e-mail is taken, says it to the caller. */
async function refusingTakenEmail<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    const message = 'email is taken by another user of this tenant';
    throw new DomainError('CONFLICT', message, { fields: [{ field: 'email', rule: 'unique', message }] });
  }
}

/** Throws QUOTA_EXCEEDED where `users` do not fit. */
function requireSeats(tenant: Pick<TenantRow, 'plan' | 'maxUsers'>, users: number): void {
  const seats = seatsOf(tenant);
  if (seats === null || users <= seats) return;
  throw new DomainError('QUOTA_EXCEEDED', `The plan ${tenant.plan} has ${seats} users here`, {
    details: { limit: seats },
  });
}

export function createAdministration(options: {
  store: TenantStore;
  /** Called after a change of a tenant's rights. */
  announce(tenantId: string): void;
}): Administration {
  const { store } = options;

  /** The result of a change, after it was announced. */
  async function announced<T>(claims: Claims, change: Promise<T>): Promise<T> {
    const result = await change;
    if (claims.tenantId) options.announce(claims.tenantId);
    return result;
  }

  return {
    async createUser(claims, { email, password, name, role }) {
      const check = createInputCheck();
      check.email('email', email);
      check.password('password', password);
      if (name) check.name('name', name);
      check.done();
      const given = role ?? 'USER';
      requireGrantable(claims, given, userRoles);
      const passwordHash = await hashPassword(password);
      const draft = { id: randomUUIDv7(), email, name: name?.trim() || null, role: given, passwordHash };
      const created = store.users.create(claims, draft, (tenant, users) => requireSeats(tenant, users + 1));
      return announced(claims, refusingTakenEmail(created));
    },

    async updateUser(claims, id, { email, password, name, role }) {
      const check = createInputCheck();
      if (email) check.email('email', email);
      if (password) check.password('password', password);
      if (name) check.name('name', name);
      // Absent leaves a field as it is; null would empty one that has to have a value.
      for (const [field, value] of Object.entries({ email, password, role })) {
        if (value === null || value === '') check.broken(field, 'required', 'cannot be empty');
      }
      check.done();
      if (role) requireGrantable(claims, role, userRoles);
      requireId(id, 'user');
      const change: UserChange = {
        ...(email ? { email } : {}),
        ...(name === undefined ? {} : { name: name?.trim() || null }),
        ...(role ? { role } : {}),
        ...(password ? { passwordHash: await hashPassword(password) } : {}),
      };
      return announced(claims, refusingTakenEmail(store.users.update(claims, id, change)));
    },

    async deleteUser(claims, id) {
      requireId(id, 'user');
      await announced(claims, store.users.remove(claims, id));
    },

    async createApiKey(claims, { name, role, expiresAt }) {
      const check = createInputCheck();
      check.name('name', name);
      if (expiresAt && expiresAt.getTime() <= Date.now())
        check.broken('expiresAt', 'future', 'must be in the future');
      check.done();
      const given = role ?? 'SERVICE';
      requireGrantable(claims, given, keyRoles);
      const secret = createSecretToken(apiKeyPrefix);
      const draft = {
        id: randomUUIDv7(),
        name: name.trim(),
        role: given,
        prefix: recognisablePart(secret.text),
        hash: secret.hash,
        createdBy: claims.actorKind === 'USER' ? claims.actorId : null,
        expiresAt: expiresAt ?? null,
      };
      const apiKey = await announced(claims, store.apiKeys.create(claims, draft, mostApiKeys));
      return { apiKey, key: secret.text };
    },

    async revokeApiKey(claims, id) {
      requireId(id, 'API key');
      await announced(claims, store.apiKeys.revoke(claims, id));
    },

    async updateTenant(claims, { name, contactEmail, settings, maxUsers }) {
      const check = createInputCheck();
      if (name === null) check.broken('name', 'required', 'cannot be empty');
      else if (name !== undefined) check.name('name', name);
      if (contactEmail) check.email('contactEmail', contactEmail);
      if (settings !== undefined) check.settings('settings', settings);
      if (typeof maxUsers === 'number' && maxUsers < 1) check.broken('maxUsers', 'min', 'must be at least 1');
      check.done();
      const change = {
        ...(name ? { name: name.trim() } : {}),
        ...(contactEmail === undefined ? {} : { contactEmail: contactEmail || null }),
        ...(settings === undefined ? {} : { settings: settings as Record<string, unknown> }),
        ...(maxUsers === undefined ? {} : { maxUsers }),
      };
      return store.tenants.update(claims, change, (tenant, users) => {
        if (maxUsers !== undefined) requireSeats({ ...tenant, maxUsers }, users);
      });
    },

    changePlan(claims, plan) {
      return store.tenants.update(claims, { plan }, (tenant, users) =>
        requireSeats({ ...tenant, plan }, users),
      );
    },
  };
}
