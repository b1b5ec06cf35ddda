/** The tenants subgraph on a database of its own, with claims for whoever asks. */
import type { ExecutionResult } from 'graphql';
import { createControlDatabase } from '#prisma/control-database.ts';
import { anonymousClaims, type Claims, type Role } from '#schema/claims.ts';
import type { IdentityService, SubgraphRequest, SubgraphService } from '#schema/subgraph-protocol.ts';
import { createLogger } from '#subgraphs/server/logger.ts';
import { createTenantsService } from '#subgraphs/tenants/service.ts';
import { createTenantStore, type TenantStore } from '#subgraphs/tenants/store/tenant-store.ts';
import { createTestDatabase } from '#tests/harness/database.ts';

export const secret = 'a-secret-of-these-tests-0123456789';
export const password = 'correct horse battery';
export const operator = { email: 'operator@platform.example', password: 'operator-password-1' };

// oxlint-disable-next-line typescript/no-explicit-any -- the shape is the test's to know
export type Anything = any;

export interface Registered {
  id: string;
  slug: string;
  adminId: string;
  adminEmail: string;
  admin: Claims;
  accessToken: string;
  refreshToken: string;
  apiKey: string;
}

export interface Subject extends AsyncDisposable {
  readonly url: string;
  readonly service: SubgraphService;
  readonly identity: IdentityService;
  readonly store: TenantStore;
  /** Tenants that a wake-up was published for. */
  readonly hints: string[];
  /** What the entities subgraph was asked; `answer` may be replaced. */
  readonly entities: { asked: SubgraphRequest[]; answer: (request: SubgraphRequest) => ExecutionResult };
  send(claims: Claims, query: string, variables?: Record<string, unknown>): Promise<ExecutionResult>;
  /** The data; throws where there are errors. */
  query(claims: Claims, query: string, variables?: Record<string, unknown>): Promise<Anything>;
  /** The first error's code; throws where there is none. */
  codeOf(claims: Claims, query: string, variables?: Record<string, unknown>): Promise<string>;
  register(input?: Record<string, unknown>): Promise<Registered>;
  /** A user of the tenant, signed in. */
  addUser(
    tenant: Registered,
    role: Role,
    email?: string,
  ): Promise<{ id: string; email: string; claims: Claims }>;
  signIn(input: { email: string; password: string; tenant?: string }): Promise<Claims>;
}

const registration = `mutation ($input: RegisterTenantInput!) { registerTenant(input: $input) {
  tenant { id slug status plan maxUsers createdAt } user { id email role } accessToken refreshToken apiKey } }`;

/** The templates' answers that the entities subgraph would give. */
function answerTemplates(request: SubgraphRequest): ExecutionResult {
  if (request.query.includes('applyTemplate')) return { data: { applyTemplate: [{ name: 'client' }] } };
  return { data: { templates: [{ name: 'crm' }, { name: 'pim' }] } };
}

export async function createSubject(): Promise<Subject> {
  await using opening = new AsyncDisposableStack();
  const database = opening.use(await createTestDatabase());
  const control = opening.use(createControlDatabase(database));
  const store = createTenantStore(control);
  const hints: string[] = [];
  const entities: Subject['entities'] = { asked: [], answer: answerTemplates };
  const { service, identity } = await createTenantsService({
    store,
    secret,
    logger: createLogger('silent'),
    operator,
    entities: {
      async execute(request) {
        entities.asked.push(request);
        return entities.answer(request);
      },
    },
    wakeUp: { publish: (tenantId) => void hints.push(tenantId) },
  });
  const opened = opening.move();

  const send: Subject['send'] = (claims, query, variables) =>
    service.execute({
      query,
      variables,
      claims,
      definitionsVersion: null,
      requestId: 'test',
      clientAddress: null,
    });
  const query: Subject['query'] = async (claims, text, variables) => {
    const result = await send(claims, text, variables);
    if (result.errors) throw new Error(`${text.slice(0, 200)}\n${JSON.stringify(result.errors)}`);
    return result.data;
  };
  const claimsOf = async (token: string): Promise<Claims> => {
    const payload = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const subject = { sub: payload.sub, sid: payload.sid, tenantId: payload.tenant_id ?? null };
    const { claims } = await identity.identify({ kind: 'SUBJECT', ...subject });
    if (!claims) throw new Error('the token is of nobody');
    return claims;
  };

  const subject: Subject = {
    url: database.url,
    service,
    identity,
    store,
    hints,
    entities,
    send,
    query,
    async codeOf(claims, text, variables) {
      const { errors, data } = await send(claims, text, variables);
      if (!errors?.[0]) throw new Error(`expected an error, got ${JSON.stringify(data)}`);
      return String(errors[0].extensions.code);
    },
    async register(input = {}) {
      const slug = `t-${crypto.randomUUID().slice(0, 13)}`;
      const adminEmail = `admin@${slug}.example`;
      const { registerTenant: made } = await query(anonymousClaims, registration, {
        input: { name: slug, slug, adminEmail, adminPassword: password, plan: 'ENTERPRISE', ...input },
      });
      return {
        id: made.tenant.id,
        slug: made.tenant.slug,
        adminId: made.user.id,
        adminEmail: made.user.email,
        admin: await claimsOf(made.accessToken),
        accessToken: made.accessToken,
        refreshToken: made.refreshToken,
        apiKey: made.apiKey,
      };
    },
    async addUser(tenant, role, email = `${role.toLowerCase()}-${crypto.randomUUID()}@x.example`) {
      const { createUser } = await query(
        tenant.admin,
        'mutation ($input: CreateUserInput!) { createUser(input: $input) { id } }',
        { input: { email, password, role } },
      );
      return {
        id: createUser.id,
        email,
        claims: await subject.signIn({ email, password, tenant: tenant.slug }),
      };
    },
    async signIn(input) {
      const { login } = await query(
        anonymousClaims,
        'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }',
        { input },
      );
      return claimsOf(login.accessToken);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
  return subject;
}
