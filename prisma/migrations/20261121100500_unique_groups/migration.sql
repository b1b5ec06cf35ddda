-- Fields that are unique together: [{ id, name, fieldIds, state }]; a group's keys are rows of record_keys under its id.
alter table "entity_definitions" add column "unique_groups" jsonb not null default '[]';

-- Records are gone through for groups too: "field_id" is the id of either, and a change of definitions forgets what it deletes.
alter table "field_backfills" drop constraint "field_backfills_tenant_id_field_id_fkey";
