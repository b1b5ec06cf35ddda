-- Files that fields of type FILE hold. The bytes are kept outside, under "content_id"; what is known of them is here, and
-- copied into the record that holds the file.
create table "files" (
    -- No foreign key: a tenant's files outlive it until their content is removed.
    "tenant_id" uuid not null,
    "id" uuid not null,
    -- PENDING: no content yet. READY: uploaded. ATTACHED: a record holds it. DETACHED: none holds it any more, but that
    -- one may again, for a while. REMOVING: its content is being removed, and nothing brings it back.
    "state" text not null default 'PENDING' check ("state" in ('PENDING', 'READY', 'ATTACHED', 'DETACHED', 'REMOVING')),
    "name" text not null,
    -- As it was said at first, then as it is; null: to be told from the content.
    "content_type" text,
    "size" bigint,
    "sha256" text,
    -- Of the content in the file store: known before the first byte is kept, so that none is ever lost track of.
    "content_id" uuid,
    -- Who uploads it, and may attach it.
    "actor_kind" text not null,
    "actor_id" uuid,
    "created_at" timestamptz(3) not null default now(),
    -- Since when it is in its state.
    "changed_at" timestamptz(3) not null default now(),
    -- The record that holds it, or held it last, and the field's key there. No foreign keys: records and fields end in
    -- batches, which say so here.
    "entity_id" uuid,
    "record_id" uuid,
    "field_key" text,
    primary key ("tenant_id", "id")
);
create index "files_record" on "files" ("tenant_id", "entity_id", "record_id") where "record_id" is not null;
create index "files_loose" on "files" ("changed_at") where "state" <> 'ATTACHED';

alter table "files" enable row level security;
alter table "files" force row level security;
create policy "own" on "files" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
grant select, insert, update, delete on "files" to tenantry_app;
-- Finding what nobody came back to goes across tenants; removing it happens under its tenant's claims.
create policy "platform" on "files" to tenantry_platform using (true);
grant select ("tenant_id", "id", "state", "changed_at"), update ("state", "changed_at") on "files" to tenantry_platform;

-- Whoever removes a tenant, its files are loose from then on.
create function let_go_of_tenant_files() returns trigger language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update public.files set state = 'DETACHED', changed_at = now() where tenant_id = old.id and state = 'ATTACHED';
    return old;
end $$;
create trigger "let_go_of_files" before delete on "tenants" for each row execute function let_go_of_tenant_files();
