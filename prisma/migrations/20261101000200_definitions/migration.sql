-- What a tenant's admin defined: entities, fields, and where each field's values are kept.

create table "entity_definitions" (
    "id" uuid primary key,
    "tenant_id" uuid not null references "tenants" ("id") on delete cascade,
    -- "contact": the generated type is Contact. Unique without regard to case among the tenant's entities.
    "name" text not null,
    "plural_name" text not null,
    "label" text,
    "description" text,
    "icon" text,
    "position" integer not null default 0,
    "created_at" timestamptz(3) not null default now(),
    "updated_at" timestamptz(3) not null default now(),
    unique ("tenant_id", "id")
);
create unique index "entity_definitions_name" on "entity_definitions" ("tenant_id", lower("name"));
create unique index "entity_definitions_plural_name" on "entity_definitions" ("tenant_id", lower("plural_name"));

create table "field_definitions" (
    "id" uuid primary key,
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "name" text not null,
    -- The member of records.data that holds the value: the name at creation, never changed and never used again.
    "key" text not null,
    "type" text not null,
    "label" text,
    "description" text,
    "is_required" boolean not null default false,
    "is_unique" boolean not null default false,
    "is_searchable" boolean not null default false,
    "is_filterable" boolean not null default true,
    "is_sortable" boolean not null default true,
    "default_value" jsonb,
    "validation" jsonb,
    -- [{ "value": "OPEN", "label": "Open" }]
    "options" jsonb,
    "target_entity_id" uuid,
    "inverse_name" text,
    "on_delete" text check ("on_delete" in ('RESTRICT', 'CASCADE', 'SET_NULL')),
    "ui_config" jsonb,
    -- "t3": the column of records that also holds the value, folded; null: none.
    "slot" text,
    "position" integer not null default 0,
    "created_at" timestamptz(3) not null default now(),
    "updated_at" timestamptz(3) not null default now(),
    foreign key ("tenant_id", "entity_id") references "entity_definitions" ("tenant_id", "id") on delete cascade,
    foreign key ("tenant_id", "target_entity_id") references "entity_definitions" ("tenant_id", "id"),
    unique ("tenant_id", "entity_id", "key"),
    unique ("tenant_id", "entity_id", "slot")
);
create unique index "field_definitions_name" on "field_definitions" ("tenant_id", "entity_id", lower("name"));

-- Keys and slots that deleted fields leave behind. A key is never used again; a slot only once it was cleared.
create table "retired_fields" (
    "tenant_id" uuid not null references "tenants" ("id") on delete cascade,
    "entity_id" uuid not null,
    "key" text not null,
    "slot" text,
    "retired_at" timestamptz(3) not null default now(),
    primary key ("tenant_id", "entity_id", "key")
);

do $$ declare t text; begin
    foreach t in array array['entity_definitions', 'field_definitions', 'retired_fields'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy own on %I to tenantry_app using (tenant_id = (select current_tenant_id())) with check (tenant_id = (select current_tenant_id()))', t);
        execute format('grant select, insert, update, delete on %I to tenantry_app', t);
    end loop;
end $$;
