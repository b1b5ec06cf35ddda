-- Names that were given up and are kept, deprecated, in the tenant's graph: entities' as [{ name, pluralName }], fields' as [name].
alter table "entity_definitions" add column "aliases" jsonb not null default '[]';
alter table "field_definitions" add column "aliases" jsonb not null default '[]';
