-- Two roles, neither of which can bypass row-level security. Roles belong to the whole cluster, and several databases
-- of one cluster may be migrated at the same moment: both ways of "exists already" are fine.
-- They become able to log in when the product starts (a password derived from its secret), never here.

do $$ begin
    create role tenantry_app nologin nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null; end $$;

do $$ begin
    create role tenantry_platform nologin nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null; end $$;

grant usage on schema public to tenantry_app, tenantry_platform;

-- The tenant that the current transaction acts for; null where no claims were set.
-- The setting reads '' (not null) on a connection that had it in an earlier transaction.
create function current_tenant_id() returns uuid
    language sql stable parallel safe
    return (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'tenant_id')::uuid;
