-- The history of a record is its events: as long as the log keeps them there, afterwards here. Retention moves them, so
-- that writes pay for nothing but the index below. Each event stands in exactly one of the two tables.

create table "record_history" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "record_id" uuid not null,
    "seq" bigint not null,
    "at" timestamptz(3) not null,
    "operation" text not null,
    "changed_fields" text[] not null,
    "before" jsonb,
    "after" jsonb,
    "actor_kind" text not null,
    "actor_id" uuid,
    primary key ("tenant_id", "entity_id", "record_id", "seq")
);
create index "events_record" on "events" ("tenant_id", "record_id", "seq") where "record_id" is not null;

-- Records (and, with the nil id, whole entities) that were removed for good: what the log still has of them does not
-- become history. A row goes when the log has nothing older than it.
create table "purged_records" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "record_id" uuid not null,
    "purged_at" timestamptz(3) not null default now(),
    primary key ("tenant_id", "entity_id", "record_id")
);
create index "purged_records_purged_at" on "purged_records" ("purged_at");

-- Finds what can be purged.
create index "records_deleted_at" on "records" ("tenant_id", "entity_id", "deleted_at") where "deleted_at" is not null;

do $$ declare t text; begin
    foreach t in array array['record_history', 'purged_records'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy own on %I to tenantry_app using (tenant_id = (select current_tenant_id())) with check (tenant_id = (select current_tenant_id()))', t);
        execute format('create policy platform on %I to tenantry_platform using (true) with check (true)', t);
    end loop;
end $$;
grant select, delete on "record_history" to tenantry_app;
grant select ("tenant_id", "entity_id", "record_id"), insert, delete on "record_history" to tenantry_platform;
grant select, insert on "purged_records" to tenantry_app;
grant select, delete on "purged_records" to tenantry_platform;
