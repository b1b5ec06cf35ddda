-- Imports and exports: what was asked, how far it is, what was wrong. The files themselves are kept outside.

create table "transfers" (
    "tenant_id" uuid not null references "tenants" ("id") on delete cascade,
    "id" uuid not null,
    "kind" text not null check ("kind" in ('IMPORT', 'EXPORT')),
    "status" text not null default 'PENDING' check ("status" in ('PENDING', 'RUNNING', 'DONE', 'FAILED', 'STOPPED')),
    "is_whole_tenant" boolean not null default false,
    -- The entity's name as it was asked for; null while an import waits to be told, and for a whole tenant.
    "entity" text,
    "format" text not null check ("format" in ('CSV', 'JSON', 'NDJSON')),
    "settings" jsonb not null default '{}',
    "file_name" text,
    -- Where the content is kept, and how much it is; null: there is none yet, or not any more. Another content has another id.
    "file_id" uuid,
    "file_bytes" bigint,
    -- Rises with every change of the row: what followers compare.
    "revision" integer not null default 1,

    -- Since when it may run; null: it waits for its file or for resumeTransfer.
    "requested_at" timestamptz(3),
    "is_stop_requested" boolean not null default false,
    -- The process that runs it, and until when that is believed. A lease that ran out belongs to a process that died.
    "runner_id" uuid,
    "lease_until" timestamptz(3),
    -- Processes that took it since its last progress. One that keeps killing its process is given up.
    "attempts" integer not null default 0,

    -- So many rows from the file's first on are settled: written, or among the errors. Export: they are in the file.
    "row_count" bigint not null default 0,
    "read_bytes" bigint not null default 0,
    "created_count" bigint not null default 0,
    "updated_count" bigint not null default 0,
    "failed_count" bigint not null default 0,
    -- Export: rows that there are in all.
    "total_count" bigint,
    -- All of them; "transfer_errors" keeps the first ones.
    "error_count" bigint not null default 0,
    -- Columns of the file that went nowhere.
    "ignored_columns" text[] not null default '{}',
    -- { "code", "message", "fields" }: why it failed.
    "failure" jsonb,

    -- Under whose rights it runs.
    "actor_kind" text not null,
    "actor_id" uuid,
    "actor_role" text,
    "created_at" timestamptz(3) not null default now(),
    "started_at" timestamptz(3),
    "finished_at" timestamptz(3),
    primary key ("tenant_id", "id")
);
create index "transfers_created_at" on "transfers" ("tenant_id", "created_at", "id");
create index "transfers_waiting" on "transfers" ("requested_at") where "status" in ('PENDING', 'RUNNING') and "requested_at" is not null;
create index "transfers_files" on "transfers" ("created_at") where "file_id" is not null;

create table "transfer_errors" (
    "tenant_id" uuid not null,
    "transfer_id" uuid not null,
    "row" bigint not null,
    "line" bigint not null,
    -- Its place among the errors of the row.
    "place" integer not null,
    "column_name" text,
    "field" text,
    "rule" text not null,
    "message" text not null,
    primary key ("tenant_id", "transfer_id", "row", "place"),
    foreign key ("tenant_id", "transfer_id") references "transfers" ("tenant_id", "id") on delete cascade
);

do $$ declare t text; begin
    foreach t in array array['transfers', 'transfer_errors'] loop
        execute format('alter table %I enable row level security', t);
        execute format('alter table %I force row level security', t);
        execute format('create policy own on %I to tenantry_app using (tenant_id = (select current_tenant_id())) with check (tenant_id = (select current_tenant_id()))', t);
        execute format('grant select, insert, update, delete on %I to tenantry_app', t);
    end loop;
end $$;

-- Finding what waits to be run, and whose files have become old, goes across tenants; everything else about a transfer
-- happens under its tenant's claims.
create policy "platform" on "transfers" for select to tenantry_platform using (true);
grant select ("tenant_id", "id", "kind", "status", "requested_at", "lease_until", "created_at", "finished_at", "file_id") on "transfers" to tenantry_platform;
