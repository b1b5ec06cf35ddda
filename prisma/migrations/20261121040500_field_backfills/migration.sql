-- A field that records have to be gone through for: what writers fill already and nobody reads yet, and how far it is.
alter table "field_definitions" add column "pending_slot" text;
alter table "field_definitions" add column "is_pending_unique" boolean not null default false;
alter table "field_definitions" add unique ("tenant_id", "id");

create table "field_backfills" (
    "tenant_id" uuid not null,
    "field_id" uuid not null,
    "entity_id" uuid not null,
    -- RUNNING until every record was gone through, then FILLED until a change of definitions makes use of it.
    "state" text not null default 'RUNNING' check ("state" in ('RUNNING', 'FILLED', 'DONE', 'FAILED')),
    "done" bigint not null default 0,
    "total" bigint not null,
    -- Records up to this id are done.
    "after_id" uuid,
    -- Why the field did not become unique: { message, duplicates }.
    "failure" jsonb,
    "started_at" timestamptz(3) not null default now(),
    "finished_at" timestamptz(3),
    primary key ("tenant_id", "field_id"),
    foreign key ("tenant_id", "field_id") references "field_definitions" ("tenant_id", "id") on delete cascade
);

alter table "field_backfills" enable row level security;
alter table "field_backfills" force row level security;
create policy "own" on "field_backfills" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
grant select, insert, update, delete on "field_backfills" to tenantry_app;
