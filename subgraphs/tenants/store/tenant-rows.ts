/** Tenants: registration, the tenant's own view, and the operator's. */
import type { ControlDatabase } from '#prisma/control-database.ts';
import { type Tenant, Prisma } from '#prisma/generated/client.ts';
import type { Claims } from '#schema/claims.ts';
import { DomainError } from '#schema/errors.ts';
import type { TenantStatus } from '#schema/subgraph-protocol.ts';
import { toTenantRow, toUserRow } from './row-mapping.ts';
import type { PlanCode, RowPage, SecretHash, TenantRow, UserRow } from './rows.ts';
import { lockTenant, raiseAuthVersion, tenantIdOf } from './tenant-change.ts';

/** In a tenant's settings while its registration runs; updateTenant refuses such names. */
const pendingMark = '__registration';

export interface TenantDraft {
  id: string;
  name: string;
  slug: string;
  plan: PlanCode;
  maxUsers: number | null;
  contactEmail: string;
  admin: { id: string; email: string; name: string | null; passwordHash: string };
  apiKey: { id: string; name: string; prefix: string; hash: SecretHash };
}

export interface TenantListing {
  search: string | null;
  status: TenantStatus | null;
}

export interface TenantChange {
  name?: string;
  contactEmail?: string | null;
  settings?: Record<string, unknown>;
  maxUsers?: number | null;
  plan?: PlanCode;
}

export interface TenantRows {
  /** The claims' tenant. Throws TENANT_NOT_FOUND. */
  get(claims: Claims): Promise<TenantRow>;
  findById(id: string): Promise<TenantRow | null>;
  findBySlug(slug: string): Promise<TenantRow | null>;
  /** Of these slugs, those that tenants have. */
  takenSlugs(slugs: readonly string[]): Promise<Set<string>>;
  list(listing: TenantListing, first: number, afterId: string | null): Promise<RowPage<TenantRow>>;
  count(listing: TenantListing): Promise<number>;
  /**
   * Tenant, head, administrator and key, in one transaction. The tenant is INACTIVE and marked until `complete`. Rejects with
   * a unique violation where the slug is taken.
   */
  register(draft: TenantDraft): Promise<{ user: UserRow }>;
  /** Opens a tenant that `register` made. */
  complete(id: string): Promise<TenantRow>;
  /** Removes a tenant with everything it has. */
  remove(id: string): Promise<void>;
  /** Registrations that a crash left behind before `before`. */
  findAbandoned(before: Date): Promise<string[]>;
  /** `check` sees the row under lock and the number of users, and throws to refuse. */
  update(
    claims: Claims,
    change: TenantChange,
    check: (tenant: TenantRow, users: number) => void,
  ): Promise<TenantRow>;
  /** Throws NOT_FOUND. */
  setStatus(id: string, status: TenantStatus): Promise<TenantRow>;
}

/** Claims under which the platform itself works in a tenant. */
export function systemClaims(tenantId: string): Claims {
  return { tenantId, actorKind: 'SYSTEM', actorId: null, role: 'DEVELOPER', authVersion: 1, sessionId: null };
}

function listingCondition({ search, status }: TenantListing): Prisma.Sql {
  const bySearch = search
    ? Prisma.sql`and (position(lower(${search}) in lower(name)) > 0 or position(lower(${search}) in slug) > 0)`
    : Prisma.empty;
  const byStatus = status ? Prisma.sql`and status = ${status}` : Prisma.empty;
  return Prisma.sql`not (settings ? ${pendingMark}::text) ${bySearch} ${byStatus}`;
}

const listColumns = Prisma.sql`id, name, slug, status, plan, max_users as "maxUsers", contact_email as "contactEmail",
  settings, created_at as "createdAt"`;

export function createTenantRows(control: ControlDatabase): TenantRows {
  const { platform } = control;

  async function find(where: Prisma.TenantWhereUniqueInput): Promise<TenantRow | null> {
    const row = await platform.tenant.findUnique({ where });
    return row ? toTenantRow(row) : null;
  }

  return {
    async get(claims) {
      const id = tenantIdOf(claims);
      const row = await control.tenant(claims, (tx) => tx.tenant.findUnique({ where: { id } }));
      if (!row) throw new DomainError('TENANT_NOT_FOUND', 'The tenant does not exist');
      return toTenantRow(row);
    },
    findById: (id) => find({ id }),
    findBySlug: (slug) => find({ slug }),

    async takenSlugs(slugs) {
      const rows = await platform.tenant.findMany({
        where: { slug: { in: [...slugs] } },
        select: { slug: true },
      });
      return new Set(rows.map((row) => row.slug));
    },

    async list(listing, first, afterId) {
      const after = afterId ? Prisma.sql`and id > ${afterId}::uuid` : Prisma.empty;
      const rows = await platform.$queryRaw<Tenant[]>`select ${listColumns} from tenants
        where ${listingCondition(listing)} ${after} order by id limit ${first + 1}`;
      return { rows: rows.slice(0, first).map(toTenantRow), hasNextPage: rows.length > first };
    },

    async count(listing) {
      const [row] = await platform.$queryRaw<{ count: bigint }[]>`select count(*) as count from tenants
        where ${listingCondition(listing)}`;
      return Number(row?.count ?? 0);
    },

    register(draft) {
      const { admin, apiKey, ...tenant } = draft;
      return control.tenant(systemClaims(tenant.id), async (tx) => {
        await tx.tenant.create({
          data: { ...tenant, status: 'INACTIVE', settings: { [pendingMark]: 'pending' } },
        });
        await tx.$executeRaw`insert into tenant_heads (tenant_id) values (${tenant.id}::uuid)`;
        const user = await tx.user.create({ data: { ...admin, tenantId: tenant.id, role: 'ADMIN' } });
        await tx.apiKey.create({
          data: { ...apiKey, tenantId: tenant.id, role: 'SERVICE', createdBy: admin.id },
        });
        return { user: toUserRow(user) };
      });
    },

    complete(id) {
      return control.tenant(systemClaims(id), async (tx) => {
        const row = await tx.tenant.update({ where: { id }, data: { status: 'ACTIVE', settings: {} } });
        await raiseAuthVersion(tx, id);
        return toTenantRow(row);
      });
    },

    async remove(id) {
      await control.tenant(systemClaims(id), async (tx) => {
        await tx.$executeRaw`delete from record_keys where tenant_id = ${id}::uuid`;
        await tx.$executeRaw`delete from records where tenant_id = ${id}::uuid`;
      });
      await platform.$transaction(async (tx) => {
        await tx.$executeRaw`delete from events where tenant_id = ${id}::uuid`;
        await tx.$executeRaw`delete from tenants where id = ${id}::uuid`;
      });
    },

    async findAbandoned(before) {
      const rows = await platform.$queryRaw<{ id: string }[]>`select id from tenants
        where status = 'INACTIVE' and settings ? ${pendingMark}::text and created_at < ${before}`;
      return rows.map((row) => row.id);
    },

    update(claims, { settings, ...change }, check) {
      const id = tenantIdOf(claims);
      return control.tenant(claims, async (tx) => {
        const tenant = await lockTenant(tx, id);
        check(tenant, await tx.user.count({ where: { tenantId: id, deletedAt: null } }));
        const data: Prisma.TenantUpdateInput = { ...change, updatedAt: new Date() };
        if (settings) data.settings = settings as Prisma.InputJsonObject;
        return toTenantRow(await tx.tenant.update({ where: { id }, data }));
      });
    },

    setStatus(id, status) {
      return platform.$transaction(async (tx) => {
        const [found] = await tx.$queryRaw<unknown[]>`select 1 as found from tenants
          where id = ${id}::uuid and not (settings ? ${pendingMark}::text) for no key update`;
        if (!found) throw new DomainError('NOT_FOUND', 'The tenant does not exist');
        const row = await tx.tenant.update({ where: { id }, data: { status, updatedAt: new Date() } });
        await raiseAuthVersion(tx, id);
        return toTenantRow(row);
      });
    },
  };
}
