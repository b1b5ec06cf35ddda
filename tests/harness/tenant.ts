/** A tenant made through the public API, with a client for each role. */
import type { Client } from './client.ts';
import type { Product } from './product.ts';

export interface TestTenant {
  id: string;
  slug: string;
  admin: Client;
  adminEmail: string;
  adminToken: string;
  /** The key that registration made. */
  apiKey: string;
}

export const password = 'correct horse battery';

/** Registers a tenant with a slug of its own. */
export async function registerTenant(
  product: Product,
  input: Record<string, unknown> = {},
): Promise<TestTenant> {
  const slug = `t-${crypto.randomUUID().slice(0, 13)}`;
  const adminEmail = `admin@${slug}.example`;
  const { registerTenant: registered } = await product.client().query(
    `mutation ($input: RegisterTenantInput!) {
      registerTenant(input: $input) { tenant { id slug status createdAt } user { id email role } accessToken refreshToken apiKey }
    }`,
    { input: { name: slug, slug, adminEmail, adminPassword: password, plan: 'ENTERPRISE', ...input } },
  );
  return {
    id: registered.tenant.id,
    slug: registered.tenant.slug,
    adminEmail,
    adminToken: registered.accessToken,
    apiKey: registered.apiKey,
    admin: product.client({ authorization: `Bearer ${registered.accessToken}` }),
  };
}

/** A client of a new user of the tenant. */
export async function addUser(
  product: Product,
  tenant: TestTenant,
  role: 'VIEWER' | 'USER' | 'DEVELOPER' | 'ADMIN',
): Promise<Client> {
  const email = `${role.toLowerCase()}-${crypto.randomUUID().slice(0, 8)}@${tenant.slug}.example`;
  await tenant.admin.query(`mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }`, {
    input: { email, password, role, name: role },
  });
  return signIn(product, { email, password, tenant: tenant.slug });
}

export async function signIn(
  product: Product,
  input: { email: string; password: string; tenant?: string },
): Promise<Client> {
  const { login } = await product
    .client()
    .query(`mutation ($input: LoginInput!) { login(input: $input) { accessToken } }`, { input });
  return product.client({ authorization: `Bearer ${login.accessToken}` });
}
