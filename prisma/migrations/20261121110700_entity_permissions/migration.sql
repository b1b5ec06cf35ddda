-- What a role may do with the records of an entity. No row for a role: all that the role's level allows.
create table "entity_permissions" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "role" text not null check ("role" in ('VIEWER', 'USER', 'DEVELOPER', 'SERVICE')),
    "operations" text[] not null,
    -- Ids of fields; null: all of them, also those that come later.
    "readable_fields" uuid[],
    "writable_fields" uuid[],
    -- A filter in which fields are named by their ids (subgraphs/model/permissions/row-filter.ts); null: every record.
    "row_filter" jsonb,
    primary key ("tenant_id", "entity_id", "role"),
    foreign key ("tenant_id", "entity_id") references "entity_definitions" ("tenant_id", "id") on delete cascade
);

alter table "entity_permissions" enable row level security;
alter table "entity_permissions" force row level security;
create policy own on "entity_permissions" to tenantry_app
    using (tenant_id = (select current_tenant_id())) with check (tenant_id = (select current_tenant_id()));
grant select, insert, update, delete on "entity_permissions" to tenantry_app;
