-- Many-to-many relations: which records are linked by a MULTI_RELATION field. It follows from the list of ids that the
-- owning record's data holds, as slots follow from values; a link counts while both records are live.
create table "record_links" (
    "tenant_id" uuid not null,
    "field_id" uuid not null,
    -- The record whose field it is, and the one that it points at.
    "owner_id" uuid not null,
    "target_id" uuid not null,
    primary key ("tenant_id", "field_id", "owner_id", "target_id")
);
-- The same rows from the other end.
create unique index "record_links_inverse" on "record_links" ("tenant_id", "field_id", "target_id", "owner_id");

alter table "record_links" enable row level security;
alter table "record_links" force row level security;
create policy "own" on "record_links" to tenantry_app using ("tenant_id" = (select current_tenant_id())) with check ("tenant_id" = (select current_tenant_id()));
grant select, insert, update, delete on "record_links" to tenantry_app;
