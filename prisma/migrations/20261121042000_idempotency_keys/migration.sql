-- What a write with an idempotency key answered, written in the transaction of the write itself. The retention of the log
-- removes rows after 24 hours; an older one that is still there counts as none.

create table "idempotency_keys" (
    "tenant_id" uuid not null,
    -- "USER:<id>": one actor's keys mean nothing to another.
    "actor" text not null,
    -- "create <entity id>"
    "operation" text not null,
    "key" text not null,
    -- SHA-256 of what was asked.
    "request" bytea not null,
    "answer" json,
    "created_at" timestamptz(3) not null default now(),
    primary key ("tenant_id", "actor", "operation", "key")
);
create index "idempotency_keys_created_at" on "idempotency_keys" ("created_at");

alter table "idempotency_keys" enable row level security;
alter table "idempotency_keys" force row level security;
create policy "own" on "idempotency_keys" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
create policy "platform" on "idempotency_keys" to tenantry_platform using (true);
grant select, insert, update on "idempotency_keys" to tenantry_app;
grant select ("created_at"), delete on "idempotency_keys" to tenantry_platform;
