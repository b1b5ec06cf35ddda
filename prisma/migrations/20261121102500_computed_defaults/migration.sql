-- Defaults that are worked out when a record is created: { kind, start, prefix, digits }.
alter table "field_definitions" add column "default_from" jsonb;
-- What may be done to an entity: { createsPerHour }.
alter table "entity_definitions" add column "limits" jsonb;

-- Counters that writes take from, locked until they commit.
create table "field_sequences" (
    "tenant_id" uuid not null,
    "field_id" uuid not null,
    "entity_id" uuid not null,
    -- The number that is given out next.
    "next" bigint not null,
    primary key ("tenant_id", "field_id")
);
alter table "field_sequences" enable row level security;
alter table "field_sequences" force row level security;
create policy "own" on "field_sequences" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
grant select, insert, update, delete on "field_sequences" to tenantry_app;

-- Of an entity with a limit: how many records were created since when.
create table "entity_creations" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "period_start" timestamptz not null,
    "created" integer not null,
    primary key ("tenant_id", "entity_id")
);
alter table "entity_creations" enable row level security;
alter table "entity_creations" force row level security;
create policy "own" on "entity_creations" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
grant select, insert, update, delete on "entity_creations" to tenantry_app;
