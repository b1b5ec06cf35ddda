-- Records: one table for every entity of every tenant. "data" holds the record; a field that is filtered, sorted or a
-- relation is also kept in a slot (a text slot: the folded key, docs/decisions/flex-columns.md).

create table "records" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    "id" uuid not null,
    "data" jsonb not null,
    "version" integer not null default 1,
    "created_at" timestamptz(3) not null default now(),
    "updated_at" timestamptz(3) not null default now(),
    "created_by" uuid,
    "deleted_at" timestamptz(3),
    -- Folded text of the searchable fields.
    "search" text,
    "t1" text collate "C",
    "t2" text collate "C",
    "t3" text collate "C",
    "t4" text collate "C",
    "t5" text collate "C",
    "t6" text collate "C",
    "t7" text collate "C",
    "t8" text collate "C",
    "t9" text collate "C",
    "t10" text collate "C",
    "t11" text collate "C",
    "t12" text collate "C",
    "t13" text collate "C",
    "t14" text collate "C",
    "t15" text collate "C",
    "t16" text collate "C",
    "t17" text collate "C",
    "t18" text collate "C",
    "t19" text collate "C",
    "t20" text collate "C",
    "n1" double precision,
    "n2" double precision,
    "n3" double precision,
    "n4" double precision,
    "n5" double precision,
    "n6" double precision,
    "n7" double precision,
    "n8" double precision,
    "n9" double precision,
    "n10" double precision,
    "d1" timestamptz,
    "d2" timestamptz,
    "d3" timestamptz,
    "d4" timestamptz,
    "d5" timestamptz,
    "d6" timestamptz,
    "d7" timestamptz,
    "d8" timestamptz,
    "d9" timestamptz,
    "d10" timestamptz,
    "r1" uuid,
    "r2" uuid,
    "r3" uuid,
    "r4" uuid,
    "r5" uuid,
    "r6" uuid,
    "r7" uuid,
    "r8" uuid,
    "r9" uuid,
    "r10" uuid,
    primary key ("tenant_id", "entity_id", "id")
);
create index "records_created_at" on "records" ("tenant_id", "entity_id", "created_at", "id");
create index "records_updated_at" on "records" ("tenant_id", "entity_id", "updated_at", "id");
-- Under row-level security an index serves only leakproof comparisons, and a partial index keeps the empty slots free.
create index "records_t1" on "records" ("tenant_id", "entity_id", "t1", "id") where "t1" is not null;
create index "records_t2" on "records" ("tenant_id", "entity_id", "t2", "id") where "t2" is not null;
create index "records_t3" on "records" ("tenant_id", "entity_id", "t3", "id") where "t3" is not null;
create index "records_t4" on "records" ("tenant_id", "entity_id", "t4", "id") where "t4" is not null;
create index "records_t5" on "records" ("tenant_id", "entity_id", "t5", "id") where "t5" is not null;
create index "records_t6" on "records" ("tenant_id", "entity_id", "t6", "id") where "t6" is not null;
create index "records_t7" on "records" ("tenant_id", "entity_id", "t7", "id") where "t7" is not null;
create index "records_t8" on "records" ("tenant_id", "entity_id", "t8", "id") where "t8" is not null;
create index "records_t9" on "records" ("tenant_id", "entity_id", "t9", "id") where "t9" is not null;
create index "records_t10" on "records" ("tenant_id", "entity_id", "t10", "id") where "t10" is not null;
create index "records_t11" on "records" ("tenant_id", "entity_id", "t11", "id") where "t11" is not null;
create index "records_t12" on "records" ("tenant_id", "entity_id", "t12", "id") where "t12" is not null;
create index "records_t13" on "records" ("tenant_id", "entity_id", "t13", "id") where "t13" is not null;
create index "records_t14" on "records" ("tenant_id", "entity_id", "t14", "id") where "t14" is not null;
create index "records_t15" on "records" ("tenant_id", "entity_id", "t15", "id") where "t15" is not null;
create index "records_t16" on "records" ("tenant_id", "entity_id", "t16", "id") where "t16" is not null;
create index "records_t17" on "records" ("tenant_id", "entity_id", "t17", "id") where "t17" is not null;
create index "records_t18" on "records" ("tenant_id", "entity_id", "t18", "id") where "t18" is not null;
create index "records_t19" on "records" ("tenant_id", "entity_id", "t19", "id") where "t19" is not null;
create index "records_t20" on "records" ("tenant_id", "entity_id", "t20", "id") where "t20" is not null;
create index "records_n1" on "records" ("tenant_id", "entity_id", "n1", "id") where "n1" is not null;
create index "records_n2" on "records" ("tenant_id", "entity_id", "n2", "id") where "n2" is not null;
create index "records_n3" on "records" ("tenant_id", "entity_id", "n3", "id") where "n3" is not null;
create index "records_n4" on "records" ("tenant_id", "entity_id", "n4", "id") where "n4" is not null;
create index "records_n5" on "records" ("tenant_id", "entity_id", "n5", "id") where "n5" is not null;
create index "records_n6" on "records" ("tenant_id", "entity_id", "n6", "id") where "n6" is not null;
create index "records_n7" on "records" ("tenant_id", "entity_id", "n7", "id") where "n7" is not null;
create index "records_n8" on "records" ("tenant_id", "entity_id", "n8", "id") where "n8" is not null;
create index "records_n9" on "records" ("tenant_id", "entity_id", "n9", "id") where "n9" is not null;
create index "records_n10" on "records" ("tenant_id", "entity_id", "n10", "id") where "n10" is not null;
create index "records_d1" on "records" ("tenant_id", "entity_id", "d1", "id") where "d1" is not null;
create index "records_d2" on "records" ("tenant_id", "entity_id", "d2", "id") where "d2" is not null;
create index "records_d3" on "records" ("tenant_id", "entity_id", "d3", "id") where "d3" is not null;
create index "records_d4" on "records" ("tenant_id", "entity_id", "d4", "id") where "d4" is not null;
create index "records_d5" on "records" ("tenant_id", "entity_id", "d5", "id") where "d5" is not null;
create index "records_d6" on "records" ("tenant_id", "entity_id", "d6", "id") where "d6" is not null;
create index "records_d7" on "records" ("tenant_id", "entity_id", "d7", "id") where "d7" is not null;
create index "records_d8" on "records" ("tenant_id", "entity_id", "d8", "id") where "d8" is not null;
create index "records_d9" on "records" ("tenant_id", "entity_id", "d9", "id") where "d9" is not null;
create index "records_d10" on "records" ("tenant_id", "entity_id", "d10", "id") where "d10" is not null;
create index "records_r1" on "records" ("tenant_id", "entity_id", "r1", "id") where "r1" is not null;
create index "records_r2" on "records" ("tenant_id", "entity_id", "r2", "id") where "r2" is not null;
create index "records_r3" on "records" ("tenant_id", "entity_id", "r3", "id") where "r3" is not null;
create index "records_r4" on "records" ("tenant_id", "entity_id", "r4", "id") where "r4" is not null;
create index "records_r5" on "records" ("tenant_id", "entity_id", "r5", "id") where "r5" is not null;
create index "records_r6" on "records" ("tenant_id", "entity_id", "r6", "id") where "r6" is not null;
create index "records_r7" on "records" ("tenant_id", "entity_id", "r7", "id") where "r7" is not null;
create index "records_r8" on "records" ("tenant_id", "entity_id", "r8", "id") where "r8" is not null;
create index "records_r9" on "records" ("tenant_id", "entity_id", "r9", "id") where "r9" is not null;
create index "records_r10" on "records" ("tenant_id", "entity_id", "r10", "id") where "r10" is not null;

-- Uniqueness: the hash of a key's normalised value (or values). A deleted record has no keys.
create table "record_keys" (
    "tenant_id" uuid not null,
    "entity_id" uuid not null,
    -- The unique field's (or group's) id.
    "key_id" uuid not null,
    "hash" bytea not null,
    "record_id" uuid not null,
    primary key ("tenant_id", "entity_id", "key_id", "hash")
);
create index "record_keys_record" on "record_keys" ("tenant_id", "entity_id", "record_id");

do $$ declare t text; begin
    foreach t in array array['records', 'record_keys'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy own on %I to tenantry_app using (tenant_id = (select current_tenant_id())) with check (tenant_id = (select current_tenant_id()))', t);
        execute format('grant select, insert, update, delete on %I to tenantry_app', t);
    end loop;
end $$;
