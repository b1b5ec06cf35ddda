-- What is not active is not in the tenant's graph; its definition and its values stay.
alter table "entity_definitions" add column "is_active" boolean not null default true;
alter table "field_definitions" add column "is_active" boolean not null default true;
