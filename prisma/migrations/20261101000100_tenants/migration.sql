-- Identity: what the tenants subgraph keeps.

create table "tenants" (
    "id" uuid primary key,
    "name" text not null,
    "slug" text not null unique,
    "status" text not null default 'ACTIVE' check ("status" in ('ACTIVE', 'INACTIVE', 'SUSPENDED')),
    "plan" text not null default 'FREE' check ("plan" in ('FREE', 'PROFESSIONAL', 'ENTERPRISE')),
    -- Lowers the plan's number of users; null: the plan's own.
    "max_users" integer check ("max_users" > 0),
    "contact_email" text,
    "settings" jsonb not null default '{}',
    "created_at" timestamptz(3) not null default now(),
    "updated_at" timestamptz(3) not null default now()
);

-- One row for each tenant, in three jobs: the event log's counter (seq), the fence of definitions
-- (definitions_version), and what gateways poll (changed_xid, the transaction that last changed a version or the status).
create table "tenant_heads" (
    "tenant_id" uuid primary key references "tenants" ("id") on delete cascade,
    "seq" bigint not null default 0,
    -- Events up to and including this one were removed by retention.
    "trimmed_seq" bigint not null default 0,
    "definitions_version" bigint not null default 1,
    -- Rises with any change of a role, key, user, session or status.
    "auth_version" bigint not null default 1,
    "changed_xid" xid8 not null default pg_current_xact_id()
) with (fillfactor = 50);
create index "tenant_heads_changed_xid" on "tenant_heads" ("changed_xid");

create table "users" (
    "id" uuid primary key,
    "tenant_id" uuid not null references "tenants" ("id") on delete cascade,
    -- As typed; unique without regard to case.
    "email" text not null,
    "name" text,
    "role" text not null check ("role" in ('VIEWER', 'USER', 'DEVELOPER', 'ADMIN')),
    "password_hash" text not null,
    "created_at" timestamptz(3) not null default now(),
    "updated_at" timestamptz(3) not null default now(),
    "deleted_at" timestamptz(3)
);
create unique index "users_email" on "users" ("tenant_id", lower("email")) where "deleted_at" is null;
create index "users_tenant" on "users" ("tenant_id", "id");

-- The platform's own staff; they belong to no tenant.
create table "operators" (
    "id" uuid primary key,
    "email" text not null,
    "name" text,
    "password_hash" text not null,
    "created_at" timestamptz(3) not null default now()
);
create unique index "operators_email" on "operators" (lower("email"));

-- A session is a family of refresh tokens: the current one, and those it replaced (a reused one revokes the family).
create table "sessions" (
    "id" uuid primary key,
    -- Null: an operator's.
    "tenant_id" uuid references "tenants" ("id") on delete cascade,
    "user_id" uuid references "users" ("id") on delete cascade,
    "operator_id" uuid references "operators" ("id") on delete cascade,
    "created_at" timestamptz(3) not null default now(),
    "expires_at" timestamptz(3) not null,
    "revoked_at" timestamptz(3),
    check (("tenant_id" is null) = ("user_id" is null) and ("user_id" is null) <> ("operator_id" is null))
);
create index "sessions_tenant" on "sessions" ("tenant_id", "user_id");

create table "refresh_tokens" (
    -- SHA-256 of the token.
    "hash" bytea primary key,
    "session_id" uuid not null references "sessions" ("id") on delete cascade,
    "created_at" timestamptz(3) not null default now(),
    "replaced_at" timestamptz(3)
);
create index "refresh_tokens_session" on "refresh_tokens" ("session_id");

create table "api_keys" (
    "id" uuid primary key,
    "tenant_id" uuid not null references "tenants" ("id") on delete cascade,
    "name" text not null,
    "role" text not null check ("role" in ('VIEWER', 'USER', 'DEVELOPER', 'ADMIN', 'SERVICE')),
    -- The key's first characters, to recognise it by.
    "prefix" text not null,
    -- SHA-256 of the key: it has 256 bits of entropy, so a slow hash would add nothing.
    "hash" bytea not null unique,
    "created_by" uuid,
    "created_at" timestamptz(3) not null default now(),
    "expires_at" timestamptz(3),
    "revoked_at" timestamptz(3)
);
create index "api_keys_tenant" on "api_keys" ("tenant_id", "id");

-- Keys that sign access tokens. The private half rests encrypted (JWE, key derived from the platform's secret).
create table "signing_keys" (
    "kid" text primary key,
    "public_jwk" jsonb not null,
    "private_jwe" text not null,
    "created_at" timestamptz(3) not null default now(),
    -- Not used for signing any more; still published until the last token it signed has expired.
    "retired_at" timestamptz(3)
);

-- Row-level security. tenantry_app: the rows of the claims' tenant. tenantry_platform: what must run before a tenant is
-- known, or across tenants (credentials, slugs, versions, the operator's list).
alter table "tenants" enable row level security;
alter table "tenants" force row level security;
create policy "own" on "tenants" to tenantry_app using ("id" = (select current_tenant_id())) with check ("id" = (select current_tenant_id()));
create policy "platform" on "tenants" to tenantry_platform using (true) with check (true);
grant select, insert, update on "tenants" to tenantry_app;
grant select, insert, update, delete on "tenants" to tenantry_platform;

alter table "tenant_heads" enable row level security;
alter table "tenant_heads" force row level security;
create policy "own" on "tenant_heads" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "tenant_heads" to tenantry_platform using (true) with check (true);
grant select, insert, update on "tenant_heads" to tenantry_app;
grant select, update on "tenant_heads" to tenantry_platform;

alter table "users" enable row level security;
alter table "users" force row level security;
create policy "own" on "users" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "users" for select to tenantry_platform using (true);
grant select, insert, update on "users" to tenantry_app;
grant select on "users" to tenantry_platform;

alter table "operators" enable row level security;
alter table "operators" force row level security;
create policy "platform" on "operators" to tenantry_platform using (true) with check (true);
grant select, insert, update on "operators" to tenantry_platform;

alter table "sessions" enable row level security;
alter table "sessions" force row level security;
create policy "own" on "sessions" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "sessions" to tenantry_platform using (true) with check (true);
grant select, insert, update on "sessions" to tenantry_app;
grant select, insert, update, delete on "sessions" to tenantry_platform;

alter table "refresh_tokens" enable row level security;
alter table "refresh_tokens" force row level security;
create policy "platform" on "refresh_tokens" to tenantry_platform using (true) with check (true);
grant select, insert, update, delete on "refresh_tokens" to tenantry_platform;

alter table "api_keys" enable row level security;
alter table "api_keys" force row level security;
create policy "own" on "api_keys" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "api_keys" for select to tenantry_platform using (true);
grant select, insert, update on "api_keys" to tenantry_app;
grant select on "api_keys" to tenantry_platform;

alter table "signing_keys" enable row level security;
alter table "signing_keys" force row level security;
create policy "platform" on "signing_keys" to tenantry_platform using (true) with check (true);
grant select, insert, update on "signing_keys" to tenantry_platform;
